"""Engines are lent, so that one can be relieved of its job while others still read what it makes."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from collections.abc import Iterator
from typing import Any

from webui.engines.protocols import Engine

log = logging.getLogger(__name__)


class Seat:
    """One engine at its job. After ``relieve`` it is closed, in a thread of its own, when the last loan has ended."""

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self.engine = engine
        self.closed = threading.Event()
        self._loans = 0
        self._relieved = False
        # Re-entrant: a loan may end, by garbage collection, in the very thread that is counting.
        self._lock = threading.RLock()

    def lend(self) -> Any:
        """The engine, for as long as the caller holds what it gets here, or a result of one of its methods."""
        with self._lock:
            self._loans += 1
        loan = Loan(self.engine)
        weakref.finalize(loan, self._ended).atexit = False
        return loan

    def relieve(self) -> None:
        """Close the engine as soon as nobody uses it."""
        with self._lock:
            self._relieved = True
            self._close_if_unused()

    def _ended(self) -> None:
        with self._lock:
            self._loans -= 1
            self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self._relieved and not self._loans:
            threading.Thread(target=self._close, name=f"close {self.name}").start()

    def _close(self) -> None:
        self.engine.close()
        gc.collect()
        log.info("%s was closed, and its memory freed", self.name)
        self.closed.set()


class Loan:
    """A borrowed engine: everything that the engine has. It is given back when nothing refers to it any more."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._engine, name)
        if not callable(value):
            return value

        def call(*args: Any, **more: Any) -> Any:
            result = value(*args, **more)
            return _Reading(result, self) if isinstance(result, Iterator) or hasattr(result, "close") else result

        return call


class _Reading(Iterator[Any]):
    """A result that is still being read, and the loan that this needs: it ends with the result."""

    def __init__(self, result: Any, loan: Loan) -> None:
        self._result = result
        self._pieces = iter(result)
        self._loan: Loan | None = loan

    def __next__(self) -> Any:
        try:
            return next(self._pieces)
        except BaseException:
            self._loan = None
            raise

    def close(self) -> None:
        """Cancel the work, as closing the result itself does."""
        try:
            if hasattr(self._result, "close"):
                self._result.close()
        finally:
            self._loan = None
