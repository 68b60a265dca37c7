"""The words of the worker's protocol: requests, voices, speech and failures as frames, and back.

A field that is unknown or of the wrong kind is refused with ``FrameError``: both sides run the same program.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from webui.engines.protocols import EngineInfo, SpeechRequest
from webui.engines.worker.frames import Frame, FrameError
from webui.errors import AudioError, EngineError, ModelError, UserError
from webui.types import Audio, SpeechChunk, Style, Voice, Word

VERSION = 1
_ERRORS: dict[str, type[UserError]] = {kind.__name__: kind for kind in (AudioError, ModelError, EngineError)}
_REFUSED = (TypeError, ValueError, KeyError, AttributeError)


def proof(token: str, nonce: str) -> str:
    """Shows that ``token`` is known, without telling it: good for this ``nonce`` only."""
    return hmac.new(token.encode(), nonce.encode(), hashlib.sha256).hexdigest()


def info_frame(info: EngineInfo, voices: list[Voice]) -> Frame:
    """What an engine is, and its voices (without clips: those stay where they are)."""
    about = {**asdict(info), "capabilities": dict(info.capabilities)}
    return Frame({"info": about, "voices": [_voice(voice) for voice in voices]})


def read_info(frame: Frame) -> tuple[EngineInfo, list[Voice]]:
    """The other way of ``info_frame``."""
    try:
        about = dict(frame.header["info"])
        about["languages"] = tuple(str(code) for code in about["languages"])
        return EngineInfo(**about), [_read_voice(voice, None) for voice in frame.header["voices"]]
    except _REFUSED as error:
        raise FrameError("an engine is not described as it should be") from error


def speech_request_frame(request: SpeechRequest) -> Frame:
    """A ``SpeechRequest``, with the clip of a cloned voice."""
    header = {
        "do": "synthesize",
        "text": request.text,
        "voice": _voice(request.voice),
        "style": asdict(request.style),
        "speed": request.speed,
        "language": request.language,
        "seed": request.seed,
        "eager": request.eager,
    }
    return Frame(header, _clips(sample=request.voice.sample))


def read_speech_request(frame: Frame) -> SpeechRequest:
    """The other way of ``speech_request_frame``."""
    h = frame.header
    try:
        return SpeechRequest(
            text=_is(str, h["text"]),
            voice=_read_voice(h["voice"], frame.sounds.get("sample")),
            style=Style(**_typed(Style, h["style"])),
            speed=float(h["speed"]),
            language=_is(str, h["language"]),
            seed=None if h["seed"] is None else _is(int, h["seed"]),
            eager=_is(bool, h["eager"]),
        )
    except _REFUSED as error:
        raise FrameError("a request is not as it should be") from error


def conversion_frame(source: Audio, voice: Voice) -> Frame:
    """Speech to be said again in another voice."""
    return Frame({"do": "convert", "voice": _voice(voice)}, _clips(source=source, sample=voice.sample))


def read_conversion(frame: Frame) -> tuple[Audio, Voice]:
    """The other way of ``conversion_frame``."""
    try:
        return frame.sounds["source"], _read_voice(frame.header["voice"], frame.sounds.get("sample"))
    except _REFUSED as error:
        raise FrameError("a request is not as it should be") from error


def chunk_frame(chunk: SpeechChunk) -> Frame:
    """A piece of speech."""
    return Frame({"text": chunk.text, "words": [asdict(word) for word in chunk.words]}, {"speech": chunk.audio})


def read_chunk(frame: Frame) -> SpeechChunk:
    """The other way of ``chunk_frame``."""
    try:
        words = tuple(Word(**_typed(Word, word)) for word in frame.header["words"])
        return SpeechChunk(frame.sounds["speech"], _is(str, frame.header["text"]), words)
    except _REFUSED as error:
        raise FrameError("a piece of speech is not as it should be") from error


def error_frame(error: UserError) -> Frame:
    """A failure that a person can mend."""
    kind = next((name for name, kind in _ERRORS.items() if isinstance(error, kind)), "EngineError")
    values = {name: value if isinstance(value, int | float) else str(value) for name, value in error.values.items()}
    return Frame({"error": kind, "key": error.key, "message": error.message, "values": values})


def read_error(frame: Frame) -> UserError:
    """The other way of ``error_frame``."""
    h = frame.header
    try:
        return _ERRORS[h["error"]](_is(str, h["key"]), _is(str, h["message"]), **h["values"])
    except _REFUSED as error:
        raise FrameError("a failure is not told as it should be") from error


def _voice(voice: Voice) -> dict[str, Any]:
    about = {item.name: getattr(voice, item.name) for item in fields(Voice) if item.name != "sample"}
    return {**about, "languages": list(voice.languages)}


def _read_voice(about: Mapping[str, Any], sample: Audio | None) -> Voice:
    given = dict(about)
    languages = tuple(_is(str, code) for code in given.pop("languages"))
    blend = tuple((_is(str, name), float(share)) for name, share in given.pop("blend"))
    return Voice(languages=languages, sample=sample, blend=blend, **given)


def _clips(**sounds: Audio | None) -> dict[str, Audio]:
    return {name: sound for name, sound in sounds.items() if sound is not None}


def _typed(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a dataclass of strings and numbers: annotations are strings, so their names tell."""
    wanted = {item.name: item.type for item in fields(kind)}
    return {name: float(value) if wanted[name] == "float" else _is(str, value) for name, value in values.items()}


def _is(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
