"""From a recording to a clip, to consent, and to the blend that comes nearest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from tests.engines.spoken import EN, RATE, join, say, silence
from webui.audio.convert import resample
from webui.audio.loudness import loudness
from webui.config import ROOT, Settings
from webui.engines.registry import Engines
from webui.engines.speaker_encoder import similarity
from webui.engines.store import ModelStore
from webui.errors import AudioError
from webui.features import matching
from webui.features.cloning import hear_consent, prepare
from webui.features.matching import Matched, Progress, match
from webui.types import Audio

pytestmark = pytest.mark.engine

SENTENCE = "Behind the library, my neighbour repaired twelve yellow umbrellas."
CHINESE = "在花园里，我的邻居修好了三把黄色的雨伞。"


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    made = Engines(Settings(profile="embedded"), ModelStore(ROOT / "models"))
    yield made
    made.close()


def recorded(*sounds: np.ndarray) -> Audio:
    parts = [part for sound in sounds for part in (silence(0.5), sound)]
    return resample(join(*parts, silence(0.5)), 24_000)


def test_a_recording_becomes_a_clip(engines: Engines) -> None:
    made = prepare(engines, recorded(say(EN, "en")))
    assert made.usable and [finding.key for finding in made.findings] == ["clip_good"]
    assert made.language == "en" and "platform nine" in made.transcript.lower()
    assert made.clip.rate == 24_000 and made.clip.duration == pytest.approx(made.kept[1] - made.kept[0], abs=0.01)
    assert loudness(made.clip) == pytest.approx(-16, abs=0.5)
    assert abs(made.clip.samples[0]) < 1e-3 and abs(made.clip.samples[-1]) < 1e-3
    assert made.peaks.shape == (480, 2) and (made.peaks[:, 0] <= made.peaks[:, 1]).all() and made.peaks.max() > 10


def test_a_recording_without_speech_is_refused(engines: Engines) -> None:
    with pytest.raises(AudioError, match="Nobody is heard"):
        prepare(engines, Audio(silence(3.0), RATE))


@pytest.mark.parametrize(
    ("said", "language", "asked", "key"),
    [
        (SENTENCE, "en", SENTENCE, ""),
        (SENTENCE, "en", "In the garden, the baker counted seven golden kites.", "consent_words"),
        (CHINESE, "zh", CHINESE, "consent_voice"),
    ],
)
def test_consent(engines: Engines, said: str, language: str, asked: str, key: str) -> None:
    clip = recorded(say(EN, "en"))
    consent, verdict = hear_consent(engines, clip, asked, language, recorded(say(said, language)))
    assert (verdict.ok, verdict.key) == (not key, key)
    assert consent.sentence == asked and consent.heard and consent.recording is not None
    assert -1 <= consent.similarity <= 1 and consent.when.endswith("+00:00")


def test_a_voice_of_its_own_is_matched_and_the_likeness_is_true(engines: Engines, monkeypatch) -> None:
    monkeypatch.setattr(matching, "TRIES", 4)
    clip = recorded(say(EN, "en"))
    *steps, found = list(match(engines, clip, "en"))
    assert [(step.done, step.of) for step in steps if isinstance(step, Progress)] == [(n, 4) for n in range(1, 5)]
    assert isinstance(found, Matched) and found.voice.kind == "blend"
    assert sum(share for _, share in found.voice.blend) == pytest.approx(1)
    assert found.voice.blend[0][0] == "af_heart" and found.similarity > 0.6
    text = matching.JUDGED["en"]
    again = matching.say(engines.synthesizer, found.voice, text, "en")
    assert similarity(engines.speaker.embed(again), engines.speaker.embed(clip)) == pytest.approx(
        found.similarity, abs=1e-3
    )


def test_a_search_that_is_closed_stops(engines: Engines, monkeypatch) -> None:
    spoken = []
    real = matching.say
    monkeypatch.setattr(matching, "say", lambda *args: spoken.append(args) or real(*args))
    with closing(match(engines, recorded(say(EN, "en")), "en")) as steps:
        next(steps)
    assert len(spoken) == 1
