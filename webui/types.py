"""The words that rooms speak to each other in. Pure data: no model, no I/O, nothing heavier than numpy."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Audio:
    """Mono sound: ``samples`` is float32 of shape (n,), in [-1, 1]; ``rate`` is in Hz."""

    samples: Samples
    rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.dtype != np.float32:
            raise ValueError(f"Audio wants float32 (n,), got {self.samples.dtype} {self.samples.shape}")
        if self.rate <= 0:
            raise ValueError(f"Audio wants a positive rate, got {self.rate}")

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate

    def cut(self, start: float, end: float) -> Audio:
        """The part from ``start`` to ``end`` seconds (a view, not a copy)."""
        return Audio(self.samples[max(0, round(start * self.rate)) : round(end * self.rate)], self.rate)


class Emotion(str, Enum):
    """SenseVoice's emotions, by their tag names."""

    HAPPY = "HAPPY"
    SAD = "SAD"
    ANGRY = "ANGRY"
    NEUTRAL = "NEUTRAL"
    FEARFUL = "FEARFUL"
    DISGUSTED = "DISGUSTED"
    SURPRISED = "SURPRISED"
    OTHER = "OTHER"
    EMO_UNKNOWN = "EMO_UNKNOWN"


class Event(str, Enum):
    """SenseVoice's sound events, by their tag names."""

    SPEECH = "Speech"
    BGM = "BGM"
    LAUGHTER = "Laughter"
    APPLAUSE = "Applause"
    CRY = "Cry"
    SNEEZE = "Sneeze"
    BREATH = "Breath"
    COUGH = "Cough"
    SING = "Sing"
    SPEECH_NOISE = "Speech_Noise"
    EVENT_UNK = "Event_UNK"
    GBG = "GBG"


@dataclass(frozen=True)
class Word:
    """One spoken word (or Chinese character) with its time in seconds and confidence in [0, 1]."""

    text: str
    start: float
    end: float
    confidence: float = 1.0


@dataclass(frozen=True)
class EventSpan:
    """A sound event from ``start`` to ``end`` seconds, confidence in [0, 1]."""

    event: Event
    start: float
    end: float
    confidence: float = 1.0


@dataclass(frozen=True)
class VoiceBaseline:
    """How one speaker usually sounds: running mean of per-utterance voice features over a conversation.

    Emotion is heard against it: a naturally high voice is not excited. Frozen, so that a session owns its own.
    """

    count: int = 0
    mean: tuple[float, ...] = ()

    def including(self, voice: tuple[float, ...]) -> VoiceBaseline:
        """The baseline after one more utterance (``voice`` as in ``Segment.voice``)."""
        if not voice:
            return self
        n = self.count + 1
        old = self.mean or (0.0,) * len(voice)
        return VoiceBaseline(n, tuple(m + (v - m) / n for m, v in zip(old, voice, strict=True)))


@dataclass(frozen=True)
class Segment:
    """One stretch of a recording, times in seconds from its start.

    ``language`` is a code (``zh en yue ja ko`` and whatever the engine knows, or ``nospeech``).
    ``emotion_confidence`` and ``confidence`` (of the words) are in [0, 1], and just 1 from an engine that has no
    scores; ``arousal`` is 0 (calm) to 1 (energetic), None where the engine cannot tell. ``voice`` is what
    ``VoiceBaseline.including`` takes.
    """

    start: float
    end: float
    text: str = ""
    language: str = "nospeech"
    emotion: Emotion = Emotion.EMO_UNKNOWN
    emotion_confidence: float = 0.0
    arousal: float | None = None
    events: tuple[EventSpan, ...] = ()
    speaker: str | None = None
    words: tuple[Word, ...] = ()
    confidence: float = 0.0
    voice: tuple[float, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Transcript:
    """What was heard in one recording of ``duration`` seconds."""

    segments: tuple[Segment, ...]
    duration: float

    @property
    def text(self) -> str:
        """All words, segments joined as their languages are written (no spaces in zh, ja, yue)."""
        out = ""
        for segment in self.segments:
            if text := segment.text.strip():
                glue = "" if segment.language in ("zh", "ja", "yue") or not out else " "
                out += glue + text
        return out

    @property
    def language(self) -> str:
        """The language most time was spent in, ``nospeech`` where nothing was said."""
        time: dict[str, float] = {}
        for segment in self.segments:
            if segment.text.strip():
                time[segment.language] = time.get(segment.language, 0.0) + segment.end - segment.start
        return max(time, key=lambda code: time[code]) if time else "nospeech"

    @property
    def emotion(self) -> Emotion:
        """The emotion with the most confident time behind it, EMO_UNKNOWN where none is known."""
        weight: dict[Emotion, float] = {}
        for s in self.segments:
            if s.emotion is not Emotion.EMO_UNKNOWN:
                weight[s.emotion] = weight.get(s.emotion, 0.0) + (s.end - s.start) * s.emotion_confidence
        return max(weight, key=lambda e: weight[e]) if weight else Emotion.EMO_UNKNOWN

    @property
    def events(self) -> tuple[EventSpan, ...]:
        """Every event of every segment, in order of time; one that segments have cut in pieces is whole again."""
        whole: list[EventSpan] = []
        for e in sorted((e for s in self.segments for e in s.events), key=lambda e: (e.event.value, e.start)):
            last = whole[-1] if whole else None
            if last and last.event is e.event and e.start - last.end < 0.05:
                whole[-1] = EventSpan(e.event, last.start, max(last.end, e.end), max(last.confidence, e.confidence))
            else:
                whole.append(e)
        return tuple(sorted(whole, key=lambda e: (e.start, e.end)))


@dataclass(frozen=True)
class Voice:
    """A timbre: whose voice it sounds like.

    ``id`` is unique within its engine. ``languages``: what it speaks, its own first. ``kind`` is ``preset``,
    ``blend`` or ``cloned``. ``prosody`` names another voice of the same engine whose melody it borrows. A blend is made
    of presets of its engine: ids with their shares, which add up to 1. A cloned voice brings its ``sample``, a clip of
    the speaker, and the words said in it.
    """

    id: str
    name: str
    languages: tuple[str, ...]
    gender: str = ""
    kind: str = "preset"
    licence: str = ""
    prosody: str | None = None
    sample: Audio | None = field(default=None, compare=False, repr=False)
    sample_text: str = ""
    blend: tuple[tuple[str, float], ...] = ()

    def with_prosody(self, other: str | None) -> Voice:
        """The same timbre with the melody of voice ``other``."""
        return replace(self, prosody=other)


STYLES = ("neutral", "happy", "sad", "angry", "calm", "excited", "whisper")


@dataclass(frozen=True)
class Style:
    """How something is said.

    ``name`` is one of ``STYLES``; ``strength`` 0 to 1 fades it in. ``rate``, ``pitch`` and ``energy`` are factors
    on top (1 changes nothing, 0.5 to 2). ``instruction`` is free text, for engines that take it.
    """

    name: str = "neutral"
    strength: float = 1.0
    rate: float = 1.0
    pitch: float = 1.0
    energy: float = 1.0
    instruction: str = ""


@dataclass(frozen=True, eq=False)
class SpeechChunk:
    """A piece of synthesised speech: its sound, the text it says, and each word's time from the piece's start."""

    audio: Audio
    text: str
    words: tuple[Word, ...] = ()
