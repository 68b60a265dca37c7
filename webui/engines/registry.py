"""Which engine does which job, and why. Adapters are named by import string and built on first use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, cast

from webui.config import Settings
from webui.engines.protocols import ChatModel, Engine, Recognizer, Synthesizer
from webui.engines.store import ModelStore

JOBS = ("recognizer", "chat", "synthesizer")

# job -> name -> import string of a class that takes (store, settings).
BUILT_IN = {
    "recognizer": {
        "whisper": "webui.engines.whisper:WhisperRecognizer",
        "sensevoice": "webui.engines.sensevoice_onnx:SherpaSenseVoice",
        "funasr": "webui.engines.sensevoice_funasr:FunAsrSenseVoice",
        "remote": "webui.engines.recognizer_remote:RemoteRecognizer",
    },
    "chat": {
        "llama": "webui.engines.llama:LlamaChat",
        "transformers": "webui.engines.transformers_chat:TransformersChat",
        "openai": "webui.engines.openai_chat:RemoteChat",
    },
    "synthesizer": {
        "kokoro": "webui.engines.kokoro:KokoroSynthesizer",
        "cosyvoice": "webui.engines.cosyvoice:CosyVoiceSynthesizer",
        "remote": "webui.engines.speech_remote:RemoteSynthesizer",
    },
}
# Packages add engines of their own as entry points "<job>.<name>" of this group.
ENTRY_POINT_GROUP = "funaudio_webui.engines"

PROFILES = {"embedded": {"recognizer": "whisper", "chat": "llama", "synthesizer": "kokoro"}}


@dataclass(frozen=True)
class Choice:
    """The engine taken for a job, and the key of the sentence that says why."""

    job: str
    name: str
    why: str


def available() -> dict[str, dict[str, str]]:
    """Every engine that can be named, third-party ones included: job -> name -> import string."""
    found = {job: dict(engines) for job, engines in BUILT_IN.items()}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        job, _, name = point.name.partition(".")
        if job in found and name:
            found[job][name] = point.value
    return found


def choose(settings: Settings) -> tuple[Choice, ...]:
    """The engines for the profile in ``settings``."""
    why = "why_asked" if settings.profile == "embedded" else "why_embedded"
    return tuple(Choice(job, PROFILES["embedded"][job], why) for job in JOBS)


class Engines:
    """The engines of this process: one instance each, shared by all sessions, built on first use."""

    def __init__(self, settings: Settings, store: ModelStore) -> None:
        self.choices = choose(settings)
        self._settings = settings
        self.store = store
        self._lock = threading.Lock()
        self._built: dict[str, Engine] = {}

    @property
    def recognizer(self) -> Recognizer:
        """Speech in, transcript out."""
        return cast(Recognizer, self._get("recognizer"))

    @property
    def chat(self) -> ChatModel:
        """Messages in, text out."""
        return cast(ChatModel, self._get("chat"))

    @property
    def synthesizer(self) -> Synthesizer:
        """Text in, speech out."""
        return cast(Synthesizer, self._get("synthesizer"))

    def get(self, job: str) -> Engine:
        """The engine for ``job``, one of ``JOBS``."""
        return self._get(job)

    def load(self, begun: Callable[[str], object] = lambda _: None) -> None:
        """Load every engine now; ``begun`` is told each job's name before it is loaded."""
        for job in JOBS:
            begun(job)
            self._get(job).load()

    def close(self) -> None:
        """Free every engine that was built."""
        with self._lock:
            for engine in self._built.values():
                engine.close()

    def _get(self, job: str) -> Engine:
        with self._lock:
            if job not in self._built:
                name = next(choice.name for choice in self.choices if choice.job == job)
                module, _, attribute = available()[job][name].partition(":")
                build: Any = getattr(import_module(module), attribute)
                self._built[job] = build(self.store, self._settings)
            return self._built[job]
