"""``/v1/chat-server``: a language model somewhere else, by the address, model and key that the page gives."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from webui.api.engines import body_of, may_switch, refused
from webui.api.origin import same_origin
from webui.config import Settings
from webui.engines.protocols import ChatModel
from webui.engines.registry import Engines
from webui.errors import UserError

log = logging.getLogger(__name__)


class ChatServerRoutes:
    """GET tells which server is set and whether there is a key for it; POST sets all three and connects.

    For whoever may switch engines, and for the whole process. The key goes in and never out.
    """

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def routes(self) -> list[BaseRoute]:
        """To stand beside the others."""
        return [Route("/v1/chat-server", self._tell), Route("/v1/chat-server", self._connect, methods=["POST"])]

    async def _tell(self, request: Request) -> Response:
        return self._barred(request) or JSONResponse(_described(self._engines.settings))

    async def _connect(self, request: Request) -> Response:
        if barred := self._barred(request):
            return barred
        try:
            body = json.loads(await body_of(request))
            url, model, key = (str(body.get(name) or "").strip() for name in ("url", "model", "key"))
        except (ValueError, AttributeError):
            return refused(400, UserError("malformed_event", "That message is not of the form that is expected."))
        try:
            return JSONResponse(await asyncio.to_thread(self._use, url, model, key))
        except UserError as error:
            return refused(409, error)
        except Exception:
            log.exception("connecting to a language model's server failed")
            return refused(500, UserError("internal", "Something went wrong on our side; the log has the details."))

    def _barred(self, request: Request) -> Response | None:
        if not same_origin(request):
            return refused(403, UserError("switching_foreign", "Only this server's own page may switch its engines."))
        if not may_switch(self._engines.settings, request):
            why = "Engines can be switched here after a start with --switching."
            return refused(403, UserError("switching_off", why))
        return None

    def _use(self, url: str, model: str, key: str) -> dict[str, Any]:
        before = self._engines.settings
        # A key is kept for its own server only: no other address may be told it by leaving the field empty.
        secret = SecretStr(key) if key or _server(url) != _server(before.chat_url) else before.chat_key
        settings = before.model_copy(update={"chat_url": url, "chat_model": model, "chat_key": secret})
        self._engines.switch("chat", "openai", settings)
        chat: ChatModel = self._engines.chat
        return {**_described(settings), "found": {"model": chat.info.name, "context_tokens": chat.context_tokens}}


def _described(settings: Settings) -> dict[str, Any]:
    has_key = bool(settings.chat_key.get_secret_value())
    return {"url": settings.chat_url, "model": settings.chat_model, "has_key": has_key}


def _server(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
