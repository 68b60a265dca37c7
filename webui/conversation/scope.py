"""Cancellation by generation: a conversation has one live turn, and whatever belongs to an older one is stale."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from webui.errors import Cancelled

T = TypeVar("T")


class TurnScope:
    """One turn's leave to go on. Asked by everything that works for the turn; withdrawn once, for good."""

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self._lock = threading.Lock()
        self._stale = threading.Event()
        self._undo: list[Callable[[], object]] = []

    @property
    def stale(self) -> bool:
        """True once the turn was cancelled or overtaken."""
        return self._stale.is_set()

    def check(self) -> None:
        """Raise ``Cancelled`` where the turn is stale."""
        if self.stale:
            raise Cancelled

    def on_cancel(self, stop: Callable[[], object]) -> None:
        """Have ``stop`` called when the turn is cancelled (now, if it already was). It must be quick."""
        with self._lock:
            if not self.stale:
                self._undo.append(stop)
                return
        stop()

    @contextmanager
    def stopping(self, work: Iterator[T]) -> Iterator[Iterator[T]]:
        """``work``, closed when the turn is cancelled or else at the end.

        One that another thread can close stops at once; a generator that works stops where it yields next.
        """

        def stop() -> None:
            with suppress(ValueError):  # a generator cannot be closed while it works
                work.close()  # type: ignore[attr-defined]

        self.on_cancel(stop)
        try:
            yield work
        finally:
            with self._lock, suppress(ValueError):  # it was taken off when the turn was cancelled
                self._undo.remove(stop)
            stop()

    def cancel(self) -> None:
        """Withdraw the turn's leave; a second call does nothing."""
        with self._lock:
            if self.stale:
                return
            self._stale.set()
            undo, self._undo = self._undo, []
        for stop in undo:
            stop()


class Generations:
    """Hands out a conversation's turns; a new one makes the one before it stale."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._current = TurnScope(0)
        self._current.cancel()

    def begin(self) -> TurnScope:
        """Start the next turn."""
        with self._lock:
            before, self._current = self._current, TurnScope(self._current.generation + 1)
            scope = self._current
        before.cancel()
        return scope

    def cancel(self) -> None:
        """Stop the live turn, if there is one."""
        with self._lock:
            scope = self._current
        scope.cancel()
