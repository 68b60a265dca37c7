"""A recognizer that listens to every block it is given and tells of it at a pace of its own: for what happens around it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.scripted import _Engine, _info
from webui.engines.protocols import EngineInfo, RecognitionRequest
from webui.types import Audio, Emotion, Event, EventSpan, Segment, Word

SENTENCES = (
    ("I failed my exam today, and I studied for weeks.", "en", Emotion.SAD, Event.CRY),
    ("But then my sister called, and we laughed for an hour.", "en", Emotion.HAPPY, Event.LAUGHTER),
    ("今天晚上我们一起去吃火锅吧！", "zh", Emotion.HAPPY, None),
    ("<img src=x onerror=alert(1)> is what the sign said.", "en", Emotion.SURPRISED, Event.COUGH),
    ("Well, that is how it goes.", "en", Emotion.NEUTRAL, None),
    ("Nobody told me, nobody!", "en", Emotion.ANGRY, Event.BREATH),
    ("Somebody was at the door in the night.", "en", Emotion.FEARFUL, None),
    ("And who could tell.", "en", Emotion.EMO_UNKNOWN, Event.BGM),
)


@dataclass
class PacedRecognizer(_Engine):
    """One segment of ``SENTENCES`` for every block; each takes ``seconds_each`` to be heard. Loading is ``loads``."""

    seconds_each: float = 0.0
    fail_after: int | None = None
    requests: list[RecognitionRequest] = field(default_factory=list)
    heard: list[Audio] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    loads: Callable[[], object] = lambda: None

    @property
    def info(self) -> EngineInfo:
        return _info("Paced")

    def load(self) -> None:
        self.loads()

    def transcribe(self, request: RecognitionRequest) -> Iterator[Segment]:
        self.requests.append(request)
        position = 0.0
        ended = "stopped"
        try:
            for i, block in enumerate([request.audio] if isinstance(request.audio, Audio) else request.audio):
                if i == self.fail_after:
                    raise RuntimeError("the engine broke")
                self.heard.append(block)
                time.sleep(self.seconds_each)
                yield spoken(i, position, min(block.duration, 9.0))
                position += block.duration
            ended = "whole"
        finally:
            self.ended.append(ended)


def spoken(i: int, start: float, seconds: float) -> Segment:
    """The ``i``-th sentence, said from ``start`` on, its words evenly over ``seconds``."""
    text, language, emotion, event = SENTENCES[i % len(SENTENCES)]
    parts = list(text) if language == "zh" else text.split(" ")
    step = seconds / len(parts)
    words = tuple(Word(part, start + k * step, start + (k + 1) * step, 0.9) for k, part in enumerate(parts))
    events = (EventSpan(event, start + 1, start + 2.5, 0.8),) if event else ()
    return Segment(start, start + seconds, text, language, emotion, 0.8, 0.4, events, None, words, 0.4 + 0.07 * (i % 8))
