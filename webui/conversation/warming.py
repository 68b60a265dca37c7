"""What the model reads before it is asked, so that a turn need not wait for that."""

from __future__ import annotations

import threading
from collections.abc import Callable

from webui.engines.protocols import ChatModel, ChatRequest, Message, TextStream

_LOOK_S = 0.02


class Warming:
    """Of one conversation; one reading at a time. A model that is served elsewhere may or may not profit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reading: tuple[Message, ...] = ()
        self._answer: TextStream | None = None
        self._done = threading.Event()

    def read(self, chat: ChatModel, messages: tuple[Message, ...]) -> None:
        """Have the model read ``messages``; blocks until it has, or until a turn needs it for something else."""
        with self._lock:
            if self._answer is not None:
                return
            self._reading, self._answer = (
                messages,
                chat.chat(ChatRequest((*messages, Message("user", "")), max_tokens=1)),
            )
            self._done.clear()
        try:
            next(iter(self._answer), None)
        finally:
            self._answer.close()
            with self._lock:
                self._answer = None
            self._done.set()

    def stop(self) -> None:
        """Stop reading."""
        with self._lock:
            answer = self._answer
        if answer is not None:
            answer.close()

    def make_way(self, messages: tuple[Message, ...], check: Callable[[], object]) -> None:
        """A turn is about to have ``messages`` read. Wait for what is being read already if they begin with that, else
        stop it: side by side, both would take twice as long. ``check`` raises where the turn is not wanted any more.
        """
        with self._lock:
            answer, useful = self._answer, messages[: len(self._reading)] == self._reading
        if answer is None:
            return
        if not useful:
            answer.close()
            return
        while not self._done.wait(_LOOK_S):
            check()
