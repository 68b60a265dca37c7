"""How loud a sound is to the ear (ITU-R BS.1770), and a given loudness without overload."""

from __future__ import annotations

import numpy as np

from webui.audio.convert import is_silent
from webui.types import Audio, Samples

TARGET = -16.0  # LUFS, usual for speech that is listened to on the go
CEILING = -1.0  # dB below full scale; room for what MP3 adds to peaks
LOOK_AHEAD_S = 0.005  # the limiter begins to act so long before a peak, and lets go as long after it
OVERSAMPLED = 4  # a peak may lie between two samples (BS.1770, annex 2)
BLOCK = 2**20  # samples at a time
NEAR = 64  # samples that the resampling looks at beyond a block
ROUNDS = 4  # limiting takes some loudness away, which is given back before it is limited anew


def loudness(audio: Audio) -> float | None:
    """Integrated loudness in LUFS, to a tenth; None for silence and what is shorter than 0.4 seconds."""
    import loudness as bs1770

    if is_silent(audio) or audio.duration < 0.4:
        return None
    measured = bs1770.integrated_loudness(audio.samples, audio.rate)
    return measured if np.isfinite(measured) else None


def levelled(audio: Audio, target: float = TARGET, ceiling: float = CEILING) -> Audio:
    """``audio`` at ``target`` LUFS, no peak above ``ceiling`` dBFS (at most 0), between the samples neither.

    What is silent or too short to be measured keeps its loudness. What would have to be limited hard stays a little
    below the target.
    """
    peak = 10 ** (ceiling / 20)
    measured = loudness(audio)
    if measured is None:
        return Audio(_limited(audio.samples, audio.rate, peak), audio.rate)
    gain, out = 0.0, audio
    for _ in range(ROUNDS):
        gain += target - measured
        out = Audio(_limited(audio.samples * np.float32(10 ** (gain / 20)), audio.rate, peak), audio.rate)
        measured = loudness(out) or target
        if abs(target - measured) < 0.1:
            break
    return out


def _limited(samples: Samples, rate: int, peak: float) -> Samples:
    """``samples`` (n,), turned down around every peak above ``peak``; the gain moves no faster than the look-ahead."""
    heights = _heights(samples)
    if heights.max(initial=0) <= peak:
        return samples
    reach = max(1, round(LOOK_AHEAD_S * rate))
    needed = np.minimum(1, peak / np.maximum(heights, peak))
    lowest = _lowest(_lowest(needed, reach)[::-1], reach)[::-1]
    # A mean of values none of which is above what its middle needs is not above it either.
    sums = np.cumsum(np.pad(lowest.astype(np.float64), (reach + 1, reach), mode="edge"))
    gain = (sums[2 * reach + 1 :] - sums[: -2 * reach - 1]) / (2 * reach + 1)
    return np.clip(samples * gain, -peak, peak).astype(np.float32)


def _lowest(values: Samples, reach: int) -> Samples:
    """The lowest of each value and the ``reach`` after it: (n,)."""
    low, covered = np.pad(values, (0, reach), constant_values=1), 1
    while covered <= reach:
        step = min(covered, reach + 1 - covered)
        low = np.minimum(low[: len(low) - step], low[step:])
        covered += step
    return low


def _heights(samples: Samples) -> Samples:
    """The height of the wave around each sample, between it and the next too: (n,)."""
    import soxr

    out = np.abs(samples)
    for start in range(0, len(samples), BLOCK):
        first = max(0, start - NEAR)
        dense = np.abs(soxr.resample(samples[first : start + BLOCK + NEAR], 1, OVERSAMPLED))
        count = min(BLOCK, len(samples) - start)
        skip = (start - first) * OVERSAMPLED
        dense = np.pad(dense[skip : skip + count * OVERSAMPLED], (0, max(0, skip + count * OVERSAMPLED - len(dense))))
        between = dense.reshape(count, OVERSAMPLED).max(axis=1)
        out[start : start + count] = np.maximum(out[start : start + count], between)
    return out
