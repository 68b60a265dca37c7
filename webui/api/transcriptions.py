"""``/v1/audio/transcriptions`` and ``/v1/models``: OpenAI's transcription API over the recognizer of this program.

A client written for OpenAI's API needs only another address. ``verbose_json`` keeps everything that was heard beyond
words, segment by segment; ``docs/transcriptions.md`` lists the fields. ``prompt`` and ``temperature`` have no effect:
no recognizer here takes them.
"""

from __future__ import annotations

import asyncio
import logging
import math
import shutil
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from webui.api.requests import RequestError, file_of, form_of, guarded
from webui.api.wire import segment_json
from webui.audio.subtitles import to_srt, to_vtt
from webui.engines.registry import Engines
from webui.errors import AudioError, Cancelled, EngineError, UserError
from webui.features.render import plain, rich, tagged
from webui.features.understand import Done, Options, Problem, understand
from webui.types import Segment, Transcript

log = logging.getLogger(__name__)

MAX_BYTES = 512 * 1024 * 1024  # of one request; its sound may be 12 hours long, as everywhere
MAX_REQUESTS = 16  # at once, those included that wait for a worker
WORKERS = 2
FORMATS = ("json", "text", "srt", "vtt", "verbose_json")
ALIAS = "whisper-1"  # the model that OpenAI's clients name: here, whatever hears
_YES, _NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off", "")
_WRONGLY_ASKED = ("language_unknown", "cantonese_unknown")


@dataclass(frozen=True)
class _Asked:
    """What a request wants, besides its sound."""

    form: str
    options: Options


@dataclass(frozen=True)
class _Heard:
    transcript: Transcript
    speed: float
    problems: tuple[str, ...]


class Transcriptions:
    """The two routes over one set of engines."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._requests = 0
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="transcription")

    def routes(self) -> list[BaseRoute]:
        """To stand beside the others."""
        return [
            Route("/v1/audio/transcriptions", guarded(self._answer, _refusal), methods=["POST"]),
            Route("/v1/models", guarded(self._models, _refusal)),
        ]

    async def _models(self, _: Request) -> Response:
        info = await asyncio.to_thread(lambda: self._engines.get("recognizer").info)  # it may have to be built
        about = {
            "title": info.name,
            "languages": list(info.languages),
            "capabilities": dict(info.capabilities),
            "licence": info.licence,
            "max_bytes": MAX_BYTES,
        }
        names = (self._name(), ALIAS)
        models = [{"id": n, "object": "model", "created": 0, "owned_by": "funaudio", "funaudio": about} for n in names]
        return JSONResponse({"object": "list", "data": models})

    async def _answer(self, request: Request) -> Response:
        if self._requests >= MAX_REQUESTS:
            raise RequestError(
                "transcriptions_busy", "The server already listens to as much as it can: try again later.", status=429
            )
        self._requests += 1
        try:
            form = await form_of(request, MAX_BYTES)
            try:
                heard, asked = await self._hear(request, form)
            finally:
                await form.close()
        finally:
            self._requests -= 1
        return _response(heard, asked)

    async def _hear(self, request: Request, form: FormData) -> tuple[_Heard, _Asked]:
        """Understand the file in a thread, for as long as the client waits for it."""
        asked = _asked(form, self._name())
        upload = file_of(form)
        gone = threading.Event()
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._workers, self._understand, upload.file, asked.options, gone)
        leaving = asyncio.ensure_future(_left(request))
        try:
            await asyncio.wait((work, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                log.info("a client went before its transcription was done")
        finally:
            gone.set()
            leaving.cancel()
        try:
            return await work, asked
        except Cancelled as error:
            raise ClientDisconnect from error

    def _understand(self, upload: BinaryIO, options: Options, gone: threading.Event) -> _Heard:
        problems = []
        # Readers want a path. Where the work is cancelled its thread may hold the file a moment longer.
        with tempfile.TemporaryDirectory(prefix="funaudio-", ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "recording"
            with path.open("wb") as file:
                shutil.copyfileobj(upload, file)
            with closing(understand(self._engines.recognizer, path, options)) as updates:
                for update in updates:
                    if gone.is_set():
                        break
                    if isinstance(update, Problem):
                        problems.append(update.error.message)
                    elif isinstance(update, Done):
                        return _Heard(update.transcript, update.speed, tuple(problems))
        raise Cancelled

    def _name(self) -> str:
        return next((c.name for c in self._engines.choices if c.job == "recognizer"), ALIAS)


async def _left(request: Request) -> None:
    """Return when the client has closed the connection; the whole body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        continue


