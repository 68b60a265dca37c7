"""The routes beside Gradio's own: the page's data, its static files, the socket, the download, the health check."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from webui import __version__
from webui.api.chat_settings import ChatServerRoutes
from webui.api.clips import ClipRoutes
from webui.api.engines import EngineRoutes, may_switch
from webui.api.realtime import MAX_UPLOAD_BYTES
from webui.api.session_settings import SPEEDS
from webui.api.sessions import Sessions
from webui.api.speak import Speaking
from webui.api.speak_choices import styles
from webui.api.transcriptions import Transcriptions
from webui.api.voices import VoiceRoutes
from webui.api.wire import engines_json, voices_json
from webui.config import ROOT
from webui.conversation.prompts import PERSONAS
from webui.engines.protocols import Synthesizer
from webui.engines.registry import Engines
from webui.features.archive import conversation_text
from webui.features.chat import MAX_TEXT_CHARS
from webui.features.hearing import MAX_TURN_SECONDS


class Api:
    """The routes over one set of engines."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._sessions = Sessions(engines, engines.settings.sessions)
        engines.store.listener = self._fetching
        engines.store.settled = self._idle
        engines.changed = self._changed

    def routes(self) -> list[BaseRoute]:
        """To be given to Gradio's ``launch(app_kwargs={"routes": ...})``."""
        clips = ClipRoutes(self._engines)
        return [
            Route("/healthz", self._health),
            Route("/v1/page", self._page),
            Route("/v1/conversations/{id}.zip", self._download),
            WebSocketRoute("/v1/realtime", self._sessions.serve),
            *EngineRoutes(self._engines, self._idle).routes(),
            *ChatServerRoutes(self._engines).routes(),
            *Transcriptions(self._engines).routes(),
            *Speaking(self._engines).routes(),
            *clips.routes(),
            *VoiceRoutes(self._engines, clips).routes(),
            Mount("/webui/static", StaticFiles(directory=ROOT / "assets")),
        ]

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", "version": __version__, "conversations": len(self._sessions)})

    async def _page(self, request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(self._describe, request))

    def _describe(self, request: Request) -> dict[str, Any]:
        synthesizer = cast(Synthesizer, self._engines.get("synthesizer"))
        return {
            "voices": voices_json(synthesizer),
            "styles": ["auto", *styles(synthesizer.info.capabilities)],
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
        conversation = self._sessions.conversation(request.path_params["id"])
        if conversation is None:
            return JSONResponse({"error": "This conversation has ended, and its recordings are deleted."}, 404)
        path = await asyncio.to_thread(conversation.archive, conversation_text)
        return FileResponse(path, filename="conversation.zip", media_type="application/zip")

    def _fetching(self, what: str, done: int, total: int) -> None:
        for session in self._sessions:
            session.fetching(what, done, total)

    def _changed(self) -> None:
        for session in self._sessions:
            session.engines_changed()

    def _idle(self) -> None:
        for session in self._sessions:
            session.idle()


def _clips() -> list[dict[str, str]]:
    """Our example clips; the page names each by the label ``clip_<id>``."""
    listed = json.loads((ROOT / "assets" / "clips" / "clips.json").read_text("utf-8"))
    return [{"id": Path(clip["file"]).stem, "file": clip["file"]} for clip in listed]
