"""``/v1/speak``: the speaking studio. ``docs/speak.md`` tells what goes over the wire."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from threading import Lock, Semaphore
from typing import Any, BinaryIO

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from webui.api.clips import MAX_UPLOAD_BYTES
from webui.api.ndjson import Line, ndjson
from webui.api.requests import RequestError, file_of, form_of, guarded, json_of
from webui.api.speak_asked import asked
from webui.api.speak_choices import choices
from webui.api.voices import library_of
from webui.api.wire import pcm16_base64
from webui.audio.decode import decode
from webui.conversation.scope import TurnScope
from webui.conversation.scratch import scratch
from webui.engines.registry import Engines
from webui.features.chosen_voice import blended, chosen_voice
from webui.features.conversion import MAX_SECONDS, SOURCE_RATE, as_converter, convert, recording, stretches
from webui.features.speak import Checked, Note, Script, plan, speak
from webui.features.takefile import FORMATS, take_file
from webui.features.takes import Event, Take, Takes
from webui.text.marks import shown
from webui.voices.library import VoiceLibrary
from webui.voices.watermark import detect

MAX_BODY_BYTES = 512 * 1024  # of JSON: 20,000 characters, each escaped
MAX_READERS = 32  # answers that are being read at once; fewer than takes are kept
TITLE = 60  # characters of a text that become the title of its files
MEDIA = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
}


class Speaking:
    """The routes over one set of engines."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._takes = Takes()
        self._readers = Semaphore(MAX_READERS)
        self._heavy = Lock()  # a long take is large in memory: files are made one by one

    def routes(self) -> list[BaseRoute]:
        """To stand beside the others."""
        take = "/v1/speak/takes/{id}"
        return [
            Route("/v1/speak", guarded(self._tell)),
            Route("/v1/speak/takes", guarded(self._speak), methods=["POST"]),
            Route("/v1/speak/convert", guarded(self._convert), methods=["POST"]),
            Route("/v1/speak/detect", guarded(self._detect), methods=["POST"]),
            Route(f"{take}/events", guarded(self._events)),
            Route(f"{take}/file", guarded(self._file)),
            Route(f"{take}/close", guarded(self._close), methods=["POST"]),
            Route(take, guarded(self._close), methods=["DELETE"]),
        ]

    async def _tell(self, request: Request) -> Response:
        library = self._library(request)
        return JSONResponse(await asyncio.to_thread(choices, self._engines, library))

    async def _speak(self, request: Request) -> Response:
        told, library = await json_of(request, MAX_BODY_BYTES), self._library(request)
        return _made(await asyncio.to_thread(self._take, told, library))

    def _take(self, told: dict[str, Any], library: VoiceLibrary) -> Take:
        synthesizer = self._engines.synthesizer
        it = asked(told, synthesizer.info)
        if it.blend:
            voice = blended(it.blend, synthesizer)
        else:
            voice = chosen_voice(synthesizer, self._engine(), library, it.voice, it.language)
        voice = voice.with_prosody(it.prosody or voice.prosody)
        script = Script(it.text, voice, it.manner, it.speed, it.language, it.seed, it.proof)
        parts = plan(script)
        title = " ".join(shown(it.text).split())[:TITLE]
        return self._takes.add(title, synthesizer.info.name, voice, parts, partial(speak, self._engines, script, parts))

    async def _convert(self, request: Request) -> Response:
        library = self._library(request)
        form = await form_of(request, MAX_UPLOAD_BYTES)
        try:
            upload, voice_id = file_of(form), form.get("voice", "")
            if not isinstance(voice_id, str):
                raise RequestError("field_not_text", "The form's field voice must be text.", "voice", name="voice")
            return _made(await asyncio.to_thread(self._conversion, upload.file, voice_id, library))
        finally:
            await form.close()

    def _conversion(self, upload: BinaryIO, voice_id: str, library: VoiceLibrary) -> Take:
        synthesizer = self._engines.synthesizer
        as_converter(synthesizer)
        voice = chosen_voice(synthesizer, self._engine(), library, voice_id, "")
        with _on_disk(upload) as path:
            parts, sounds = stretches(recording(path))
        return self._takes.add(
            "", synthesizer.info.name, voice, parts, partial(convert, self._engines, voice, parts, sounds)
        )

    async def _events(self, request: Request) -> Response:
        take = self._takes.get(request.path_params["id"])
        start = _number(request.query_params.get("from", "0"))
        if not self._readers.acquire(blocking=False):
            raise RequestError(
                "speak_busy", "The server already speaks as much as it can: try again later.", status=429
            )
        scope = take.begin()
        scope.on_cancel(self._readers.release)
        return ndjson(partial(_lines, take, start, scope), scope)

    async def _file(self, request: Request) -> Response:
        take = self._takes.get(request.path_params["id"])
        form = request.query_params.get("format", "wav")
        if form not in FORMATS:
            known = ", ".join(FORMATS)
            raise RequestError("speak_format", f"A take is saved as one of {known}.", "format", choices=known)
        data = await asyncio.to_thread(self._rendered, take, form)
        headers = {"Content-Disposition": f'attachment; filename="speech.{form}"'}
        return Response(data, media_type=MEDIA[form], headers=headers)

    def _rendered(self, take: Take, form: str) -> bytes:
        with self._heavy:
            return take_file(take, form)

    async def _close(self, request: Request) -> Response:
        await asyncio.to_thread(self._takes.close, request.path_params["id"])
        return Response(status_code=204)

    async def _detect(self, request: Request) -> Response:
        form = await form_of(request, MAX_UPLOAD_BYTES)
        try:
            return JSONResponse(await asyncio.to_thread(self._detected, file_of(form).file))
        finally:
            await form.close()

    def _detected(self, upload: BinaryIO) -> dict[str, Any]:
        with self._heavy, _on_disk(upload) as path:
            found = detect(decode(path, SOURCE_RATE, MAX_SECONDS))
        return {"found": found.found, "score": round(found.score, 3)}

    def _engine(self) -> str:
        return next(choice.name for choice in self._engines.choices if choice.job == "synthesizer")

    def _library(self, request: Request) -> VoiceLibrary:
        return library_of(self._engines.settings, request)