def _asked(form: FormData, model: str) -> _Asked:
    def text(name: str, default: str = "") -> str:
        value = form.get(name, default)
        if not isinstance(value, str):
            raise RequestError("field_not_text", f"The form's field {name} must be text.", name, name=name)
        return value.strip() or default

    def flag(name: str, default: str) -> bool:
        value = text(name, default).lower()
        if value not in _YES + _NO:
            raise RequestError("field_not_flag", f"The form's field {name} must be true or false.", name, name=name)
        return value in _YES

    if text("model", ALIAS) not in (model, ALIAS):
        raise RequestError(
            "recognizer_unknown",
            f"This server hears with {model}: ask for that, or for {ALIAS}.",
            "model",
            404,
            model=model,
            alias=ALIAS,
        )
    shape = text("response_format", "json")
    if shape not in FORMATS:
        choices = ", ".join(FORMATS)
        raise RequestError(
            "format_unknown", f"The field response_format must be one of {choices}.", "response_format", choices=choices
        )
    if flag("stream", "false"):
        raise RequestError("stream_unknown", "This server sends a transcript only when it is whole.", "stream")
    return _Asked(shape, Options(text("language", "auto"), flag("itn", "true")))


def _response(heard: _Heard, asked: _Asked) -> Response:
    transcript = heard.transcript
    if asked.form == "text":
        return PlainTextResponse(plain(transcript, "") + "\n")
    if asked.form == "srt":
        return PlainTextResponse(to_srt(transcript), media_type="application/x-subrip")
    if asked.form == "vtt":
        return PlainTextResponse(to_vtt(transcript), media_type="text/vtt")
    if asked.form == "json":
        return JSONResponse({"text": plain(transcript, "")})
    return JSONResponse(
        {
            "task": "transcribe",
            "language": transcript.language,
            "duration": round(transcript.duration, 3),
            "text": plain(transcript, ""),
            "segments": [_segment(i, s) for i, s in enumerate(transcript.segments)],
            "words": [{"word": w.text, "start": w.start, "end": w.end} for s in transcript.segments for w in s.words],
            "funaudio": {
                "plain": plain(transcript, ""),
                "rich": rich(transcript, ""),
                "tagged": tagged(transcript, asked.options.itn),
                "emotion": transcript.emotion,
                "events": [asdict(e) for e in transcript.events],
                "speed": round(heard.speed, 4),
                "problems": heard.problems,
            },
        }
    )


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    """A segment as OpenAI's clients read it, and all its tags."""
    sure = max(segment.confidence, 1e-6)
    return {"id": number, "avg_logprob": round(math.log(sure), 4), **segment_json(segment)}


def _refusal(error: UserError) -> Response:
    """The one sentence, in the shape of OpenAI's errors: 4xx where asking differently helps, 5xx where it does not."""
    param = None
    if isinstance(error, RequestError):
        status, param = error.status, error.param
    elif isinstance(error, AudioError):
        status, param = 400, "file"
    elif isinstance(error, EngineError) and error.key in _WRONGLY_ASKED:
        status, param = 400, "language"
    else:
        status = 503 if error.key != "internal" else 500
    kind = "invalid_request_error" if status < 500 else "server_error"
    detail = {"message": error.message, "type": kind, "param": param, "code": error.key}
    return JSONResponse({"error": detail}, status, {"Retry-After": "5"} if status == 429 else None)
