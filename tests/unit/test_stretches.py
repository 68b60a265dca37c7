"""A recording in stretches: short ones whole, long ones where somebody speaks, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.scripted import tone
from webui.audio.stretches import blocks, stretches
from webui.errors import AudioError
from webui.types import Audio

RATE = 16_000


def test_a_short_recording_is_one_stretch_whatever_is_in_it() -> None:
    parts = [tone(0.7, 48_000), tone(29.0, 48_000)]
    ((start, heard),) = stretches(iter(parts))
    assert (start, heard.rate) == (0.0, RATE) and heard.duration == pytest.approx(29.7, abs=0.01)
    ((_, quiet),) = stretches(Audio(np.zeros(5, np.float32), RATE))
    assert len(quiet.samples) == 5


def test_of_a_long_recording_only_what_is_spoken_is_there() -> None:
    assert list(stretches(Audio(np.zeros(31 * RATE, np.float32), RATE))) == []


@pytest.mark.parametrize("nothing", [Audio(np.zeros(0, np.float32), RATE), ()])
def test_nothing_at_all_is_said_to_be_nothing(nothing: Audio | tuple[()]) -> None:
    with pytest.raises(AudioError) as caught:
        list(stretches(nothing))
    assert caught.value.key == "empty"


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
