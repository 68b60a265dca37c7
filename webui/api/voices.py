"""``/v1/voices``: the voices that somebody saved, and only theirs."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import replace
from typing import Annotated, Any, Protocol, TypeVar, cast
from urllib.parse import quote

from pydantic import BaseModel, Field, FiniteFloat, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from webui.api.origin import at_home
from webui.api.requests import RequestError, file_of, form_of, guarded, json_of
from webui.api.speak_choices import able
from webui.api.wire import saved_json
from webui.config import Settings
from webui.engines.protocols import EngineInfo, Synthesizer
from webui.engines.registry import Engines
from webui.errors import EngineError
from webui.features.chosen_voice import blended
from webui.types import Audio, Voice
from webui.voices.library import VoiceLibrary
from webui.voices.saved import MAX_BLEND, Consent, SavedVoice, VoiceError, check_blend, checked_name, checked_tags, made
from webui.voices.voicefile import MAX_BYTES, SUFFIX

MAX_JSON_BYTES = 64 * 1024
MAX_FORM_BYTES = MAX_BYTES + 64 * 1024  # a voice's file, and the form around it
OWNER = "x-funaudio-owner"
_SECRET = re.compile("[A-Za-z0-9_-]{32,64}")


class ClipSource(Protocol):
    """Where clips wait for the voice that is made of them."""

    def consented(self, clip_id: str) -> tuple[Audio, str, str, Consent | None]:
        """A clip, the words said in it, their language, and the consent if it was given. Raises ``UserError``."""
        ...


class _New(BaseModel):
    name: str
    tags: list[str] = []
    clip: str | None = None
    blend: Annotated[list[tuple[str, FiniteFloat]], Field(max_length=MAX_BLEND)] | None = None
    prosody: str | None = None
    similarity: Annotated[FiniteFloat, Field(ge=-1, le=1)] | None = None


class _Change(BaseModel):
    name: str | None = None
    tags: list[str] | None = None


_Body = TypeVar("_Body", _New, _Change)


class VoiceRoutes:
    """The routes over one set of engines; new cloned voices come from ``clips``."""

    def __init__(self, engines: Engines, clips: ClipSource) -> None:
        self._engines = engines
        self._clips = clips

    def routes(self) -> list[BaseRoute]:
        """To stand beside the others."""
        return [
            Route("/v1/voices", guarded(self._list)),
            Route("/v1/voices", guarded(self._save), methods=["POST"]),
            Route("/v1/voices/import", guarded(self._import), methods=["POST"]),
            Route("/v1/voices/{id}", guarded(self._change), methods=["PATCH"]),
            Route("/v1/voices/{id}", guarded(self._delete), methods=["DELETE"]),
            Route("/v1/voices/{id}/export", guarded(self._export)),
        ]

    async def _list(self, request: Request) -> Response:
        voices = await asyncio.to_thread(self._library(request).list)
        return JSONResponse({"voices": [saved_json(saved) for saved in voices]})

    async def _save(self, request: Request) -> Response:
        library, asked = self._library(request), _told(_New, await json_of(request, MAX_JSON_BYTES))
        return JSONResponse(saved_json(await asyncio.to_thread(self._make, library, asked)), 201)

    def _make(self, library: VoiceLibrary, asked: _New) -> SavedVoice:
        synthesizer = cast(Synthesizer, self._engines.get("synthesizer"))
        engine = next(choice.name for choice in self._engines.choices if choice.job == "synthesizer")
        consent = None
        if asked.clip is not None and asked.blend is None:
            clip, words, language, consent = self._clips.consented(asked.clip)
            voice = _cloned(clip, words, language, synthesizer.info)
        elif asked.blend and asked.clip is None:
            voice = _blended(asked.blend, synthesizer)
        else:
            raise RequestError("voice_made_of", "A new voice is made of a clip or of a blend: give one of them.")
        if asked.prosody is not None:
            _require("prosody", synthesizer.info)
            voice = voice.with_prosody(_preset(asked.prosody, synthesizer))
        saved = made(replace(voice, name=asked.name), asked.tags, engine, consent, asked.similarity)
        library.save(saved)
        return saved

    async def _import(self, request: Request) -> Response:
        library = self._library(request)
        form = await form_of(request, MAX_FORM_BYTES)
        try:
            data = await file_of(form).read()
        finally:
            await form.close()
        return JSONResponse(saved_json(await asyncio.to_thread(library.import_, data)), 201)

    async def _change(self, request: Request) -> Response:
        library, asked = self._library(request), _told(_Change, await json_of(request, MAX_JSON_BYTES))
        return JSONResponse(saved_json(await asyncio.to_thread(_changed, library, request.path_params["id"], asked)))

    async def _delete(self, request: Request) -> Response:
        await asyncio.to_thread(self._library(request).delete, request.path_params["id"])
        return Response(status_code=204)

    async def _export(self, request: Request) -> Response:
        library, voice_id = self._library(request), request.path_params["id"]
        data, name = await asyncio.to_thread(lambda: (library.export(voice_id), library.get(voice_id).name))
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name + SUFFIX, safe='')}"}
        return Response(data, media_type="application/octet-stream", headers=headers)

    def _library(self, request: Request) -> VoiceLibrary:
        return library_of(self._engines.settings, request)


def library_of(settings: Settings, request: Request) -> VoiceLibrary:
    """The library of who asks: at the machine itself the one of this machine, elsewhere the browser's own.

    A browser's secret is in the header ``X-FunAudio-Owner``; its folder is named by the secret's sha256, so that who
    can read the folder's name cannot pass for its owner. Raises ``RequestError`` without a header that is needed.
    """
    if at_home(settings, request):
        return VoiceLibrary(settings.voices_dir / "home", settings.consent)
    secret = request.headers.get(OWNER, "")
    if not _SECRET.fullmatch(secret):
        raise RequestError("owner_missing", "The page did not say whose voices these are: reload it.", OWNER)
    folder = hashlib.sha256(secret.encode()).hexdigest()
    return VoiceLibrary(settings.voices_dir / folder, settings.consent)


def _cloned(clip: Audio, words: str, language: str, info: EngineInfo) -> Voice:
    _require("clone", info)
    languages = tuple(dict.fromkeys((language, *info.languages)))
    return Voice("", "", languages, kind="cloned", sample=clip, sample_text=words)


def _blended(shares: list[tuple[str, float]], synthesizer: Synthesizer) -> Voice:
    _require("blend", synthesizer.info)
    check_blend(shares)
    for preset, _ in shares:
        _preset(preset, synthesizer)
    return blended(shares, synthesizer)


def _preset(voice_id: str, synthesizer: Synthesizer) -> str:
    if all(voice.id != voice_id for voice in synthesizer.voices()):
        raise VoiceError("voice_missing", "That voice is not there: choose another one.")
    return voice_id


def _require(capability: str, info: EngineInfo) -> None:
    why = able(info, capability)
    if why is not True:
        raise EngineError(f"cannot_synthesizer_{capability}", str(why))


def _changed(library: VoiceLibrary, voice_id: str, asked: _Change) -> SavedVoice:
    name = checked_name(asked.name) if asked.name is not None else None
    tags = checked_tags(asked.tags) if asked.tags is not None else None  # both are right before one is taken
    saved = library.rename(voice_id, name) if name is not None else None
    if tags is not None:
        saved = library.tag(voice_id, tags)
    return saved or library.get(voice_id)


def _told(form: type[_Body], told: dict[str, Any]) -> _Body:
    try:
        return form.model_validate(told)
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])[:40]
        raise RequestError(
            "speak_field", f"The field {field} is missing, unknown or out of range.", field, field=field
        ) from error
