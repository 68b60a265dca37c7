"""How much of a sentence to have spoken at once, so that the listener does not wait in silence.

A synthesizer that is not much faster than speech leaves a gap where a long sentence follows a short one. So a sentence
that cannot be made in the time that what is still to be played leaves is cut at a clause; once enough is ahead,
sentences stay whole, which sounds best.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator

from webui.text.pieces import width
from webui.types import SpeechChunk

# Width of the shortest clause that is worth saying by itself, and the shortest rest that is worth a cut.
LEAST = 14
# Seconds of silence between two sentences that nobody takes for a gap.
UNHEARD_S = 0.2
# An engine whose first sound takes less than this part of its time gives it out while it makes the rest.
STREAMS_BELOW = 0.4

_CLAUSE = re.compile(r"[，；：]|[,;:—](?=\s)")


class Pacer:
    """Of one reply. It learns how fast the synthesizer is, and keeps account of what is still to be played."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = 0.0  # when what was given out will have been played
        self._made_s = 0.0
        self._made = 0  # width of what took so long
        self._streams = False

    def cut(self, sentence: str) -> tuple[str, str]:
        """The part of ``sentence`` to be spoken now, and the rest of it."""
        if self._made and not self._streams:
            cost = self._made_s / self._made
            ahead = max(0.0, self._end - self._clock()) + UNHEARD_S
            if width(sentence) * cost > ahead:
                ends = [match.end() for match in _CLAUSE.finditer(sentence)]
                ends = [end for end in ends if min(width(sentence[:end]), width(sentence[end:].strip())) >= LEAST]
                in_time = [end for end in ends if width(sentence[:end]) * cost <= ahead]
                if ends:
                    end = in_time[-1] if in_time else ends[0]
                    return sentence[:end], sentence[end:].strip()
        return sentence, ""

    def watch(self, text: str, speech: Iterable[SpeechChunk]) -> Iterator[SpeechChunk]:
        """``speech`` as it comes, which says ``text``; how long that takes is noted."""
        begun = self._clock()
        first, took = -1.0, 0.0
        for chunk in speech:
            now = self._clock()
            took += now - begun
            first = took if first < 0 else first
            self._end = max(self._end, now) + chunk.audio.duration
            yield chunk
            begun = self._clock()
        if first >= 0:
            self._streams = self._streams or first < STREAMS_BELOW * took
            self._made_s += took
            self._made += width(text)
