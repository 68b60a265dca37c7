"""How a stretch of speech is said, in numbers: melody, loudness movement, voice quality, pace.

Every number is unchanged by gain, and none looks above 4 kHz, so that a telephone and a studio compare.
Pitch comes from SwiftF0 (MIT, arXiv:2508.18440); the spectral measures follow the Geneva minimalistic set
(Eyben et al., IEEE Trans. Affective Computing 7(2), 2016), written anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from webui.types import Audio

RATE = 16_000
HOP = 256  # samples; SwiftF0's frame
FRAME = 1024  # samples; 64 ms, so that the harmonics of a low voice stand apart
MAX_SECONDS = 60.0  # what lies beyond is not looked at
F0_RANGE = (60.0, 600.0)  # Hz
SPEECH_FLOOR_DB = -25.0  # a frame this far under the loud ones is a pause
MIN_VOICED_FRAMES = 12  # 0.2 s: with less there is no melody to measure

Floats = npt.NDArray[np.float64]

NAMES = (
    "f0_median_st",
    "f0_std_st",
    "f0_upper_st",
    "f0_lower_st",
    "f0_speed_st_s",
    "f0_declination_st_s",
    "f0_roughness_st",
    "voiced_share",
    "voiced_run_s",
    "pause_share",
    "level_std_db",
    "level_range_db",
    "level_speed_db_s",
    "peaks_per_s",
    "hnr_db",
    "hnr_std_db",
    "alpha_db",
    "alpha_std_db",
    "alpha_per_level",
    "hammarberg_db",
    "slope_low_db",
    "slope_mid_db",
    "h1_h2_db",
    "flux",
)


@dataclass(frozen=True, eq=False)
class Prosody:
    """``values`` in the order of ``NAMES``; ``speech`` says for each 16 ms frame whether someone speaks in it.

    ``values`` is None where fewer than ``MIN_VOICED_FRAMES`` frames have a pitch: noise, a breath, a click.
    """

    values: Floats | None
    speech: npt.NDArray[np.bool_]


@lru_cache(maxsize=1)
def _tracker() -> Any:
    from swift_f0 import SwiftF0

    return SwiftF0(threads=1, spin=False)


def measure(audio: Audio) -> Prosody:
    """Measure ``audio`` (16 kHz, at most ``MAX_SECONDS`` of it). Raises ``ValueError`` for another rate."""
    if audio.rate != RATE:
        raise ValueError(f"prosody wants {RATE} Hz, got {audio.rate}")
    x = np.nan_to_num(audio.samples[: round(MAX_SECONDS * RATE)], posinf=0.0, neginf=0.0)
    count = len(x) // HOP
    if count < MIN_VOICED_FRAMES or not x.any():
        return Prosody(None, np.zeros(count, dtype=bool))
    x = x - x.mean()
    power = np.square(_frames(x, count), dtype=np.float64).mean(axis=1) + 1e-12
    loud = np.percentile(power, 95)
    x = (x * (0.1 / np.sqrt(loud))).astype(np.float32)  # the tracker was trained near this level
    pitch = _tracker().detect(np.clip(x, -1, 1), RATE, *F0_RANGE)
    level = 10 * np.log10(power / loud)
    speech = level > SPEECH_FLOOR_DB
    voiced = (pitch.confidence[:count] >= 0.5) & speech
    if voiced.sum() < MIN_VOICED_FRAMES:
        return Prosody(None, speech)
    st = 12 * np.log2(np.maximum(pitch.pitch_hz[:count], 1.0) / 100)
    spectrum = np.abs(np.fft.rfft(_frames(x, count) * np.hanning(FRAME), 2 * FRAME)) ** 2 + 1e-9
    values = [*_melody(st, voiced), *_pace(level, speech, voiced), *_quality(st, level, voiced, spectrum)]
    return Prosody(np.array(values), speech)


def _frames(x: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.float32]:
    """``count`` overlapping frames (count, FRAME), centred on the tracker's hops."""
    padded = np.pad(x, (FRAME // 2, FRAME))
    return np.lib.stride_tricks.sliding_window_view(padded, FRAME)[HOP // 2 :: HOP][:count]


def _runs(mask: npt.NDArray[np.bool_]) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return [slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _melody(st: Floats, voiced: npt.NDArray[np.bool_]) -> tuple[float, ...]:
    """Semitones over 100 Hz; percentiles, because a tracker errs by octaves."""
    seconds = HOP / RATE
    p10, p50, p90 = np.percentile(st[voiced], (10, 50, 90))
    kept = voiced & (np.abs(st - p50) < 14)
    runs = [r for r in _runs(kept) if r.stop - r.start >= 4]
    speed = np.concatenate([np.abs(np.diff(st[r])) for r in runs]) if runs else np.zeros(1)
    bend = np.concatenate([np.abs(np.diff(st[r], 2)) for r in runs]) if runs else np.zeros(1)
    at = np.flatnonzero(kept) * seconds
    fall = np.polyfit(at, st[kept], 1)[0] if np.ptp(at) > 0.5 else 0.0
    return (
        p50,
        float(st[kept].std()),
        p90 - p50,
        p50 - p10,
        float(np.minimum(speed, 2).mean()) / seconds,
        float(np.clip(fall, -8, 8)),
        float(np.minimum(bend, 2).mean()),
    )


def _pace(level: Floats, speech: npt.NDArray[np.bool_], voiced: npt.NDArray[np.bool_]) -> tuple[float, ...]:
    first, last = np.flatnonzero(speech)[[0, -1]]
    inside = slice(first, last + 1)
    seconds = (last + 1 - first) * HOP / RATE
    runs = [r.stop - r.start for r in _runs(voiced)]
    shape = np.maximum(level[inside], SPEECH_FLOOR_DB)
    smooth = np.convolve(shape, np.hanning(9) / np.hanning(9).sum(), "same")
    top = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:]) & (smooth[1:-1] > SPEECH_FLOOR_DB + 10)
    p10, p90 = np.percentile(level[voiced], (10, 90))
    return (
        float(voiced[inside].sum() / max(speech[inside].sum(), 1)),
        float(np.mean(runs)) * HOP / RATE,
        float(1 - speech[inside].mean()),
        float(level[voiced].std()),
        p90 - p10,
        float(np.abs(np.diff(smooth)).mean()) * RATE / HOP,
        float(top.sum() / seconds),
    )


def _quality(st: Floats, level: Floats, voiced: npt.NDArray[np.bool_], spectrum: Floats) -> tuple[float, ...]:
    """Of the voiced frames: how harmonic, how bright, how the brightness follows the loudness."""
    at = np.flatnonzero(voiced)
    power, f0 = spectrum[at], 100 * 2 ** (st[at] / 12)
    step = RATE / (2 * FRAME)

    def band(low: float, high: float) -> Floats:
        part: Floats = power[:, round(low / step) : round(high / step)]
        return part

    def db(x: Floats) -> Floats:
        return 10 * np.log10(x)

    alpha = db(band(1000, 3800).sum(1)) - db(band(60, 1000).sum(1))
    hammarberg = db(band(60, 2000).max(1)) - db(band(2000, 3800).max(1))
    mean_spectrum = db(band(0, 3800) / band(60, 3800).sum(1, keepdims=True)).mean(0)

    def slope(low: float, high: float) -> float:
        y = mean_spectrum[round(low / step) : round(high / step)]
        return float(np.polyfit(np.arange(len(y)) * step / 1000, y, 1)[0])

    correlation = np.fft.irfft(spectrum[at])
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(FRAME), 2 * FRAME)) ** 2)
    lag = np.clip(np.rint(RATE / f0).astype(int), 1, FRAME // 2)
    row = np.arange(len(at))
    near = np.max([correlation[row, lag + k] / window[lag + k] for k in (-1, 0, 1)], axis=0)
    strength = np.clip(near * window[0] / correlation[:, 0], 0.02, 0.995)
    hnr = db(strength / (1 - strength))

    def harmonic(number: int) -> Floats:
        middle = np.clip(np.rint(number * f0 / step).astype(int), 2, power.shape[1] - 3)
        return db(np.max([power[row, middle + k] for k in (-2, -1, 0, 1, 2)], axis=0))

    shape = np.sqrt(band(60, 3800) / band(60, 3800).sum(1, keepdims=True))
    beside = np.diff(at) == 1
    flux = np.square(np.diff(shape, axis=0)).sum(1)[beside]
    loudness = level[at] - level[at].mean()
    follow = float((loudness * alpha).mean() / max(np.square(loudness).mean(), 1.0))
    return (
        float(hnr.mean()),
        float(hnr.std()),
        float(alpha.mean()),
        float(alpha.std()),
        follow,
        float(hammarberg.mean()),
        slope(60, 600),
        slope(600, 1800),
        float((harmonic(1) - harmonic(2)).mean()),
        float(flux.mean()) if len(flux) else 0.0,
    )
