"""The emotion classifier as shipped, on real Whisper encodings: what must not change its mind, and what it must not judge."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.emotion import augment
from tests.engines.spoken import EN, RATE, ZH, say
from webui.config import ROOT, Settings
from webui.engines.emotion import WEIGHTS, EmotionClassifier, EmotionEstimate
from webui.engines.store import ModelStore
from webui.engines.whisper_decoding import Whisper
from webui.errors import ModelError
from webui.types import Audio, Emotion, Samples, VoiceBaseline

pytestmark = pytest.mark.engine

FOLDER = ROOT / "models" / "emotion"
EMODB = ROOT.parent / "shared" / "audio" / "emodb"
CLASSES = (Emotion.HAPPY, Emotion.SAD, Emotion.ANGRY, Emotion.NEUTRAL)


@lru_cache(maxsize=1)
def whisper() -> Whisper:
    return Whisper(ModelStore(Settings().models_dir).ensure("whisper-base"), threads=2)


@lru_cache(maxsize=1)
def classifier() -> EmotionClassifier:
    return EmotionClassifier.load(FOLDER)


def judge(x: Samples, window: float | None = None, baseline: VoiceBaseline | None = None) -> EmotionEstimate:
    x = np.asarray(x, dtype=np.float32)
    return classifier().classify(whisper().encode(x, window).features(), Audio(x, RATE), baseline)


@pytest.mark.parametrize(("text", "language"), [(EN, "en"), (ZH, "zh")])
def test_calm_speech_is_not_called_stirred(text: str, language: str) -> None:
    estimate = judge(say(text, language))
    assert estimate.emotion in (Emotion.NEUTRAL, Emotion.EMO_UNKNOWN)
    assert estimate.arousal is not None
    assert estimate.arousal < 0.5
    assert len(estimate.voice) == len(CLASSES) + 1


@pytest.mark.parametrize("gain", [0.2, 3.0])
def test_gain_changes_nothing(gain: float) -> None:
    x = say(EN, "en") * np.float32(0.3)
    plain, other = judge(x), judge(x * np.float32(gain))
    assert other.emotion is plain.emotion
    np.testing.assert_allclose(other.voice, plain.voice, atol=0.4)


def test_the_window_around_the_speech_changes_little() -> None:
    x = say(EN, "en")
    short, full = judge(x, len(x) / RATE + 1), judge(x, 30.0)
    assert full.emotion is short.emotion
    np.testing.assert_allclose(full.voice, short.voice, atol=1.5)


@pytest.mark.parametrize("tilt", [0.0, 3.0, 6.0])
def test_noise_has_no_mood(tilt: float) -> None:
    noise = 0.1 * augment.coloured(3 * RATE, np.random.default_rng(3), tilt)
    assert judge(noise) == EmotionEstimate(Emotion.EMO_UNKNOWN, 0.0, None, ())


def test_silence_and_a_pure_tone_have_no_mood() -> None:
    tone = 0.2 * np.sin(2 * np.pi * 220 * np.arange(3 * RATE) / RATE)
    assert judge(np.zeros(2 * RATE)).emotion is Emotion.EMO_UNKNOWN
    assert judge(tone).emotion is Emotion.EMO_UNKNOWN


def test_under_a_second_is_not_judged() -> None:
    x = say(EN, "en")
    assert judge(x[: int(0.9 * RATE)]) == EmotionEstimate(Emotion.EMO_UNKNOWN, 0.0, None, ())


def test_a_usual_voice_as_baseline_changes_nothing_and_another_moves_the_scores() -> None:
    x = say(EN, "en")
    plain = judge(x)
    usual = tuple(float(v) for v in classifier()._usual)
    assert judge(x, baseline=VoiceBaseline(9, usual)) == plain
    # Someone whose every sentence scores as calm as this one is calm by nature: the calm says less.
    first, ninth = (judge(x, baseline=VoiceBaseline(n, plain.voice)) for n in (1, 9))
    assert plain.arousal is not None
    assert first.arousal is not None
    assert ninth.arousal is not None
    assert plain.arousal < first.arousal < ninth.arousal
    assert ninth.voice == plain.voice


def test_a_baseline_of_another_make_is_passed_over() -> None:
    x = say(EN, "en")
    assert judge(x, baseline=VoiceBaseline(5, (1.0, 2.0))) == judge(x)


def test_a_livelier_reading_is_more_energetic() -> None:
    """Higher, wider, brighter: pitch times 1.25 at the same pace, and the treble up."""
    x = say(EN, "en")
    lively = augment.filtered(augment.stretch(augment.resize(x, 1.25), 1 / 1.25), [500, 1500, 4000], [0, 8, 10])
    calm, energetic = judge(x).arousal, judge(lively).arousal
    assert calm is not None
    assert energetic is not None
    assert energetic > calm


def test_missing_or_broken_weights_say_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="emotion classifier"):
        EmotionClassifier.load(tmp_path)
    (tmp_path / WEIGHTS).write_bytes((FOLDER / WEIGHTS).read_bytes()[:1000])
    with pytest.raises(ModelError, match="emotion classifier"):
        EmotionClassifier.load(tmp_path)


@pytest.mark.skipif(not EMODB.is_dir(), reason="EmoDB is not beside the project (../shared/audio/emodb)")
def test_regression_on_noisy_training_clips() -> None:
    """The weights were trained on these clips (never with this noise): a fall means broken weights or features."""
    with (EMODB / "labels.csv").open(newline="") as file:
        labels = list(csv.DictReader(file))
    right: list[bool] = []
    for emotion in CLASSES:
        for label in [row for row in labels if row["emotion"] == emotion.value][::9]:
            x = soundfile.read(EMODB / label["file"], dtype="float32")[0]
            noise = augment.coloured(len(x), np.random.default_rng(11), 4)
            telephone = augment.filtered(augment.noisy(x, noise, 18), [100, 300, 3200, 3800], [-40, 0, 0, -40])
            right.append(judge(telephone).emotion is emotion)
    assert len(right) > 30
    assert np.mean(right) >= 0.75
