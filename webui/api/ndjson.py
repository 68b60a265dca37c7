"""Answers that grow: one JSON object a line, made in a thread of its own for as long as somebody reads."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import closing, suppress
from typing import Any

from starlette.responses import StreamingResponse

from webui.api.requests import internal
from webui.conversation.scope import TurnScope
from webui.errors import Cancelled, UserError

log = logging.getLogger(__name__)

AHEAD = 4  # lines that wait for a slow reader; then the work waits, too
PATIENCE_S = 60.0  # for a reader that takes nothing; then the work is stopped

Line = Mapping[str, Any]


def ndjson(work: Callable[[], Generator[Line, None, None]], scope: TurnScope) -> StreamingResponse:
    """The lines that ``work`` gives, as they come; what it raises is the last one.

    ``scope`` is cancelled when the reader goes, ``work`` is closed at its next line.
    """
    return StreamingResponse(_Lines(work, scope).read(), media_type="application/x-ndjson")


class _Lines:
    def __init__(self, work: Callable[[], Generator[Line, None, None]], scope: TurnScope) -> None:
        self._work = work
        self._scope = scope
        self._room = threading.Semaphore(AHEAD)
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Line | None] = asyncio.Queue()
        scope.on_cancel(self._room.release)

    async def read(self) -> AsyncGenerator[str, None]:
        threading.Thread(target=self._run, name="lines", daemon=True).start()
        try:
            while (line := await self._queue.get()) is not None:
                yield json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n"
                self._room.release()
        finally:
            self._scope.cancel()

    def _run(self) -> None:
        try:
            with closing(self._work()) as lines:
                for line in lines:
                    if not self._room.acquire(timeout=PATIENCE_S):
                        self._scope.cancel()
                    self._scope.check()
                    self._put(line)
        except Cancelled:
            log.info("a reader went before all was made")
        except UserError as error:
            self._put(_failed(error))
        except Exception:
            log.exception("unexpected failure")
            self._put(_failed(internal()))
        finally:
            self._put(None)

    def _put(self, line: Line | None) -> None:
        with suppress(RuntimeError):  # the server has ended, and with it the reader
            self._loop.call_soon_threadsafe(self._queue.put_nowait, line)


def _failed(error: UserError) -> Line:
    return {"type": "failed", "error": {"key": error.key, "message": error.message, "values": error.values}}
