"""What the tests of speech servers share: servers of each kind, a synthesizer at their address, and its sound."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from tests.speech_server import SpeechServer, as_json, noise
from webui.audio.convert import to_pcm16, to_wav_bytes
from webui.config import Settings
from webui.engines.protocols import SpeechRequest
from webui.engines.speech_remote import RemoteSynthesizer
from webui.engines.store import ModelStore
from webui.errors import EngineError
from webui.types import Audio, Voice

SOUND = noise(12_345)
CLIP = Audio(np.sin(np.arange(16_000) / 9).astype(np.float32) * 0.3, 16_000)
CLONED = Voice("mine", "Mine", ("en",), kind="cloned", sample=CLIP, sample_text="These are my words.")
COSY_ROUTES = ("sft", "zero_shot", "cross_lingual", "instruct", "instruct2")
SPEECH = "/v1/audio/speech"


def remote(server: SpeechServer, model: str = "", path: str = "") -> RemoteSynthesizer:
    settings = Settings(synthesizer_url=server.url + path, synthesizer_model=model, synthesizer_key=SecretStr("sk-1"))
    return RemoteSynthesizer(ModelStore(settings.models_dir), settings)


def heard(engine: RemoteSynthesizer, text: str = "Hello there.", voice: Voice | None = None, **more: Any) -> Audio:
    with closing(engine):
        chunks = list(engine.synthesize(SpeechRequest(text, voice or engine.voices()[0], **more)))
    return Audio(np.concatenate([c.audio.samples for c in chunks]), chunks[0].audio.rate)


def same(audio: Audio, sound: np.ndarray[Any, Any]) -> bool:
    return bool(np.array_equal(to_pcm16(audio.samples), sound))


def cosyvoice(reply: Any) -> dict[str, Any]:
    paths = {f"/inference_{name}": {"get": {}, "post": {}} for name in COSY_ROUTES}
    return {"/openapi.json": as_json({"paths": paths}), **dict.fromkeys(paths, reply)}


def openai(reply: Any, *voices: str, owner: str = "somebody", fields: str = "") -> dict[str, Any]:
    """A server of OpenAI's protocol; with ``fields`` it describes what it takes."""
    routes = {SPEECH: reply, "/v1/models": as_json({"data": [{"id": "tts-model", "owned_by": owner}]})}
    if voices:
        routes["/v1/audio/voices"] = as_json({"voices": list(voices)})
    if fields:
        schema = {"$ref": "#/components/schemas/Speech"}
        post = {"requestBody": {"content": {"application/json": {"schema": schema}}}}
        described = {"properties": {name: {} for name in fields.split()}}
        routes["/openapi.json"] = as_json(
            {"paths": {SPEECH: {"post": post}}, "components": {"schemas": {"Speech": described}}}
        )
    return routes


def error_of(engine: RemoteSynthesizer, voice: Voice | None = None, text: str = "Hello there.") -> EngineError:
    with pytest.raises(EngineError) as caught:
        heard(engine, text, voice)
    assert "sk-1" not in caught.value.message
    return caught.value


def wav(sound: np.ndarray[Any, Any], rate: int, size: int | None = None) -> bytes:
    """As a server writes it that does not know the length yet, or says ``size``."""
    file = bytearray(to_wav_bytes(Audio((sound / 32768).astype(np.float32), rate)))
    file[40:44] = (0xFFFFFFFF if size is None else size).to_bytes(4, "little")
    return bytes(file)
