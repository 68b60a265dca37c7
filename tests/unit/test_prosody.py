"""Prosody is measured on a voice built from harmonics, whose melody and brightness are therefore known."""

import numpy as np
import pytest

from webui.audio.prosody import NAMES, RATE, measure
from webui.types import Audio


def sung(hz, seconds=2.0, tilt_db=-9.0, syllables_per_s=4.0):
    """A buzz on the pitch curve ``hz`` (number or array), harmonics falling by ``tilt_db`` an octave, in syllables."""
    n = round(seconds * RATE)
    f0 = np.broadcast_to(np.asarray(hz, dtype=float), n) if np.ndim(hz) == 0 else np.resize(hz, n)
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    voice = sum(10 ** (tilt_db * np.log2(k) / 20) * np.sin(k * phase) * (k * f0 < 7000) for k in range(1, 40))
    beat = np.clip(1.3 * np.sin(np.pi * syllables_per_s * np.arange(n) / RATE) ** 2, 0.01, 1)
    return Audio((0.1 * voice * beat).astype(np.float32), RATE)


def named(audio):
    values = measure(audio).values
    assert values is not None
    return dict(zip(NAMES, values, strict=True))


@pytest.mark.parametrize("hz", [90, 150, 240, 380])
def test_pitch_is_the_pitch(hz):
    assert named(sung(hz))["f0_median_st"] == pytest.approx(12 * np.log2(hz / 100), abs=0.5)


def test_a_wide_melody_measures_wider_than_a_flat_one():
    t = np.arange(2 * RATE) / RATE
    flat, wide = named(sung(180)), named(sung(180 * 2 ** (np.sin(2 * np.pi * 1.3 * t) * 5 / 12)))
    assert wide["f0_std_st"] > flat["f0_std_st"] + 2
    assert wide["f0_speed_st_s"] > flat["f0_speed_st_s"] + 5


def test_a_falling_line_falls():
    fall = named(sung(220 * 2 ** (-np.arange(2 * RATE) / RATE * 3 / 12)))
    assert fall["f0_declination_st_s"] == pytest.approx(-3, abs=0.7)


def test_a_pressed_voice_is_brighter_than_a_soft_one():
    soft, pressed = named(sung(150, tilt_db=-14)), named(sung(150, tilt_db=-5))
    assert pressed["alpha_db"] > soft["alpha_db"] + 6
    assert pressed["h1_h2_db"] < soft["h1_h2_db"]


def test_noise_lowers_the_harmonic_share():
    clean = sung(150)
    hiss = np.random.default_rng(1).normal(0, 0.03, len(clean.samples)).astype(np.float32)
    assert named(Audio(clean.samples + hiss, RATE))["hnr_db"] < named(clean)["hnr_db"] - 3


def test_syllables_are_counted():
    assert named(sung(150, syllables_per_s=5))["peaks_per_s"] == pytest.approx(5, abs=0.8)


@pytest.mark.parametrize("gain", [0.003, 0.2, 8.0])
def test_gain_changes_nothing(gain):
    audio = sung(170)
    louder = Audio((audio.samples * gain).astype(np.float32), RATE)
    np.testing.assert_allclose(measure(louder).values, measure(audio).values, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0),
        np.zeros(RATE),
        np.full(RATE, np.nan),
        np.full(RATE, 0.5),
        np.random.default_rng(0).normal(0, 0.1, 2 * RATE),
        sung(150, seconds=0.15).samples,
    ],
    ids=["empty", "silent", "nan", "constant", "noise", "too short"],
)
def test_what_has_no_melody_has_no_values(samples):
    assert measure(Audio(samples.astype(np.float32), RATE)).values is None


def test_pauses_are_not_speech():
    audio = sung(150)
    both = Audio(np.concatenate([audio.samples, np.zeros(RATE, np.float32)]), RATE)
    speech = measure(both).speech
    assert speech[: 2 * RATE // 256].mean() > 0.5
    assert not speech[-RATE // 256 + 4 :].any()


def test_another_rate_is_refused():
    with pytest.raises(ValueError, match="16000"):
        measure(Audio(np.zeros(8000, np.float32), 8000))


def test_an_hour_is_cut_to_what_is_needed():
    hour = Audio(np.zeros(3600 * RATE, np.float32), RATE)
    assert len(measure(hour).speech) <= 60 * RATE / 256
