"""Pieces of speech that were made one by one, as one sound without clicks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from webui.types import Samples

FADE_S = 0.01  # too short to be heard as a fade, long enough to hide a step


class Joiner:
    """One stream of pieces at ``rate`` Hz.

    ``feed`` the samples of a piece as they come and call ``seam`` between two pieces: there one fades into the other,
    over ten milliseconds of both, so that a step, of their offsets too, is spread out. The first piece is faded in
    and the last one out. The fades' weights add up to one: what comes out is never louder than what went in.
    """

    def __init__(self, rate: int) -> None:
        self._fade = max(1, round(FADE_S * rate))
        self._held = np.zeros(self._fade, np.float32)  # joined, but a seam may follow: the first piece joins silence
        self._head: Samples | None = np.zeros(0, np.float32)  # behind a seam, too little to join yet
        self._fed = False

    def feed(self, samples: Samples) -> Samples:
        """Take the next samples (n,) of this piece; give (m,) that nothing can change any more."""
        self._fed = self._fed or len(samples) > 0
        if self._head is not None:
            self._head = np.concatenate([self._head, samples])
            if len(self._head) < self._fade:
                return np.zeros(0, np.float32)
            self._join(self._head)
        else:
            self._held = np.concatenate([self._held, samples])
        ready, self._held = np.split(self._held, [max(0, len(self._held) - self._fade)])
        return ready

    def seam(self) -> None:
        """The piece is over; what is fed from now on is the next."""
        if self._head is not None:
            self._join(self._head)
        self._head = np.zeros(0, np.float32)

    def finish(self) -> Samples:
        """The last piece is over: give the rest."""
        if not self._fed:
            return np.zeros(0, np.float32)
        self.seam()
        self._join(np.zeros(min(self._fade, len(self._held)), np.float32))
        return self._held

    def _join(self, head: Samples) -> None:
        n = min(self._fade, len(self._held), len(head))
        rise = np.sin(np.pi / 2 * (np.arange(n, dtype=np.float32) + 0.5) / max(n, 1)) ** 2
        before, tail = np.split(self._held, [len(self._held) - n])
        self._held = np.concatenate([before, tail * (1 - rise) + head[:n] * rise, head[n:]])
        self._head = None


def joined(pieces: Iterable[Samples], rate: int) -> Samples:
    """All of ``pieces``, each (n,) at ``rate`` Hz, as one sound (m,), ten milliseconds shorter at each seam."""
    joiner = Joiner(rate)
    out = [np.zeros(0, np.float32)]
    for i, piece in enumerate(pieces):
        if i:
            joiner.seam()
        out.append(joiner.feed(piece))
    return np.concatenate([*out, joiner.finish()])
