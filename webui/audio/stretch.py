"""Speech faster or slower at the same pitch: FFmpeg's ``atempo`` (overlap-add by similarity, LGPL), through PyAV."""

from __future__ import annotations

from typing import Any

import numpy as np

from webui.types import Samples

SLOWEST, FASTEST = 0.5, 2.0
BLOCK_S = 0.02  # the filter's sound depends a little on how it is fed, so it is always fed the same
PAD_S = 0.1  # the filter keeps back what does not fill a window of it


class Stretcher:
    """One stream of sound at ``rate`` Hz, played ``speed`` times as fast (0.5 to 2) at the pitch it has.

    What comes out does not depend on how the stream was cut. It lags some tens of milliseconds behind what was fed.
    Raises ``ValueError`` for a speed out of range.
    """

    def __init__(self, rate: int, speed: float) -> None:
        if not SLOWEST <= speed <= FASTEST:
            raise ValueError(f"speed must be {SLOWEST} to {FASTEST:g}, got {speed}")
        self._rate = rate
        self._speed = speed
        self._rest = np.zeros(0, np.float32)  # fed, but no whole block yet
        self._fed = self._given = 0
        self._graph: Any = None if speed == 1.0 else _graph(rate, speed)

    def feed(self, samples: Samples) -> Samples:
        """Take the next samples (n,); give (m,) that are ready, often none."""
        self._fed += len(samples)
        if self._graph is None:
            return samples
        return self._through(samples)

    def finish(self) -> Samples:
        """The stream has ended: give the rest. Together it is ``fed / speed`` samples, to the nearest."""
        if self._graph is None or not self._fed:
            return np.zeros(0, np.float32)
        due = round(self._fed / self._speed) - self._given
        tail = self._through(np.zeros(round(PAD_S * self._rate), np.float32))
        self._graph.push(None)
        tail = np.concatenate([tail, self._pull()])[:due]
        return np.pad(tail, (0, due - len(tail)))

    def _through(self, samples: Samples) -> Samples:
        import av

        samples = np.concatenate([self._rest, samples])
        block = round(BLOCK_S * self._rate)
        whole = len(samples) // block * block
        self._rest = samples[whole:]
        for at in range(0, whole, block):
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + block], format="flt", layout="mono")
            frame.sample_rate = self._rate
            self._graph.push(frame)
        out = self._pull()
        self._given += len(out)
        return out

    def _pull(self) -> Samples:
        import av

        pieces = [np.zeros(0, np.float32)]
        try:
            while True:
                pieces.append(self._graph.pull().to_ndarray()[0])
        except (av.BlockingIOError, av.EOFError):  # no more for now; no more at all
            return np.clip(np.concatenate(pieces), -1.0, 1.0)


def stretched(samples: Samples, rate: int, speed: float) -> Samples:
    """The whole of ``samples`` (n,) at ``rate`` Hz, ``speed`` times as fast (0.5 to 2): (round(n / speed),)."""
    stretcher = Stretcher(rate, speed)
    return np.concatenate([stretcher.feed(samples), stretcher.finish()])


def _graph(rate: int, speed: float) -> Any:
    import av

    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=rate, format="flt", layout="mono")
    tempo = graph.add("atempo", f"{speed:.6f}")
    sink = graph.add("abuffersink")
    source.link_to(tempo)
    tempo.link_to(sink)
    graph.configure()
    return graph
