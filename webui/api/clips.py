"""``/v1/speak/clips``: clips to make a voice from, the consent of whose voice it is, and the nearest blend."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from threading import Semaphore
from typing import Any, BinaryIO, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from webui.api.ndjson import Line, ndjson
from webui.api.requests import RequestError, file_of, form_of, guarded, json_of
from webui.audio.convert import require_sound, to_wav_bytes
from webui.audio.decode import decode
from webui.conversation.scope import TurnScope
from webui.engines.registry import Engines
from webui.errors import UserError
from webui.features.clips import Clip, Clips, on_disk
from webui.features.cloning import hear_consent, prepare
from webui.features.matching import Matched, match
from webui.types import Audio
from webui.voices.consent import fresh_sentence
from webui.voices.saved import Consent

RATE = 24_000  # Hz, of every clip
MAX_UPLOAD_BYTES = 64 * 1024 * 1024
MAX_CLIP_SECONDS = 300.0  # of a recording; the best 15 seconds of it are kept
MAX_CONSENT_SECONDS = 60.0
MAX_BODY_BYTES = 64 * 1024  # of JSON: a transcript, each character escaped
WORKERS = 2  # recordings that are listened to at once
MAX_WAITING = 16  # with those that wait for it
MATCHES = 2  # searches at once: each takes a core for half a minute

T = TypeVar("T")


class ClipRoutes:
    """The routes over one set of engines."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._clips = Clips()
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="clips")
        self._waiting = 0
        self._matches = Semaphore(MATCHES)

    def routes(self) -> list[BaseRoute]:
        """To stand beside the others."""
        clip = "/v1/speak/clips/{id}"
        return [
            Route("/v1/speak/clips", guarded(self._add), methods=["POST"]),
            Route(f"{clip}.wav", guarded(self._sound)),
            Route(f"{clip}/consent", guarded(self._ask), methods=["POST"]),
            Route(f"{clip}/consent", guarded(self._judge), methods=["PUT"]),
            Route(f"{clip}/match", guarded(self._match)),
            Route(clip, guarded(self._correct), methods=["PATCH"]),
            Route(clip, guarded(self._delete), methods=["DELETE"]),
        ]

    def consented(self, clip_id: str) -> tuple[Audio, str, str, Consent | None]:
        """A clip to make a voice from: its sound, what is said in it, in which language, and the consent, if given.

        Raises ``UserError`` where it is deleted, or cannot be used.
        """
        clip = self._usable(clip_id)
        return clip.prepared.clip, clip.transcript, clip.prepared.language, clip.consent

    def _usable(self, clip_id: str) -> Clip:
        clip = self._clips.get(clip_id)
        if not clip.prepared.usable:
            raise UserError("clip_unusable", "No voice can be made from this clip: record another one.")
        return clip

    async def _add(self, request: Request) -> Response:
        clip = await self._heard(request, self._prepared)
        prepared = clip.prepared
        told = {
            "id": clip.id,
            "duration": round(prepared.duration, 3),
            "kept": [round(second, 3) for second in prepared.kept],
            "findings": [{"key": f.key, "level": f.level, "values": dict(f.values)} for f in prepared.findings],
            "transcript": clip.transcript,
            "language": prepared.language,
            "peaks": base64.b64encode(prepared.peaks.tobytes()).decode(),
        }
        return JSONResponse(told, 201)

    def _prepared(self, upload: BinaryIO) -> Clip:
        return self._clips.add(prepare(self._engines, _sound_of(upload, MAX_CLIP_SECONDS)))

    async def _sound(self, request: Request) -> Response:
        clip = self._clips.get(request.path_params["id"])
        return Response(await asyncio.to_thread(to_wav_bytes, clip.prepared.clip), media_type="audio/wav")

    async def _correct(self, request: Request) -> Response:
        clip = self._clips.get(request.path_params["id"])
        transcript = (await json_of(request, MAX_BODY_BYTES)).get("transcript")
        if not isinstance(transcript, str):
            raise RequestError("malformed_event", "That message is not of the form that is expected.", "transcript")
        clip.correct(transcript)
        return JSONResponse({"transcript": clip.transcript})

    async def _delete(self, request: Request) -> Response:
        self._clips.delete(request.path_params["id"])
        return Response(status_code=204)

    async def _ask(self, request: Request) -> Response:
        clip = self._usable(request.path_params["id"])
        clip.consent = None
        clip.asked = fresh_sentence(clip.prepared.language)
        sentence, language = clip.asked
        return JSONResponse({"sentence": sentence, "language": language})

    async def _judge(self, request: Request) -> Response:
        clip = self._usable(request.path_params["id"])
        return JSONResponse(await self._heard(request, partial(self._judged, clip)))

    def _judged(self, clip: Clip, upload: BinaryIO) -> dict[str, Any]:
        asked = clip.asked
        if asked is None:
            raise UserError("consent_unasked", "Ask for a sentence to be read first.")
        recording = _sound_of(upload, MAX_CONSENT_SECONDS)
        consent, verdict = hear_consent(self._engines, clip.prepared.clip, *asked, recording)
        # Another sentence may have been asked for in the meantime.
        if verdict.ok and clip.asked == asked:
            clip.consent = replace(consent, recording=on_disk(recording))
        told = {
            "ok": verdict.ok,
            "heard": consent.heard,
            "wrong": round(consent.word_error, 3),
            "similarity": round(consent.similarity, 3),
        }
        return told if verdict.ok else {**told, "key": verdict.key}

    async def _match(self, request: Request) -> Response:
        clip = self._usable(request.path_params["id"])
        if not self._matches.acquire(blocking=False):
            raise _busy()
        scope = TurnScope(0)
        scope.on_cancel(self._matches.release)
        return ndjson(partial(_lines, self._engines, clip), scope)

    async def _heard(self, request: Request, work: Callable[[BinaryIO], T]) -> T:
        """What ``work`` makes of the recording that was sent, in a worker."""
        if self._waiting >= MAX_WAITING:
            raise _busy()
        self._waiting += 1
        try:
            form = await form_of(request, MAX_UPLOAD_BYTES)
            try:
                upload = file_of(form).file
                return await asyncio.get_running_loop().run_in_executor(self._workers, work, upload)
            finally:
                await form.close()
        finally:
            self._waiting -= 1


def _sound_of(upload: BinaryIO, most: float) -> Audio:
    return require_sound(decode(upload.read(), RATE, most))


def _lines(engines: Engines, clip: Clip) -> Generator[Line, None, None]:
    with closing(match(engines, clip.prepared.clip, clip.prepared.language)) as steps:
        for step in steps:
            alike = round(step.similarity, 3)
            if isinstance(step, Matched):
                blend = [[name, round(share, 4)] for name, share in step.voice.blend]
                yield {"type": "matched", "blend": blend, "similarity": alike}
            else:
                yield {"type": "progress", "done": step.done, "of": step.of, "similarity": alike}


def _busy() -> RequestError:
    return RequestError(
        "clips_busy", "The server already listens to as many clips as it can: try again in a moment.", status=429
    )
