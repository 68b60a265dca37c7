"""An event loop in a thread of its own, for work that must be stoppable from any other thread.

Only an awaited read can be cancelled while the other side is still silent.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_ENDING: set[asyncio.Task[None]] = set()  # a loop holds its tasks weakly


class Pulled(Iterator[T], Generic[T]):
    """What an asynchronous generator yields, made step by step as it is asked for.

    ``close`` stops the work at once, from any thread; a reader waiting in another thread wakes up, at the end.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, source: AsyncGenerator[T, None]) -> None:
        self._loop = loop
        self._source = source
        self._lock = threading.Lock()
        self._step: Future[tuple[T, ...]] | None = None
        self._closed = False

    def __next__(self) -> T:
        with self._lock:
            if self._closed:
                raise StopIteration
            self._step = asyncio.run_coroutine_threadsafe(self._pull(), self._loop)
        try:
            pulled = self._step.result()
        except CancelledError:
            pulled = ()
        except Exception:
            self._closed = True  # the generator has ended with it
            raise
        if not pulled:
            self._closed = True
            raise StopIteration
        return pulled[0]

    async def _pull(self) -> tuple[T, ...]:
        try:
            return (await self._source.__anext__(),)
        except StopAsyncIteration:
            return ()

    def close(self) -> None:
        """Stop; what has not been read is dropped. A second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        # A step that runs is cancelled, and the generator ends with it; one that waits between two steps is told to.
        if self._step is None or not self._step.cancel():
            with suppress(RuntimeError):  # the loop is no more, and with it all that was on it
                self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        task = self._loop.create_task(_closed(self._source))
        _ENDING.add(task)
        task.add_done_callback(_ENDING.discard)

    def __del__(self) -> None:
        self.close()


async def _closed(source: AsyncGenerator[T, None]) -> None:
    await source.aclose()


class Background:
    """The loop and its thread, begun on first use."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start ``work``; it goes on whether or not anybody waits for it."""
        return asyncio.run_coroutine_threadsafe(work, self._running())

    def iterate(self, source: AsyncGenerator[T, None]) -> Pulled[T]:
        """What ``source`` yields, for a thread that reads it step by step."""
        return Pulled(self._running(), source)

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        """Cancel what was begun, then do ``last``, and end the thread; the next use begins another."""
        loop = self._running()
        with self._lock:
            self._loop = None
        asyncio.run_coroutine_threadsafe(_end(last), loop).result()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), name=self._name, daemon=True).start()
            return self._loop


async def _end(last: Coroutine[Any, Any, None]) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await last
    asyncio.get_running_loop().stop()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
