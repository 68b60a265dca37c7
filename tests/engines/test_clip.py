"""Which part of a recording is kept, and what is found wrong with it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engines.spoken import EN, RATE, ZH, join, say, silence
from webui.audio.convert import resample
from webui.config import ROOT
from webui.engines.speaker_encoder import SpeakerEncoder
from webui.engines.store import ModelStore
from webui.errors import AudioError
from webui.types import Audio
from webui.ui.labels import table
from webui.voices.clip import LONGEST, best_stretch, check_clip, halves

pytestmark = pytest.mark.engine

MORE = "What is the difference between a frog and a toad? I never knew."


@pytest.fixture(scope="module")
def encoder() -> SpeakerEncoder:
    return SpeakerEncoder(ModelStore(ROOT / "models"))


@pytest.fixture(scope="module")
def good() -> Audio:
    """Seven seconds of one voice with a breath between sentences, at 24 kHz."""
    room = silence(0.6)
    return resample(join(room, say(EN, "en"), room, say(MORE, "en"), room), 24_000)


def noise(count: int, level: float) -> np.ndarray:
    return (np.random.default_rng(3).standard_normal(count) * 10 ** (level / 20)).astype(np.float32)


def found(audio: Audio, encoder: SpeakerEncoder) -> dict[str, str]:
    findings = check_clip(audio, best_stretch(audio), encoder)
    for finding in findings:
        for words in table().values():
            words[finding.key].format(**finding.values)
    return {finding.key: finding.level for finding in findings}


def changed(audio: Audio, samples: np.ndarray) -> Audio:
    return Audio(samples.astype(np.float32), audio.rate)


def test_a_good_clip_is_called_good(good: Audio, encoder: SpeakerEncoder) -> None:
    assert found(good, encoder) == {"clip_good": "ok"}


def test_what_is_kept_begins_and_ends_in_pauses(good: Audio) -> None:
    start, end = best_stretch(good)
    assert 0.2 < start < 0.9 and good.duration - 0.9 < end < good.duration - 0.2


def test_long_speech_is_cut_at_a_pause(encoder: SpeakerEncoder) -> None:
    room = silence(0.5)
    long = join(room, *[part for _ in range(5) for part in (say(EN, "en"), room, say(MORE, "en"), room)])
    start, end = best_stretch(long)
    assert 8 < end - start <= LONGEST
    for edge in (start, end):
        around = long.cut(max(0.0, edge - 0.03), edge + 0.03).samples
        assert np.abs(around).max() < 0.02
    assert found(long, encoder)["clip_long"] == "ok"


def test_the_clear_part_is_kept(encoder: SpeakerEncoder) -> None:
    loud = say(EN, "en") * 0.3
    bad = loud + noise(len(loud), -22)
    audio = join(bad, silence(2.0), loud, silence(1.0))
    start, _ = best_stretch(audio)
    assert start > len(bad) / RATE


@pytest.mark.parametrize("samples", [silence(3.0), noise(3 * RATE, -20)])
def test_nobody_speaks(samples: np.ndarray) -> None:
    with pytest.raises(AudioError):
        best_stretch(Audio(samples, RATE))


def test_too_little_speech(good: Audio, encoder: SpeakerEncoder) -> None:
    assert found(good.cut(0, 2.8), encoder) == {"clip_short": "warn"}
    assert found(good.cut(0, 1.6), encoder) == {"clip_short": "bad"}


def test_too_soft(good: Audio, encoder: SpeakerEncoder) -> None:
    assert found(changed(good, good.samples * 0.03), encoder).get("clip_quiet") == "warn"
    assert found(changed(good, good.samples * 0.004), encoder).get("clip_quiet") == "bad"


def test_noise(good: Audio, encoder: SpeakerEncoder) -> None:
    loud = 20 * np.log10(np.sqrt((good.samples**2).mean()))
    assert "clip_noisy" not in found(changed(good, good.samples + noise(len(good.samples), loud - 30)), encoder)
    assert found(changed(good, good.samples + noise(len(good.samples), loud - 13)), encoder)["clip_noisy"] == "warn"
    assert found(changed(good, good.samples + noise(len(good.samples), loud - 5)), encoder)["clip_noisy"] == "bad"


def test_clipping(good: Audio, encoder: SpeakerEncoder) -> None:
    peak = np.abs(good.samples).max()
    assert found(changed(good, np.clip(good.samples, -peak / 2, peak / 2)), encoder) == {"clip_clipped": "warn"}
    assert found(changed(good, np.clip(good.samples * 12, -1, 1)), encoder).get("clip_clipped") == "bad"


def test_a_telephone(good: Audio, encoder: SpeakerEncoder) -> None:
    assert found(resample(resample(good, 8_000), 24_000), encoder) == {"clip_narrow": "warn"}


def test_two_people(encoder: SpeakerEncoder) -> None:
    both = join(silence(0.5), say(EN, "en"), silence(0.3), say(ZH, "zh"), silence(0.5))
    assert found(both, encoder) == {"clip_voices": "bad"}
    one = join(silence(0.5), say(EN, "en"), silence(0.3), say(MORE, "en"), silence(0.5))
    assert halves(one, encoder) > 0.6
