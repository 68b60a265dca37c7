"""Recordings in blocks of one rate; segments told from the beginning of the recording."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.scripted import tone
from webui.audio.stretches import blocks, later
from webui.types import Audio, Event, EventSpan, Segment, Word

RATE = 16_000


def test_blocks_are_short_and_have_no_holes() -> None:
    broken = tone(25.0, RATE).samples.copy()
    broken[100] = np.nan
    found = list(blocks(Audio(broken, RATE)))
    assert [b.duration for b in found] == [10.0, 10.0, 5.0]
    assert found[0].samples[100] == 0.0


def test_no_more_is_read_than_is_asked_for() -> None:
    taken = 0

    def endless() -> Iterator[Audio]:
        nonlocal taken
        while True:
            taken += 1
            yield tone(10.0, RATE)

    assert len(next(blocks(endless())).samples) == 10 * RATE and taken == 1


def test_any_rate_becomes_16_khz_without_a_seam() -> None:
    parts = [tone(0.7, 48_000), tone(1.3, 48_000)]
    heard = np.concatenate([b.samples for b in blocks(iter(parts))])
    assert abs(len(heard) - 2 * RATE) < 5


def test_everything_in_a_segment_is_told_later() -> None:
    segment = Segment(1, 2, "x", words=(Word("x", 1.5, 1.75),), events=(EventSpan(Event.COUGH, 1, 1.25),))
    moved = later(segment, 10.0)
    assert (moved.start, moved.end, moved.text) == (11, 12, "x")
    assert moved.words == (Word("x", 11.5, 11.75),) and moved.events == (EventSpan(Event.COUGH, 11, 11.25),)
