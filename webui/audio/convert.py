"""Sound as numbers: numpy arrays, PCM bytes and WAV files to and from ``Audio``; resampling; peaks; silence."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from webui.errors import AudioError
from webui.types import Audio, Samples

MIN_RATE, MAX_RATE = 4_000, 768_000
SILENCE_PEAK = 10 ** (-60 / 20)  # -60 dBFS: below the noise floor of any microphone that is switched on


def to_float(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """Samples of any width as float32 in [-1, 1], same shape; NaN and infinity become 0.

    Integers are scaled by their full range (unsigned ones around their middle), floats are only clipped.
    Raises ``AudioError`` for anything that is not a real number.
    """
    if values.dtype == np.bool_ or not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values):
        raise AudioError("not_audio", "That is not sound: choose an audio file or record something.")
    if np.issubdtype(values.dtype, np.integer):
        limits: Any = np.iinfo(values.dtype.str)
        half = (float(limits.max) - float(limits.min) + 1) / 2
        middle = half if limits.min == 0 else 0.0
        return ((values.astype(np.float64) - middle) / half).astype(np.float32)
    finite = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(finite, -1.0, 1.0)


def from_numpy(rate: int, array: npt.NDArray[np.generic]) -> Audio:
    """What Gradio hands over, ``(n,)`` or ``(n, channels)`` of any integer or float type, as mono ``Audio``.

    Raises ``AudioError`` for an empty, misshapen or non-numeric array or a rate outside 4 to 768 kHz.
    """
    check_rate(rate)
    if array.size == 0:
        raise AudioError("empty", "The recording is empty: record again or choose another file.")
    if array.ndim > 2:
        raise AudioError("not_audio", "That is not sound: choose an audio file or record something.")
    samples = to_float(array)
    if samples.ndim == 2:
        channels_first = samples.shape[0] < samples.shape[1]
        samples = samples.mean(axis=0 if channels_first else 1, dtype=np.float32)
    return Audio(np.ascontiguousarray(samples), rate)


def check_rate(rate: int) -> None:
    """Raise ``AudioError`` for a sampling rate (Hz) that no sound of ours has."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioError(
            "bad_rate",
            f"The recording has {rate} samples a second, which cannot be used: choose another file.",
            rate=rate,
        )


def resample(audio: Audio, rate: int) -> Audio:
    """The same sound at ``rate`` Hz."""
    if audio.rate == rate:
        return audio
    import soxr

    samples = soxr.resample(audio.samples, audio.rate, rate).astype(np.float32, copy=False)
    return Audio(np.clip(samples, -1.0, 1.0), rate)


class RateChange:
    """One stream of samples taken from rate to rate (Hz), piece by piece and without a seam."""

    def __init__(self, old: int, new: int) -> None:
        import soxr

        self._stream: Any = soxr.ResampleStream(old, new, 1, dtype="float32") if old != new else None

    def feed(self, samples: Samples) -> Samples:
        """The next piece (n,) at the new rate; a few milliseconds stay behind."""
        if self._stream is None:
            return samples
        new: Samples = self._stream.resample_chunk(samples)
        return np.clip(new, -1.0, 1.0)

    def flush(self) -> Samples:
        """What stayed behind; the stream is over."""
        if self._stream is None:
            return np.zeros(0, np.float32)
        tail: Samples = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)
        return np.clip(tail, -1.0, 1.0)


def resampled(pieces: Iterator[tuple[Samples, int]], rate: int) -> Iterator[Samples]:
    """Pieces of one stream, each with its rate, at one ``rate`` Hz and with no seam; the rate may change half way."""
    current, change = rate, RateChange(rate, rate)
    for samples, own_rate in pieces:
        if own_rate != current:
            if len(tail := change.flush()):
                yield tail
            current, change = own_rate, RateChange(own_rate, rate)
        yield change.feed(samples)
    if len(tail := change.flush()):
        yield tail


def to_pcm16(samples: Samples) -> npt.NDArray[np.int16]:
    """Float samples as 16-bit integers, rounded; what lies beyond full scale stays there and does not wrap."""
    whole: npt.NDArray[np.int16] = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
    return whole


def to_wav_bytes(audio: Audio) -> bytes:
    """A 16-bit mono WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(audio.rate)
        file.writeframes(to_pcm16(audio.samples).astype("<i2").tobytes())
    return buffer.getvalue()


def peaks(audio: Audio, n: int) -> list[float]:
    """The loudest sample, 0 to 1, of each of ``n`` equal stretches: a waveform to draw."""
    bounds = np.linspace(0, len(audio.samples), n + 1).astype(int)
    loud = np.abs(audio.samples)
    return [float(loud[a:b].max()) if b > a else 0.0 for a, b in pairwise(bounds)]


def is_silent(audio: Audio) -> bool:
    """Whether nothing in it rises above -60 dBFS."""
    return not len(audio.samples) or float(np.abs(audio.samples).max()) < SILENCE_PEAK


def require_sound(audio: Audio) -> Audio:
    """``audio`` itself; raises ``AudioError`` where it is empty or silent."""
    if not len(audio.samples):
        raise AudioError("empty", "The recording is empty: record again or choose another file.")
    if is_silent(audio):
        raise AudioError("silent", "The recording is silent: check the microphone and record again.")
    return audio
