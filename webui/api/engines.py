"""``/v1/engines``: which engine does which job, why, what would be better; and switching to another one."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from webui.api.origin import at_home, same_origin
from webui.api.wire import engines_json
from webui.config import Settings
from webui.engines.choosing import JOBS
from webui.engines.registry import Engines
from webui.errors import UserError

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 10_000


class EngineRoutes:
    """GET tells, POST ``{"job", "name"}`` switches. ``idle`` is called when a switch has ended, well or not."""

    def __init__(self, engines: Engines, idle: Callable[[], None]) -> None:
        self._engines = engines
        self._idle = idle

    def routes(self) -> list[BaseRoute]:
        """To stand beside the others."""
        return [Route("/v1/engines", self._tell), Route("/v1/engines", self._switch, methods=["POST"])]

    async def _tell(self, request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(self._describe, request))

    async def _switch(self, request: Request) -> Response:
        if not same_origin(request):
            return refused(403, UserError("switching_foreign", "Only this server's own page may switch its engines."))
        if not may_switch(self._engines.settings, request):
            return refused(
                403,
                UserError("switching_off", "Engines can be switched here after a start with --switching."),
            )
        try:
            body = json.loads(await body_of(request))
            job, name = str(body["job"]), str(body["name"])
        except (ValueError, KeyError, TypeError):
            return refused(400, UserError("malformed_event", "That message is not of the form that is expected."))
        try:
            return JSONResponse(await asyncio.to_thread(self._change, request, job, name))
        except UserError as error:
            return refused(409, error)
        except Exception:
            log.exception("switching to %s failed", name)
            return refused(500, UserError("internal", "Something went wrong on our side; the log has the details."))

    def _change(self, request: Request, job: str, name: str) -> dict[str, Any]:
        if job not in JOBS:
            raise UserError("malformed_event", f"There is no such job; the jobs are {', '.join(JOBS)}.")
        lacks = {option.name: option.lacks for option in self._engines.options(job)}.get(name)
        if lacks is not None:
            raise UserError(lacks.key, f"{name} cannot run on this machine ({lacks.key}).", **lacks.values)
        try:
            self._engines.switch(job, name)
        finally:
            self._idle()
        return self._describe(request)

    def _describe(self, request: Request) -> dict[str, Any]:
        return {"engines": engines_json(self._engines), "switching": may_switch(self._engines.settings, request)}


def may_switch(settings: Settings, request: Request) -> bool:
    """Whether who asks may switch engines for everybody.

    That is for the person whose machine it is: at the machine itself, unless a public link or a proxy leads to it; or
    for everybody, where the program was started with ``--switching``.
    """
    return settings.switching or at_home(settings, request)


async def body_of(request: Request) -> bytes:
    """The body of a request. Raises ``ValueError`` where it is long."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise ValueError("too long")
    return body


def refused(status: int, error: UserError) -> Response:
    """Why not, in the form that the page says in its own language."""
    return JSONResponse({"error": {"code": error.key, "message": error.message, "values": error.values}}, status)
