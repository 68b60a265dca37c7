"""Loudness by the book, and levels that overload nothing."""

import numpy as np
import pytest
import soxr

from webui.audio.loudness import levelled, loudness
from webui.types import Audio


def sine(level_db: float, rate: int, seconds: float = 3.0, hertz: float = 997.0) -> Audio:
    time = np.arange(round(seconds * rate)) / rate
    return Audio((10 ** (level_db / 20) * np.sin(2 * np.pi * hertz * time)).astype(np.float32), rate)


def speechlike(seconds: float = 6.0, rate: int = 24_000) -> Audio:
    """Syllables of noise with peaks 20 dB above their mean, and pauses."""
    rng = np.random.default_rng(1)
    time = np.arange(round(seconds * rate)) / rate
    shape = np.maximum(0, np.sin(2 * np.pi * 2.5 * time)) ** 4
    sound = np.cumsum(rng.standard_normal(len(time)))
    sound -= np.convolve(sound, np.full(240, 1 / 240), mode="same")
    sound *= shape
    return Audio((0.3 * sound / np.abs(sound).max()).astype(np.float32), rate)


def highest(audio: Audio) -> float:
    """The highest point of the wave, between the samples too."""
    return float(np.abs(soxr.resample(audio.samples, audio.rate, 8 * audio.rate, "VHQ")).max())


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_a_reference_tone_is_as_loud_as_the_standard_says(rate: int) -> None:
    assert loudness(sine(-20, rate)) == pytest.approx(-23.0, abs=0.2)


def test_pauses_do_not_count() -> None:
    tone = sine(-20, 48_000, 6)
    spaced = Audio(np.concatenate([tone.samples, np.zeros(48_000 * 6, np.float32)]), 48_000)
    assert loudness(spaced) == pytest.approx(-23.0, abs=0.3)


@pytest.mark.parametrize("samples", [0, 1, 9_599])
def test_what_is_too_short_has_no_loudness(samples: int) -> None:
    short = Audio(np.full(samples, 0.1, np.float32), 24_000)
    assert loudness(short) is None
    np.testing.assert_array_equal(levelled(short).samples, short.samples)


def test_silence_stays_silence() -> None:
    silence = Audio(np.zeros(48_000, np.float32), 24_000)
    assert loudness(silence) is None
    assert not levelled(silence).samples.any()


@pytest.mark.parametrize("gain_db", [-30, -12, 0, 9])
def test_speech_comes_out_at_the_level_that_was_asked_for(gain_db: float) -> None:
    speech = speechlike()
    out = levelled(Audio(speech.samples * np.float32(10 ** (gain_db / 20)), speech.rate), -18)
    assert loudness(out) == pytest.approx(-18, abs=0.3)
    assert len(out.samples) == len(speech.samples)
    assert highest(out) <= 10 ** (-1 / 20) * 1.01


def test_peaks_are_turned_down_and_not_cut_off() -> None:
    speech = speechlike()
    out = levelled(speech, -12, ceiling=-3)
    peak = 10 ** (-3 / 20)
    assert np.abs(out.samples).max() <= peak
    assert highest(out) <= peak * 1.02
    # Cut off, a wave has runs at the ceiling; turned down, it touches it.
    at_ceiling = np.abs(out.samples) > 0.999 * peak
    assert not (at_ceiling[1:] & at_ceiling[:-1]).any()


def test_a_quiet_sound_is_only_made_louder() -> None:
    tone = sine(-40, 24_000)
    out = levelled(tone)
    gain = out.samples[1000:2000] / np.where(tone.samples[1000:2000] == 0, 1, tone.samples[1000:2000])
    assert np.ptp(gain[np.abs(tone.samples[1000:2000]) > 1e-4]) < 1e-3


def test_the_loudest_possible_sound_is_brought_under_the_ceiling() -> None:
    square = Audio(np.sign(np.sin(np.arange(48_000) / 7)).astype(np.float32), 24_000)
    out = levelled(square)
    assert np.isfinite(out.samples).all()
    assert np.abs(out.samples).max() <= 10 ** (-1 / 20)


def test_a_long_sound_is_limited_in_blocks_that_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    speech = speechlike()
    whole = levelled(speech, -12)
    monkeypatch.setattr("webui.audio.loudness.BLOCK", 10_000)
    np.testing.assert_allclose(levelled(speech, -12).samples, whole.samples, atol=2e-3)
