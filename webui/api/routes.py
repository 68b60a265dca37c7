"""The routes beside Gradio's own: the page's data, its static files, the socket, the download, the health check."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from webui import __version__
from webui.api.chat_settings import ChatServerRoutes
from webui.api.engines import EngineRoutes, may_switch
from webui.api.origin import same_origin
from webui.api.realtime import MAX_UPLOAD_BYTES, SPEEDS, RealtimeSession
from webui.api.transcriptions import Transcriptions
from webui.api.wire import engines_json, voices_json
from webui.config import ROOT
from webui.conversation.prompts import PERSONAS
from webui.conversation.session import Conversation
from webui.engines.protocols import Synthesizer
from webui.engines.registry import Engines
from webui.features.archive import conversation_text
from webui.features.chat import MAX_TEXT_CHARS, MAX_TURN_SECONDS
from webui.types import STYLES

log = logging.getLogger(__name__)

MAX_CONVERSATIONS = 32  # at once; each holds a socket, its recordings on disk and, while it works, two threads
TOO_MANY = 4429  # WebSocket close codes of our own
FOREIGN = 4403


class Api:
    """The routes over one set of engines. It knows the live conversations by their unguessable ids."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._conversations: dict[str, Conversation] = {}
        self._sessions: set[RealtimeSession] = set()
        engines.store.listener = self._fetching
        engines.changed = self._changed

    def routes(self) -> list[BaseRoute]:
        """To be given to Gradio's ``launch(app_kwargs={"routes": ...})``."""
        return [
            Route("/healthz", self._health),
            Route("/v1/page", self._page),
            Route("/v1/conversations/{id}.zip", self._download),
            WebSocketRoute("/v1/realtime", self._realtime),
            *EngineRoutes(self._engines, self._idle).routes(),
            *ChatServerRoutes(self._engines).routes(),
            *Transcriptions(self._engines).routes(),
            Mount("/webui/static", StaticFiles(directory=ROOT / "assets")),
        ]

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", "version": __version__, "conversations": len(self._conversations)})

    async def _page(self, request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(self._describe, request))

    def _describe(self, request: Request) -> dict[str, Any]:
        synthesizer = cast(Synthesizer, self._engines.get("synthesizer"))
        return {
            "voices": voices_json(synthesizer),
            "styles": ["auto", *_styles(synthesizer.info.capabilities)],
            "personas": [{"id": name, "prompts": prompts} for name, prompts in PERSONAS.items()],
            "languages": list(synthesizer.info.languages),
            "engines": engines_json(self._engines),
            "switching": may_switch(self._engines.settings, request),
            "clips": _clips(),
            "speeds": SPEEDS,
            "limits": {
                "max_upload_bytes": MAX_UPLOAD_BYTES,
                "max_turn_seconds": MAX_TURN_SECONDS,
                "max_text_chars": MAX_TEXT_CHARS,
            },
        }

    async def _download(self, request: Request) -> Response:
        conversation = self._conversations.get(request.path_params["id"])
        if conversation is None:
            return JSONResponse({"error": "This conversation has ended, and its recordings are deleted."}, 404)
        path = await asyncio.to_thread(conversation.archive, conversation_text)
        return FileResponse(path, filename="conversation.zip", media_type="application/zip")

    async def _realtime(self, socket: WebSocket) -> None:
        if not same_origin(socket):
            await socket.close(FOREIGN)
            return
        await socket.accept()
        if len(self._conversations) >= MAX_CONVERSATIONS:
            await socket.close(TOO_MANY)
            return
        conversation = Conversation()
        self._conversations[conversation.id] = conversation
        session = RealtimeSession(socket, self._engines, conversation)
        self._sessions.add(session)
        try:
            await session.run()
        finally:
            self._sessions.discard(session)
            del self._conversations[conversation.id]
            conversation.close()

    def _fetching(self, what: str, done: int, total: int) -> None:
        for session in tuple(self._sessions):
            session.fetching(what, done, total)

    def _changed(self) -> None:
        for session in tuple(self._sessions):
            session.engines_changed()

    def _idle(self) -> None:
        for session in tuple(self._sessions):
            session.idle()


def _clips() -> list[dict[str, str]]:
    """Our example clips; the page names each by the label ``clip_<id>``."""
    listed = json.loads((ROOT / "assets" / "clips" / "clips.json").read_text("utf-8"))
    return [{"id": Path(clip["file"]).stem, "file": clip["file"]} for clip in listed]


def _styles(capabilities: Mapping[str, bool | str]) -> list[str]:
    """The styles that a synthesizer speaks in."""
    able = capabilities.get("styles", True)
    return [name for name in STYLES if capabilities.get(f"style_{name}", able if name != "neutral" else True) is True]
