"""An answer on its way: written by one thread, read by another, stopped from any."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator

from webui.engines.protocols import ToolCall

Pieces = queue.SimpleQueue[str | ToolCall | Exception | None]
"""What a writer puts in: pieces, and at the end None, or the exception that it failed with."""


class AnswerStream(Iterator[str | ToolCall]):
    """Pieces of an answer as they arrive. ``close`` stops the model's work at once, from any thread."""

    def __init__(self, pieces: Pieces, cancel: Callable[[], object]) -> None:
        self._pieces = pieces
        self._cancel = cancel
        self._done = False

    def __next__(self) -> str | ToolCall:
        if self._done:
            raise StopIteration
        piece = self._pieces.get()
        if self._done:  # closed while we waited, or with this piece still unread
            raise StopIteration
        if isinstance(piece, (str, ToolCall)):
            return piece
        self._done = True
        if piece is None:
            raise StopIteration
        raise piece

    def close(self) -> None:
        """Stop. Whatever has not been read is dropped, and a reader waiting in another thread wakes up."""
        self._done = True
        self._cancel()
        self._pieces.put(None)
