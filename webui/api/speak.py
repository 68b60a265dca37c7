"""``/v1/speak``: the speaking studio. ``docs/speak.md`` tells what goes over the wire."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from webui.api.requests import guarded
from webui.api.speak_choices import controls, styles, tokens
from webui.api.wire import voices_json
from webui.engines.registry import Engines
from webui.features.speak import MAX_CHARACTERS

FORMATS = ("wav", "mp3", "flac", "ogg", "srt", "vtt")
MAX_UPLOAD_BYTES = 64 * 1024 * 1024
MAX_CLIP_SECONDS = 30.0
MAX_TAKES = 48


class Speaking:
    """The routes over one set of engines."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def routes(self) -> list[BaseRoute]:
        """To stand beside the others."""
        return [Route("/v1/speak", guarded(self._tell))]

    async def _tell(self, _: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(self._describe))

    def _describe(self) -> dict[str, Any]:
        synthesizer = self._engines.get("synthesizer")
        info = synthesizer.info
        voices = [{**voice, "tags": [], "saved": False} for voice in voices_json(synthesizer)]  # type: ignore[arg-type]
        return {
            "engine": {"name": info.name, "licence": info.licence, "device": info.device},
            "voices": voices,
            "styles": styles(info.capabilities),
            "tokens": tokens(info),
            "controls": controls(info),
            "languages": list(info.languages),
            "formats": FORMATS,
            "limits": {
                "characters": MAX_CHARACTERS,
                "clip_seconds": MAX_CLIP_SECONDS,
                "upload_bytes": MAX_UPLOAD_BYTES,
                "takes": MAX_TAKES,
            },
            "consent": True,
        }
