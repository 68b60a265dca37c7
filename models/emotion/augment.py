"""Other microphones, rooms and voices: what a recording of the same feeling could also have sounded like.

All functions take and return float32 samples at 16 kHz. ``vary`` is for training; ``SHIFTS`` are harsher and
only ever test.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import av
import numpy as np
import numpy.typing as npt
import soxr

RATE = 16_000
Samples = npt.NDArray[np.float32]
Rng = np.random.Generator


def resize(x: Samples, factor: float) -> Samples:
    """Another throat: pitch, formants and pace all times ``factor``, as a tape played faster."""
    return np.asarray(soxr.resample(x, RATE * factor, RATE), dtype=np.float32)


def stretch(x: Samples, factor: float) -> Samples:
    """Another pace, same voice: ``factor`` times as fast, by overlap-add at the best matching offset (WSOLA)."""
    size, hop, reach = 480, 240, 160
    window = np.hanning(size + 1)[:size].astype(np.float32)
    padded = np.pad(x, (reach, size + 2 * reach + hop))
    out = np.zeros(int(len(x) / factor) + size, dtype=np.float32)
    at = reach
    for i in range(int(len(x) / factor / hop)):
        wish = reach + int(i * hop * factor)
        if i:
            follow = padded[at + hop : at + hop + size]
            region = padded[wish - reach : wish + reach + size]
            at = wish - reach + int(np.argmax(np.correlate(region, follow, "valid")))
        out[i * hop : i * hop + size] += padded[at : at + size] * window
    return out[: max(1, int(len(x) / factor))]


def filtered(x: Samples, hz: list[float], db: list[float]) -> Samples:
    """Through a response that goes through the points (``hz``, ``db``)."""
    spectrum = np.fft.rfft(x)
    f = np.fft.rfftfreq(len(x), 1 / RATE)
    gain = 10 ** (np.interp(np.log2(f + 20), np.log2(np.array(hz) + 20), db) / 20)
    return np.fft.irfft(spectrum * gain, len(x)).astype(np.float32)


def noisy(x: Samples, noise: Samples, snr: float) -> Samples:
    """With ``noise`` ``snr`` dB under the speech."""
    power = np.mean(np.square(x)) / max(float(np.mean(np.square(noise))), 1e-12) / 10 ** (snr / 10)
    return np.asarray(x + noise[: len(x)] * np.sqrt(power), dtype=np.float32)


def coloured(n: int, rng: Rng, tilt: float) -> Samples:
    """Noise that falls by ``tilt`` dB per octave."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    f = np.fft.rfftfreq(n, 1 / RATE)
    return np.fft.irfft(spectrum * 10 ** (-tilt * np.log2((f + 50) / 1000) / 20), n).astype(np.float32)


def reverberant(x: Samples, rng: Rng, rt60: float, direct_db: float) -> Samples:
    """In a room: an exponential tail of ``rt60`` seconds, the direct sound ``direct_db`` over it."""
    n = int(rt60 * RATE)
    tail = rng.standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    tail *= 10 ** (-direct_db / 20) / np.sqrt(np.square(tail).sum())
    tail[0] = 1.0
    size = len(x) + n
    echo = np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(tail, size), size)
    return np.asarray(echo[: len(x)], dtype=np.float32)


def compressed(x: Samples, strength: float) -> Samples:
    """Through a gain control that takes ``strength`` (0 to 1) of the loudness movement away."""
    envelope = np.sqrt(np.convolve(np.square(x), np.hanning(3200) / 1600, "same") + 1e-9)
    return np.asarray(x * (envelope / envelope.max()) ** -strength, dtype=np.float32)


def companded(x: Samples) -> Samples:
    """Eight-bit mu-law, as on a telephone line."""
    y = x / max(float(np.abs(x).max()), 1e-6)
    code = np.round(np.sign(y) * np.log1p(255 * np.abs(y)) / np.log(256) * 127) / 127
    return np.asarray(np.sign(code) * np.expm1(np.abs(code) * np.log(256)) / 255, dtype=np.float32)


def opus(x: Samples, bits: int) -> Samples:
    """Through an Opus coder at ``bits`` per second."""
    file = io.BytesIO()
    pcm = (np.clip(x, -1, 1) * 32767).astype(np.int16)[None]
    with av.open(file, "w", format="ogg") as out:
        stream = out.add_stream("libopus", rate=RATE, layout="mono")
        stream.bit_rate = bits
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    file.seek(0)
    with av.open(file) as coded:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        parts = [f.to_ndarray()[0] for frame in coded.decode(audio=0) for f in resampler.resample(frame)]
    return (np.concatenate(parts) / 32768).astype(np.float32)


def vary(x: Samples, babble: Samples, rng: Rng) -> Samples:
    """One random other recording of ``x``. ``babble`` is other people's talk, at least as long as ``x``."""
    if rng.random() < 0.5:
        x = resize(x, rng.uniform(0.88, 1.12))
    if rng.random() < 0.3:
        x = stretch(x, rng.uniform(0.88, 1.14))
    if rng.random() < 0.3 and len(x) > 1.5 * RATE:
        n = int(len(x) * rng.uniform(0.6, 0.95))
        start = int(rng.integers(len(x) - n))
        x = x[start : start + n]
    if rng.random() < 0.3:
        x = compressed(x, rng.uniform(0.2, 0.7))
    if rng.random() < 0.7:
        x = filtered(x, [60, 250, 1000, 4000, 8000], list(rng.normal(0, 4, 5)))
    if rng.random() < 0.4:
        x = reverberant(x, rng, rng.uniform(0.15, 0.6), rng.uniform(0, 12))
    if rng.random() < 0.6:
        talk = babble[int(rng.integers(max(1, len(babble) - len(x)))) :]
        noise = talk if rng.random() < 0.3 and len(talk) >= len(x) else coloured(len(x), rng, rng.uniform(0, 8))
        x = noisy(x, noise, rng.uniform(8, 35))
    if rng.random() < 0.25:
        x = filtered(x, [100, 300, 3400, 4000], [-40, 0, 0, -40])
    if rng.random() < 0.2:
        x = companded(x)
    return x


def _phone(x: Samples, babble: Samples, rng: Rng) -> Samples:
    return opus(noisy(filtered(x, [100, 300, 3200, 3800], [-50, 0, 0, -50]), babble, 12), 8_000)


def _room(x: Samples, babble: Samples, rng: Rng) -> Samples:
    far = reverberant(x, rng, 0.9, -3)
    return noisy(filtered(far, [100, 500, 2000, 6000], [3, 2, -4, -12]), coloured(len(x), rng, 5), 12)


def _voice(x: Samples, babble: Samples, rng: Rng) -> Samples:
    factor = float(rng.choice([0.8, 1.22]))
    return stretch(resize(x, factor), 1 / factor)


def _pace(x: Samples, babble: Samples, rng: Rng) -> Samples:
    return stretch(x, float(rng.choice([0.8, 1.22])))


SHIFTS: dict[str, Callable[[Samples, Samples, Rng], Samples]] = {
    "phone": _phone,
    "room": _room,
    "voice": _voice,
    "pace": _pace,
}
