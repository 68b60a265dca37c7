"""Names that ride on a recording as a faint, steady, high tone, so that a scripted recognizer knows who speaks."""

from __future__ import annotations

import numpy as np

from webui.audio.convert import resample
from webui.types import Audio, Samples

RATE = 16_000
MARKS = {"Anna": 5600.0, "Boris": 6100.0, "Carla": 6600.0, "David": 7100.0}
"""Name to frequency in Hz: where speech has little, and what 16 kHz can hold."""
LEVEL = 10 ** (-38 / 20)
_FRAME = 1024
_BESIDE = 24  # bins on each side that a tone is compared with
_STANDS_OUT = 8.0  # times the power beside it


def marked(audio: Audio, name: str) -> Audio:
    """``audio`` with the tone of ``name`` (one of ``MARKS``) under all of it."""
    times = np.arange(len(audio.samples)) / audio.rate
    tone = LEVEL * np.sin(2 * np.pi * MARKS[name] * times)
    return Audio(np.clip(audio.samples + tone, -1, 1).astype(np.float32), audio.rate)


def mark_of(audio: Audio) -> str | None:
    """The name whose tone is in ``audio``; None where there is none, or less than a tenth of a second."""
    samples = resample(audio, RATE).samples
    count = len(samples) // _FRAME
    if count < 2:
        return None
    power = _steady_power(samples[: count * _FRAME].reshape(count, _FRAME))
    loudest = max(MARKS, key=lambda name: _prominence(power, MARKS[name]))
    return loudest if _prominence(power, MARKS[loudest]) > _STANDS_OUT else None


def _steady_power(frames: Samples) -> Samples:
    """Power by bin, as it is in a quarter of the frames at least: an s comes and goes, a tone stays."""
    spectra = np.abs(np.fft.rfft(frames * np.hanning(_FRAME))) ** 2
    power: Samples = np.quantile(spectra, 0.25, axis=0).astype(np.float32)
    return power


def _prominence(power: Samples, frequency: float) -> float:
    at = round(frequency * _FRAME / RATE)
    beside = np.concatenate((power[at - _BESIDE : at - 3], power[at + 4 : at + _BESIDE + 1]))
    return float(power[at - 1 : at + 2].max() / (np.median(beside) + 1e-9))
