"""Between a recording of any length, rate and form and the stretches of it that are heard one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from webui.audio.convert import resampled
from webui.audio.vad import RATE
from webui.types import Audio, Samples, Segment

BLOCK_SECONDS = 10.0  # a long recording is taken in such pieces


def blocks(audio: Audio | Iterable[Audio]) -> Iterator[Audio]:
    """The recording at 16 kHz in blocks of 10 s at most, whatever it came as; NaN and infinity are silence."""
    for samples in resampled(_pieces(audio), RATE):
        yield Audio(np.nan_to_num(samples, posinf=0.0, neginf=0.0), RATE)


def later(segment: Segment, seconds: float) -> Segment:
    """The segment of a stretch, told from the beginning of the recording."""
    return replace(
        segment,
        start=segment.start + seconds,
        end=segment.end + seconds,
        words=tuple(replace(w, start=w.start + seconds, end=w.end + seconds) for w in segment.words),
        events=tuple(replace(e, start=e.start + seconds, end=e.end + seconds) for e in segment.events),
    )


def _pieces(audio: Audio | Iterable[Audio]) -> Iterator[tuple[Samples, int]]:
    for block in (audio,) if isinstance(audio, Audio) else audio:
        step = round(BLOCK_SECONDS * block.rate)
        for at in range(0, len(block.samples), step):
            yield block.samples[at : at + step], block.rate
