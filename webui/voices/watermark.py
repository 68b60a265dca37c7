"""An inaudible watermark in speech, by which anyone can tell that it was made here.

Spread spectrum: a noise that repeats every 0.64 s and that everybody can make anew is laid under the speech, in each
stretch of time and frequency at a fixed distance below what is heard there, so that the speech hides it. To find it,
everything is made equally loud, by which the speech becomes a noise, too, and compared with ours at every shift in
time. What it withstands is measured by ``bench/watermark.py`` and told in docs/watermark.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from webui.audio.convert import resample
from webui.types import Audio, Samples

KEY = b"FunAudio WebUI, watermark 1"  # public: it tells, it does not hide; a new one makes old files unknown
RATE = 12_000  # Hz, of all that is done here; the watermark reaches to 5.2 kHz
PERIOD = 7_680  # samples
LOW, HIGH = 500.0, 5_200.0  # Hz; below, speech is strongest and the same distance would cost most
DEPTH, FULL_FROM = (
    0.09,
    2_400.0,
)  # the noise's share of what is heard from FULL_FROM Hz on; less below, where it is clearest
FRAME = 384  # samples, 32 ms; two overlap
SPREAD = 8  # bins of 31 Hz to either side that a sound hides
BLOCK = 1_000 * FRAME  # samples at a time: an audiobook fits in memory, too
MARGIN = 4 * FRAME  # of the neighbouring blocks, so that no seam is left

THRESHOLD = 7.5
"""Standard deviations above chance. Chance alone gets there once in some millions of files: see docs/watermark.md."""
WINDOW, STEP = 8 * RATE, 4 * RATE  # looked at together: a file may be marked in part
EXCERPT = 3 * RATE  # in which other speeds are tried
SPEEDS = 1 + 8e-5 * np.arange(-125, 126)  # 1 % slower to 1 % faster, in steps over which an excerpt stays in phase

Spectra = npt.NDArray[np.complex128]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Detection:
    """``score``: how many standard deviations the best match stands out of chance; ``found``: it is 7.5 or more."""

    found: bool
    score: float


def watermark(audio: Audio) -> Audio:
    """``audio`` (n,) at any rate with the watermark in it, at the same rate and length; silence stays silence.

    A peak that would go beyond full scale lowers the whole by a fraction of a decibel.
    """
    low = resample(audio, RATE).samples
    noise = np.zeros(len(low), np.float32)
    for start in range(0, len(low), BLOCK):
        first = max(0, start - MARGIN)
        piece = _noise_under(low[first : start + BLOCK + MARGIN], first)
        noise[start : start + BLOCK] = piece[start - first :][:BLOCK]
    wide = resample(Audio(noise, RATE), audio.rate).samples[: len(audio.samples)]
    marked = audio.samples + np.pad(wide, (0, len(audio.samples) - len(wide)))
    return Audio(marked / max(np.float32(1), np.abs(marked).max(initial=0)), audio.rate)


def detect(audio: Audio) -> Detection:
    """Whether our watermark is in ``audio`` (any rate and length), or in a stretch of it of some seconds."""
    sound = resample(audio, RATE).samples
    best = 0.0
    if not sound.any():
        return Detection(False, best)
    for start in range(0, max(1, len(sound) - STEP), STEP):
        best = max(best, _score(_folded(_equalised(sound[start : start + WINDOW])), fine=True))
        if best >= THRESHOLD:
            return Detection(True, best)
    best = max(best, *(_score(_folded(other), fine=False) for other in _at_other_speeds(sound)))
    return Detection(best >= THRESHOLD, best)


def _noise_under(samples: Samples, start: int) -> Floats:
    """The watermark for ``samples`` (n,), which begin ``start`` samples into the sound: (n,)."""
    carrier = np.resize(np.roll(np.fft.irfft(_carrier()), -start), len(samples))
    spectra, pure = _spectra(samples), _spectra(carrier)
    level = np.sqrt(_level(np.abs(spectra) ** 2))
    return _sound(_depth() * level * pure / np.maximum(np.abs(pure), 1e-12), len(samples))


def _at_other_speeds(sound: Samples) -> Iterator[Floats]:
    """The loudest part of ``sound``, made equally loud, as it would be at each of ``SPEEDS``."""
    loud = np.cumsum(np.pad(sound.astype(np.float64) ** 2, (1, 0)))
    start = int(np.argmax(loud[EXCERPT:] - loud[:-EXCERPT])) if len(sound) > EXCERPT else 0
    excerpt = _equalised(sound[start : start + EXCERPT])
    twice = np.fft.irfft(np.fft.rfft(excerpt), 2 * len(excerpt))
    time = np.arange(int(len(excerpt) / SPEEDS[-1]), dtype=np.float64)
    for speed in SPEEDS:
        yield twice[(2 * speed * time + 0.5).astype(np.intp)]


def _equalised(samples: Samples) -> Floats:
    """``samples`` (n,) with every frequency about as loud at every time, less where there is hardly more than noise."""
    spectra = _spectra(samples)
    size = np.abs(spectra)
    floor = 1e-8 * size.max() ** 2 + 1e-30
    level = _level(size**2) + floor
    noise = np.percentile(level, 10, axis=0)
    return _sound(_depth() * level / (level + 2 * noise) * spectra / (size + 0.05 * np.sqrt(level)), len(samples))


def _folded(samples: Floats) -> Floats:
    """The sum of all periods: (PERIOD,)."""
    folded: Floats = np.pad(samples, (0, -len(samples) % PERIOD)).reshape(-1, PERIOD).sum(axis=0)
    return folded


def _score(folded: Floats, fine: bool) -> float:
    """How far the best shift stands out of all; ``fine`` looks between two samples, too."""
    match = np.fft.irfft(np.fft.rfft(folded) * np.conj(_carrier()), PERIOD * (2 if fine else 1))
    spread = float(match.std())
    return float(np.abs(match).max()) / spread if spread > 0 else 0.0


@cache
def _carrier() -> Spectra:
    """The spectrum (PERIOD // 2 + 1,) of one period of the noise, equally strong all over the band."""
    bits = np.unpackbits(np.frombuffer(hashlib.shake_256(KEY).digest(PERIOD // 8), np.uint8))
    spectrum = np.fft.rfft(bits * 2.0 - 1.0)
    frequency = np.fft.rfftfreq(PERIOD, 1 / RATE)
    spectrum /= np.abs(spectrum)
    spectrum[(frequency < LOW) | (frequency > HIGH)] = 0
    return spectrum


@cache
def _depth() -> Floats:
    """How loud the noise is beside what is heard, by frequency: (FRAME // 2 + 1,)."""
    frequency = np.fft.rfftfreq(FRAME, 1 / RATE)
    return np.where((frequency < LOW) | (frequency > HIGH), 0.0, DEPTH * np.minimum(frequency / FULL_FROM, 1))


def _level(power: Floats) -> Floats:
    """The power (frames, bins) around each: of bins to both sides, and of this frame and the two before.

    A sound hides another one for longer after it than before.
    """
    bins = power.shape[1]
    total = np.cumsum(np.pad(power, ((2, 0), (SPREAD + 1, SPREAD))), axis=1)
    near = total[:, -bins:] - total[:, :bins]
    return (near[2:] + near[1:-1] + near[:-2]) / (3 * (2 * SPREAD + 1))


@cache
def _window() -> Floats:
    return np.sin(np.pi * (np.arange(FRAME) + 0.5) / FRAME)


def _spectra(samples: npt.NDArray[np.floating]) -> Spectra:
    """Of half overlapping frames: (frames, FRAME // 2 + 1)."""
    padded = np.pad(samples.astype(np.float64), (FRAME // 2, FRAME // 2 + -len(samples) % (FRAME // 2)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[:: FRAME // 2]
    return np.fft.rfft(frames * _window(), axis=1)


def _sound(spectra: Spectra, length: int) -> Floats:
    """What ``_spectra`` took apart: (length,)."""
    halves = (np.fft.irfft(spectra, FRAME, axis=1) * _window()).reshape(len(spectra), 2, FRAME // 2)
    joined: Floats = (halves[:-1, 1] + halves[1:, 0]).reshape(-1)
    return joined[:length]
