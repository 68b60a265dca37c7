"""Tempo without pitch."""

import numpy as np
import pytest

from webui.audio.stretch import Stretcher, stretched
from webui.types import Samples

RATES = (16_000, 22_050, 24_000)
SPEEDS = (0.5, 0.8, 1.25, 2.0)


def voice(rate: int, seconds: float, pitch: float = 140.0) -> Samples:
    """A buzz with five partials, syllables (four a second) and silence between them."""
    time = np.arange(round(seconds * rate)) / rate
    buzz = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 6))
    return (0.2 * buzz * np.clip(np.sin(2 * np.pi * 4 * time), 0, 1)).astype(np.float32)


def pitch_of(sound: Samples, rate: int) -> float:
    """By autocorrelation, in Hz, between 70 and 400."""
    size = 1 << (2 * len(sound)).bit_length()
    power = np.fft.irfft(np.abs(np.fft.rfft(sound, size)) ** 2)
    low, high = rate // 400, rate // 70
    return rate / (low + int(np.argmax(power[low:high])))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("speed", SPEEDS)
def test_the_length_changes_and_the_pitch_does_not(rate: int, speed: float) -> None:
    sound = voice(rate, 3.0)
    out = stretched(sound, rate, speed)
    assert out.dtype == np.float32
    assert len(out) == round(len(sound) / speed)
    assert pitch_of(out, rate) == pytest.approx(140.0, rel=0.02)
    # the last syllable is still there, where it belongs
    heard = np.flatnonzero(np.abs(out) > 0.05)[-1] / rate
    assert heard == pytest.approx(np.flatnonzero(np.abs(sound) > 0.05)[-1] / rate / speed, abs=0.06)


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_stream_gives_what_the_whole_gives(speed: float) -> None:
    sound = voice(24_000, 1.5)
    cuts = np.cumsum(np.random.default_rng(1).integers(1, 900, 60))
    stretcher = Stretcher(24_000, speed)
    pieces = [stretcher.feed(part) for part in np.split(sound, cuts[cuts < len(sound)])]
    assert sum(map(len, pieces)) > 0.8 * len(sound) / speed, "most of it comes while it is fed"
    np.testing.assert_array_equal(np.concatenate([*pieces, stretcher.finish()]), stretched(sound, 24_000, speed))


@pytest.mark.parametrize("speed", SPEEDS)
def test_no_clicks(speed: float) -> None:
    sound = voice(24_000, 3.0)
    roughest = np.abs(np.diff(sound, 2)).max()
    assert np.abs(np.diff(stretched(sound, 24_000, speed), 2)).max() < 2 * roughest


def test_speed_one_is_the_sound_itself() -> None:
    sound = voice(16_000, 0.5)
    np.testing.assert_array_equal(stretched(sound, 16_000, 1.0), sound)


@pytest.mark.parametrize("n", [0, 1, 7, 200])
@pytest.mark.parametrize("speed", SPEEDS)
def test_next_to_nothing(n: int, speed: float) -> None:
    out = stretched(np.full(n, 0.25, np.float32), 24_000, speed)
    assert len(out) == round(n / speed)
    assert np.abs(out).max(initial=0) <= 0.25 + 1e-6


@pytest.mark.parametrize("speed", [0.4, 2.1, float("nan")])
def test_a_speed_out_of_range(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        Stretcher(24_000, speed)
