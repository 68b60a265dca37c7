"""A long recording for engines that hear sounds as well as words: cut where somebody speaks, nothing loud left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np

from webui.audio.stretches import blocks
from webui.audio.vad import MAX_SPEECH_SECONDS, RATE, Speech
from webui.errors import AudioError
from webui.types import Audio, Samples

MERGED_SECONDS = 15.0  # stretches of speech that lie close together share a segment of this length at most
CLOSE_SECONDS = 1.0
QUIET_PEAK = 10 ** (-40 / 20)  # what lies between stretches and never gets louder than -40 dBFS is not listened to


class Finder(Protocol):
    """Finds speech in one stream of 16 kHz sound, as ``webui.audio.vad.SpeechDetector`` does."""

    @property
    def settled(self) -> float:
        """Seconds of the stream in which no further stretch can begin, and none is open."""
        ...

    def feed(self, samples: Samples) -> Iterable[Speech]:
        """Take the next samples (n,); give the stretches that ended in them."""
        ...

    def finish(self) -> Iterable[Speech]:
        """The stream has ended: give the stretch that was still open, if any."""
        ...


@dataclass(frozen=True, eq=False)
class Stretch:
    """A part of a recording, ``start`` in seconds; ``speech`` is None where nobody has looked whether it is any."""

    start: float
    audio: Audio
    speech: bool | None

    @property
    def end(self) -> float:
        """Seconds from the beginning of the recording."""
        return self.start + self.audio.duration


def listen(audio: Audio | Iterable[Audio], finder: Finder) -> Iterator[Stretch]:
    """The recording in stretches of at most 30 s, in order: whole if it is no longer than that, else cut by ``finder``.

    What lies between stretches of speech and is loud enough to be something comes as a stretch too. Memory does not
    grow with the recording. Raises ``AudioError`` where the recording is empty.
    """
    source = blocks(audio)
    first: list[Audio] = []
    while sum(len(block.samples) for block in first) <= MAX_SPEECH_SECONDS * RATE:
        block = next(source, None)
        if block is None:
            samples = np.concatenate([b.samples for b in first]) if first else np.zeros(0, np.float32)
            if not len(samples):
                raise AudioError("empty", "The recording is empty: record again or choose another file.")
            yield Stretch(0.0, Audio(samples, RATE), None)
            return
        first.append(block)
    yield from _Cutter(finder).run(chain(first, source))


class _Cutter:
    """One long recording on its way through a finder. Positions are samples from its start."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._kept: Samples = np.zeros(0, np.float32)  # what may still be wanted
        self._kept_from = 0
        self._told = 0  # up to where stretches were yielded
        self._open: tuple[int, int] | None = None  # speech that may still be joined by more

    def run(self, source: Iterable[Audio]) -> Iterator[Stretch]:
        for block in source:
            self._kept = np.concatenate((self._kept, block.samples))
            for speech in self._finder.feed(block.samples):
                yield from self._take(speech)
            yield from self._settle(round(self._finder.settled * RATE))
        for speech in self._finder.finish():
            yield from self._take(speech)
        yield from self._close()
        yield from self._between(self._kept_from + len(self._kept))

    def _take(self, speech: Speech) -> Iterator[Stretch]:
        start = max(self._told, round(speech.start * RATE))
        end = min(start + len(speech.audio.samples), self._kept_from + len(self._kept))
        if self._open is not None:
            near = start - self._open[1] < CLOSE_SECONDS * RATE
            if near and end - self._open[0] <= MERGED_SECONDS * RATE:
                self._open = (self._open[0], end)
                return
            yield from self._close()
        self._open = (start, end)

    def _settle(self, quiet: int) -> Iterator[Stretch]:
        """Nothing begins before ``quiet`` any more: tell what cannot change, and forget it."""
        if self._open is not None and quiet - self._open[1] >= CLOSE_SECONDS * RATE:
            yield from self._close()
        while self._open is None and quiet - self._told > MAX_SPEECH_SECONDS * RATE:
            yield from self._between(self._told + round(MAX_SPEECH_SECONDS * RATE))
        self._kept = self._kept[self._told - self._kept_from :].copy()
        self._kept_from = self._told

    def _close(self) -> Iterator[Stretch]:
        if self._open is not None:
            start, end = self._open
            self._open = None
            yield from self._between(start)
            yield self._stretch(start, end, speech=True)
            self._told = end

    def _between(self, until: int) -> Iterator[Stretch]:
        """What was heard since the last stretch, if it lasted and was loud enough to be anything."""
        for start in range(self._told, until, round(MAX_SPEECH_SECONDS * RATE)):
            stretch = self._stretch(start, min(until, start + round(MAX_SPEECH_SECONDS * RATE)), speech=False)
            loud = float(np.abs(stretch.audio.samples).max(initial=0.0)) > QUIET_PEAK
            if loud and stretch.audio.duration >= CLOSE_SECONDS:
                yield stretch
        self._told = max(self._told, until)

    def _stretch(self, start: int, end: int, speech: bool) -> Stretch:
        samples = self._kept[start - self._kept_from : end - self._kept_from]
        return Stretch(start / RATE, Audio(samples.copy(), RATE), speech)