def _lines(take: Take, start: int, scope: TurnScope) -> Generator[Line, None, None]:
    with closing(take.events(start, scope)) as events:
        for event in events:
            yield _line(take, event)
    yield {"type": "done", "duration": round(take.duration, 3)}


def _line(take: Take, event: Event) -> Line:
    if isinstance(event, Note):
        return {"type": "note", "key": event.key, "message": event.message, "values": event.values}
    if isinstance(event, Checked):
        told = {"part": event.part, "heard": event.heard, "wrong": round(event.wrong, 3), "tries": event.tries}
        return {"type": "checked", **told}
    return {
        "type": "said",
        "part": event.part,
        "of": len(take.parts),
        "paragraph": take.parts[event.part].paragraph,
        "start": round(event.start, 3),
        "text": event.text,
        "words": [[word.text, round(word.start, 3), round(word.end, 3)] for word in event.words],
        "rate": event.audio.rate,
        "pcm": pcm16_base64(event.audio),
        "last": event.last,
    }


def _made(take: Take) -> Response:
    return JSONResponse({"id": take.id, "parts": len(take.parts), "paragraphs": take.paragraphs}, 201)


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise RequestError("speak_field", "The field from is missing, unknown or out of range.", "from", field="from")
    return int(text)


@contextmanager
def _on_disk(upload: BinaryIO) -> Iterator[Path]:
    """The path of a file with what was sent: readers want one."""
    with tempfile.TemporaryDirectory(dir=scratch(), ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "recording"
        with path.open("wb") as file:
            shutil.copyfileobj(upload, file)
        yield path
