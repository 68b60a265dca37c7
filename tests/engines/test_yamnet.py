"""Sounds that are not words."""

from pathlib import Path

import numpy as np
import pytest

from tests.engines.spoken import EN, RATE, ZH, join, say, silence
from webui.audio.decode import decode
from webui.config import ROOT, Settings
from webui.engines.store import ModelStore
from webui.engines.yamnet import EventTracker, YamNet
from webui.types import Audio, Event, EventSpan

pytestmark = pytest.mark.engine
SOUNDS = ROOT.parent / "shared" / "audio" / "events"


@pytest.fixture(scope="module")
def model() -> YamNet:
    return YamNet(ModelStore(Settings().models_dir).ensure("yamnet"))


def heard(model: YamNet, audio: Audio, block: int = 160_000) -> tuple[EventSpan, ...]:
    tracker = EventTracker(model)
    for at in range(0, len(audio.samples), block):
        tracker.feed(audio.samples[at : at + block])
    tracker.finish()
    assert tracker.heard >= audio.duration
    return tracker.take(0, audio.duration)


def test_clean_speech_is_speech_and_nothing_else(model: YamNet) -> None:
    audio = join(silence(2), say(EN, "en"), silence(2), say(ZH, "zh"), silence(2))
    spans = heard(model, audio)
    assert {s.event for s in spans} == {Event.SPEECH}
    assert len(spans) == 2
    for span, (start, length) in zip(
        spans, [(2.0, len(say(EN, "en"))), (4.0 + len(say(EN, "en")) / RATE, len(say(ZH, "zh")))], strict=True
    ):
        assert span.start == pytest.approx(start, abs=0.5)
        assert span.end == pytest.approx(start + length / RATE, abs=0.75)


def test_a_chord_is_music_for_as_long_as_it_sounds(model: YamNet) -> None:
    time = np.arange(RATE * 6) / RATE
    beat = np.exp(-3 * (time % 0.5))
    chord = sum(np.sin(2 * np.pi * f * time) for f in (261.6, 329.6, 392.0, 523.3)) * beat * 0.1
    spans = [s for s in heard(model, join(silence(3), chord.astype(np.float32), silence(3))) if s.event is Event.BGM]
    assert spans and spans[0].start == pytest.approx(3.0, abs=0.75) and spans[-1].end == pytest.approx(9.0, abs=0.75)


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.5, 5.0])
def test_silence_of_any_length_has_no_event(model: YamNet, seconds: float) -> None:
    assert heard(model, Audio(np.zeros(round(seconds * RATE), np.float32), RATE)) == ()


def test_blocks_make_no_difference_and_memory_is_bounded(model: YamNet) -> None:
    audio = join(silence(1), say(EN, "en"), silence(1))
    assert heard(model, audio, 1000) == heard(model, audio, 50_000) == heard(model, audio)
    tracker = EventTracker(model)
    for minute in range(3):
        tracker.feed(silence(60))
        tracker.forget(minute * 60.0)
    assert len(tracker._scores) < 600


def test_an_event_is_cut_to_the_seconds_asked_for(model: YamNet) -> None:
    tracker = EventTracker(model)
    audio = join(silence(1), say(EN, "en"), silence(1))
    tracker.feed(audio.samples)
    tracker.finish()
    (whole,) = tracker.take(0, audio.duration)
    (part,) = tracker.take(2.0, 3.0)
    assert (part.start, part.end) == (2.0, 3.0) and whole.start < 2.0 and whole.end > 3.0
    assert tracker.take(0, whole.start - 0.1) == ()


@pytest.mark.skipif(not SOUNDS.is_dir(), reason="needs ../shared/audio, recordings that the project may not carry")
@pytest.mark.parametrize(
    ("pattern", "event", "least"), [("baby_cry*", Event.CRY, 6), ("person_sneeze*", Event.SNEEZE, 5)]
)
def test_recorded_events_are_told(model: YamNet, pattern: str, event: Event, least: int) -> None:
    files = sorted(SOUNDS.glob(pattern))
    assert sum(any(s.event is event for s in heard(model, decode(f))) for f in files) >= least


@pytest.mark.skipif(not SOUNDS.is_dir(), reason="needs ../shared/audio, recordings that the project may not carry")
def test_dogs_and_rain_are_none_of_ours(model: YamNet) -> None:
    files: list[Path] = [*SOUNDS.glob("dog_bark*"), *SOUNDS.glob("rain*")]
    spans = [s for f in files for s in heard(model, decode(f)) if s.event is not Event.SPEECH]
    assert files and not spans
