"""The embedded recognizer: Silero finds speech, Whisper hears its words and language, YAMNet the other sounds."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from webui.audio.stretches import blocks
from webui.audio.vad import Speech, SpeechDetector, find_speech
from webui.config import ROOT, Settings
from webui.engines.protocols import EngineInfo, RecognitionRequest
from webui.engines.store import ModelStore
from webui.engines.whisper_decoding import Decoded, Encoded, Whisper, weigh
from webui.engines.whisper_languages import BASE_LANGUAGES
from webui.engines.yamnet import EventTracker, YamNet
from webui.errors import AudioError, EngineError
from webui.text.written import respell, written
from webui.types import Audio, Event, EventSpan, Segment, VoiceBaseline, Word

if TYPE_CHECKING:
    from webui.engines.emotion import EmotionClassifier

RATE = 16_000
BASE = "whisper-base"
LONGEST_GAP = 30.0  # seconds without speech after which the events so far are told
DETECT_SECONDS = 6.0  # tell a language as well as all of it: 2 more fill the shortest window
EVENT_GAP = 1.0  # events closer than this share a segment

# What Whisper writes where nobody speaks (it learned from subtitles): believed only from a voice that is surely there.
_PHANTOMS = frozenset(
    "you|bye|thank you|thanks|thank you very much|thank you so much|thanks for watching|thank you for watching|"
    "please subscribe|谢谢|谢谢大家|谢谢观看|感谢观看|感谢收看|"
    "ご視聴ありがとうございました|시청해주셔서 감사합니다|vielen dank|merci".split("|")
)
_SUBTITLERS = ("amara.org", "请不吝点赞", "明镜与点点", "字幕by", "字幕由", "中文字幕", "subtitles by", "untertitel")
SURE_SPEECH = 0.5  # YAMNet's score for a voice that is surely there
LEAST_VOICE = 0.25  # product of Silero's and YAMNet's certainty: with less it is some other sound


@dataclass(frozen=True)
class _Models:
    """``feeling`` is the base model, whose encoder the emotion classifier was trained on; None where it is not here."""

    whisper: Whisper
    feeling: Whisper | None
    yamnet: YamNet
    emotion: EmotionClassifier


class WhisperRecognizer:
    """Whisper with YAMNet's events and our own emotion classifier. One instance serves all sessions."""

    model_id = BASE
    """The catalogue's name of the weights; other sizes are subclasses (``whisper_sizes.py``)."""
    languages: tuple[str, ...] = BASE_LANGUAGES

    def __init__(self, store: ModelStore, settings: Settings) -> None:
        self._store = store
        self._threads = settings.threads
        self._device = settings.device
        self._lock = threading.Lock()
        self._models: _Models | None = None

    @property
    def info(self) -> EngineInfo:
        """What it is, and whether its weights are in memory."""
        models = self._models
        title = self._store.entry(self.model_id).title
        cantonese: bool | str = (
            "yue" in self.languages or f"{title} does not know Cantonese apart from Mandarin: SenseVoice does."
        )
        feels: bool | str = (
            self._feels() or "Emotion is heard with Whisper base's encoder: python -m webui.models fetch whisper-base"
        )
        return EngineInfo(
            name=f"{title} + YAMNet",
            languages=self.languages,
            capabilities={
                "words": True,
                "events": True,
                "emotion": feels,
                "arousal": feels,
                "itn": True,
                "yue": cantonese,
                "speakers": "This engine does not tell speakers apart.",
            },
            device="GPU" if models and models.whisper.device == "cuda" else "CPU",
            licence="MIT (Whisper, Silero VAD), Apache-2.0 (YAMNet, emotion)",
            loaded=models is not None,
        )

    def load(self) -> None:
        """Bring the weights into memory; a second call does nothing. Raises ``ModelError``."""
        self._ready()

    def close(self) -> None:
        """Give the memory back once the requests that run now are done; the next request loads again."""
        with self._lock:
            self._models = None

    def _feels(self) -> bool:
        if self._models is not None:
            return self._models.feeling is not None
        return self.model_id == BASE or self._store.present(BASE)

    def _ready(self) -> _Models:
        with self._lock:
            if self._models is None:
                from webui.engines.emotion import EmotionClassifier

                folder = self._store.ensure(self.model_id)
                whisper = Whisper(folder, self._threads, self._device, short_windows=self.model_id == BASE)
                feeling: Whisper | None = whisper
                if self.model_id != BASE:
                    base_is_here = self._store.present(BASE)
                    feeling = Whisper(self._store.ensure(BASE), self._threads) if base_is_here else None
                models = _Models(
                    whisper,
                    feeling,
                    YamNet(self._store.ensure("yamnet")),
                    EmotionClassifier.load(ROOT / "models" / "emotion"),
                )
                _warm(models, self.languages)
                self._models = models
            return self._models

    def transcribe(self, request: RecognitionRequest) -> Iterator[Segment]:
        """Yield each segment as it is done, in order of time.

        A segment is a stretch of speech of at most 30 s, or a stretch without words in which events were heard
        (language ``nospeech``). Memory does not grow with the recording. Raises ``AudioError`` where the recording
        is empty, ``EngineError`` for a language that is not to be had.
        """
        models = self._ready()
        if request.language != "auto" and request.language not in models.whisper.languages:
            raise EngineError(
                "language_unknown",
                f"This recognizer does not know the language {request.language[:20]!r}: choose another or auto.",
                language=request.language[:20],
            )
        if request.language == "yue" and "yue" not in self.languages:
            raise EngineError("cantonese_unknown", "This recognizer does not know Cantonese: choose Chinese or auto.")
        yield from _Listening(models, request, self.languages).run()

    def detect(self, audio: Audio, among: Sequence[str]) -> dict[str, float]:
        """Probability of each language of ``among`` for what is spoken in ``audio``, at most 30 s of it at 16 kHz.

        They add up to 1; empty where nobody speaks. The longest stretch of speech is asked, its first seconds.
        """
        found = max(find_speech(audio), key=lambda speech: speech.audio.duration, default=None)
        if found is None:
            return {}
        models = self._ready()
        return models.whisper.detect(models.whisper.encode(found.audio.cut(0, DETECT_SECONDS).samples), among)


