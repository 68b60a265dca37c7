"""Engines that play a script on a clock of their own: for tests of what happens between engines, not inside them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

from webui.config import Settings
from webui.engines.choosing import JOBS, Choice, Option, Sentence
from webui.engines.protocols import ChatRequest, EngineInfo, RecognitionRequest, SpeechRequest, ToolCall
from webui.errors import EngineError
from webui.types import Audio, Emotion, Segment, SpeechChunk, Voice, Word

RATE = 24000


def tone(seconds: float, rate: int = RATE) -> Audio:
    """A quiet 220 Hz tone."""
    time = np.arange(round(seconds * rate)) / rate
    return Audio((0.1 * np.sin(2 * np.pi * 220 * time)).astype(np.float32), rate)


def _info(name: str) -> EngineInfo:
    return EngineInfo(name, ("en", "zh"), {}, "CPU", "Apache-2.0", True)


class _Engine:
    @property
    def info(self) -> EngineInfo:
        return _info(type(self).__name__)

    def load(self) -> None:
        """Nothing to load."""

    def close(self) -> None:
        """Nothing to free."""


@dataclass
class ScriptedRecognizer(_Engine):
    segments: list[Segment] = field(
        default_factory=lambda: [Segment(0, 1, "Hello there.", "en", Emotion.SAD, 0.8, arousal=0.2, voice=(1.0,))]
    )
    requests: list[RecognitionRequest] = field(default_factory=list)

    def transcribe(self, request: RecognitionRequest) -> Iterator[Segment]:
        self.requests.append(request)
        yield from self.segments


class ScriptedAnswer:
    """Gives its pieces; before piece ``hold_at`` it waits until it is released or closed."""

    def __init__(self, pieces: list[str | ToolCall], hold_at: int | None) -> None:
        self._pieces, self._hold_at = pieces, hold_at
        self.released = threading.Event()
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[str | ToolCall]:
        for i, piece in enumerate(self._pieces):
            if i == self._hold_at:
                self.released.wait(10)
            if self.closed.is_set():
                return
            yield piece

    def close(self) -> None:
        self.closed.set()
        self.released.set()


@dataclass
class ScriptedChat(_Engine):
    pieces: list[str | ToolCall] = field(default_factory=lambda: ["<sad> I am", " sorry. ", "Tell me", " more."])
    hold_at: int | None = None
    fail: bool = False
    context_tokens: int = 4096
    requests: list[ChatRequest] = field(default_factory=list)
    answers: list[ScriptedAnswer] = field(default_factory=list)

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def chat(self, request: ChatRequest) -> ScriptedAnswer:
        if self.fail:
            raise EngineError("chat_unreachable", "The language model did not answer.")
        self.requests.append(request)
        self.answers.append(ScriptedAnswer(self.pieces, self.hold_at))
        return self.answers[-1]


@dataclass
class ScriptedSynthesizer(_Engine):
    fail: bool = False
    seconds: float = 0.2  # of every sentence
    requests: list[SpeechRequest] = field(default_factory=list)

    def voices(self) -> list[Voice]:
        return [Voice("one", "One", ("en", "zh")), Voice("two", "Two", ("zh", "en"))]

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        if self.fail:
            raise EngineError("language_unspoken", "This voice does not speak Korean.")
        self.requests.append(request)
        words = request.text.split()
        step = self.seconds / len(words)
        times = (Word(word, i * step, (i + 1) * step) for i, word in enumerate(words))
        yield SpeechChunk(tone(self.seconds), request.text, tuple(times))


@dataclass
class ScriptedEngines:
    """Stands where ``webui.engines.registry.Engines`` stands."""

    recognizer: ScriptedRecognizer = field(default_factory=ScriptedRecognizer)
    chat: ScriptedChat = field(default_factory=ScriptedChat)
    synthesizer: ScriptedSynthesizer = field(default_factory=ScriptedSynthesizer)
    choices: tuple[Choice, ...] = tuple(Choice(job, "scripted", Sentence("why_asked")) for job in JOBS)
    store: SimpleNamespace = field(default_factory=SimpleNamespace)
    turn_end: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(loaded=False))

    settings: Settings = field(default_factory=lambda: Settings(_env_file=None))  # type: ignore[call-arg]
    changed: Callable[[], None] = lambda: None

    def get(self, job: str) -> _Engine:
        engine = getattr(self, job)
        assert isinstance(engine, _Engine)
        return engine

    def options(self, job: str) -> tuple[Option, ...]:
        return (Option("scripted", None),)

    def load(self, begun: object = None) -> None:
        """Nothing to load."""
