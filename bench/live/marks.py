"""Words that ride on a recording as faint, steady, high tones, so that a scripted recognizer can understand it."""

from __future__ import annotations

import numpy as np

from webui.audio.convert import resample
from webui.types import Audio, Samples

RATE = 16_000
NAMES = ("Anna", "Boris", "Carla", "David")
STORY = "story"
MARKS = dict(zip((STORY, *NAMES), (5100.0, 5600.0, 6100.0, 6600.0, 7100.0), strict=True))
"""Word to frequency in Hz: where speech has little, and what 16 kHz can hold."""
LEVEL = 10 ** (-38 / 20)
_FRAME = 1024
_BESIDE = 24  # bins on each side that a tone is compared with
_STANDS_OUT = 8.0  # times the power beside it


def marked(audio: Audio, *words: str) -> Audio:
    """``audio`` with the tones of ``words`` (of ``MARKS``) under all of it."""
    times = np.arange(len(audio.samples)) / audio.rate
    tones = LEVEL * sum(np.sin(2 * np.pi * MARKS[word] * times) for word in words)
    return Audio(np.clip(audio.samples + tones, -1, 1).astype(np.float32), audio.rate)


def marks_of(audio: Audio) -> list[str]:
    """The words whose tones are in ``audio``; none where it is shorter than an eighth of a second."""
    samples = resample(audio, RATE).samples
    count = len(samples) // _FRAME
    if count < 2:
        return []
    power = _steady_power(samples[: count * _FRAME].reshape(count, _FRAME))
    return [word for word, frequency in MARKS.items() if _prominence(power, frequency) > _STANDS_OUT]


def _steady_power(frames: Samples) -> Samples:
    """Power by bin, as it is in a quarter of the frames at least: an s comes and goes, a tone stays."""
    spectra = np.abs(np.fft.rfft(frames * np.hanning(_FRAME))) ** 2
    power: Samples = np.quantile(spectra, 0.25, axis=0).astype(np.float32)
    return power


def _prominence(power: Samples, frequency: float) -> float:
    at = round(frequency * _FRAME / RATE)
    beside = np.concatenate((power[at - _BESIDE : at - 3], power[at + 4 : at + _BESIDE + 1]))
    return float(power[at - 1 : at + 2].max() / (np.median(beside) + 1e-9))