def _warm(models: _Models, languages: Sequence[str]) -> None:
    """Everything once, so that the first request is as quick as the next."""
    speech = np.zeros(RATE, np.float32)
    models.whisper.detect(models.whisper.encode(speech), languages)
    list(SpeechDetector().feed(speech))
    for text, language in (("一百二十", "zh"), ("twenty one", "en")):
        written(text, language)


class _Listening:
    """One request on its way through the models."""

    def __init__(self, models: _Models, request: RecognitionRequest, languages: Sequence[str]) -> None:
        self._m = models
        self._r = request
        self._languages = languages
        self._speech = SpeechDetector()
        self._events = EventTracker(models.yamnet)
        self._spoken: dict[str, float] = {}  # seconds per language so far
        self._told = 0.0  # seconds of the recording for which segments were yielded

    def run(self) -> Iterator[Segment]:
        """Feed the whole recording through, block by block."""
        waiting: deque[Speech] = deque()
        length = 0.0
        for block in blocks(self._r.audio):
            length += block.duration
            self._events.feed(block.samples)
            waiting.extend(self._speech.feed(block.samples))
            while waiting and waiting[0].end <= self._events.heard:
                yield from self._hear(waiting.popleft())
            quiet = min(self._events.heard, self._speech.settled)
            if not waiting and quiet - self._told > LONGEST_GAP:
                yield from self._gap(quiet)
        if not length:
            raise AudioError("empty", "The recording is empty: record again or choose another file.")
        self._events.finish()
        waiting.extend(self._speech.finish())
        for speech in waiting:
            yield from self._hear(speech)
        yield from self._gap(length)

    def _hear(self, speech: Speech) -> Iterator[Segment]:
        """The segments of one stretch of speech, after what was heard before it.

        Nearly always it is one; a change of language begins another. No words: it counts as no speech.
        """
        if speech.confidence * self._events.speech(speech.start, speech.end) < LEAST_VOICE:
            return
        encoded = self._m.whisper.encode(speech.audio.samples)
        if self._r.language == "auto":
            change = self._m.whisper.language_change(encoded, self._languages)
            if change is not None:
                first, second = speech.audio.cut(0, change), speech.audio.cut(change, speech.audio.duration)
                yield from self._hear(replace(speech, audio=first))
                yield from self._hear(replace(speech, audio=second, start=speech.start + change))
                return
        language = self._language(encoded)
        decoded, encoded = self._m.whisper.decode(encoded, language)
        if self._phantom(decoded, speech):
            return
        yield from self._gap(speech.start)
        self._spoken[language] = self._spoken.get(language, 0.0) + speech.audio.duration
        text = written(decoded.text, language, self._r.itn)
        words = self._m.whisper.align(encoded, decoded, language) if self._r.words else ()
        feeling = _feel(self._m, encoded, speech.audio, self._r.baseline)
        yield Segment(
            start=round(speech.start, 3),
            end=round(speech.end, 3),
            text=text,
            language=language,
            events=self._events.take(speech.start, speech.end),
            words=_later(respell(words, text, language), speech.start),
            confidence=decoded.confidence,
            **feeling,
        )
        self._tell(speech.end)

    def _language(self, encoded: Encoded) -> str:
        if self._r.language != "auto":
            return self._r.language
        chances = weigh(self._m.whisper.detect(encoded, self._languages), self._spoken)
        return max(chances, key=lambda code: chances[code])

    def _phantom(self, decoded: Decoded, speech: Speech) -> bool:
        """Whether these words are more likely Whisper's invention than somebody's."""
        plain = decoded.text.strip(" .,!?。，！？…-♪").lower()
        if not any(c.isalnum() for c in plain) or any(name in plain for name in _SUBTITLERS):
            return True
        voice = self._events.speech(speech.start, speech.end)
        if voice >= SURE_SPEECH and speech.confidence >= 0.7:
            return False
        return plain in _PHANTOMS or decoded.suspicious or voice < 0.3 or decoded.no_speech > 0.6

    def _gap(self, until: float) -> Iterator[Segment]:
        """Event-only segments for what was heard without words since the last segment."""
        heard = [e for e in self._events.take(self._told, until) if e.event is not Event.SPEECH]
        group: list[EventSpan] = []
        for event in heard:
            if group and event.start - max(e.end for e in group) > EVENT_GAP:
                yield _event_segment(group)
                group = []
            group.append(event)
        if group:
            yield _event_segment(group)
        self._tell(until)

    def _tell(self, until: float) -> None:
        self._told = max(self._told, until)
        self._events.forget(self._told)


def _event_segment(events: Sequence[EventSpan]) -> Segment:
    return Segment(events[0].start, max(e.end for e in events), events=tuple(events))


def _later(words: Iterable[Word], seconds: float) -> tuple[Word, ...]:
    return tuple(
        Word(w.text, round(w.start + seconds, 3), round(w.end + seconds, 3), round(w.confidence, 3)) for w in words
    )


def _feel(models: _Models, encoded: Encoded, audio: Audio, baseline: VoiceBaseline | None) -> dict[str, Any]:
    """What a segment says of how the voice sounds; nothing without the encoder that the classifier knows."""
    if models.feeling is None:
        return {}
    if models.feeling is not models.whisper:
        encoded = models.feeling.encode(encoded.samples)
    estimate = models.emotion.classify(encoded.features(), audio, baseline)
    return {
        "emotion": estimate.emotion,
        "emotion_confidence": estimate.confidence,
        "arousal": estimate.arousal,
        "voice": estimate.voice,
    }
