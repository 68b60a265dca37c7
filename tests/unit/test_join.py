"""Seams that nobody hears."""

import numpy as np
import pytest

from webui.audio.convert import to_pcm16
from webui.audio.join import FADE_S, Joiner, joined
from webui.types import Samples

RATE = 24_000
FADE = round(FADE_S * RATE)


def tone(seconds: float, hertz: float, phase: float, offset: float = 0.0, level: float = 0.5) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    return (offset + level * np.sin(2 * np.pi * hertz * time + phase)).astype(np.float32)


def test_steps_and_offsets_leave_no_click() -> None:
    pieces = [tone(0.3, 200, 1.5, 0.2), tone(0.2, 310, -1.5, -0.2), tone(0.3, 150, 1.0, 0.1)]
    assert np.abs(np.diff(np.concatenate(pieces), 2)).max() > 0.5, "the bare pieces click"
    out = joined(pieces, RATE)
    assert len(out) == sum(map(len, pieces)) - 2 * FADE
    # at worst a step of 1.4 spread over ten milliseconds by a raised cosine, and the tones' own curvature
    assert np.abs(np.diff(out, 2, prepend=[0, 0], append=[0, 0])).max() < 0.01


def test_away_from_the_seams_nothing_is_changed() -> None:
    first, second = tone(0.3, 200, 0), tone(0.3, 300, 0)
    out = joined([first, second], RATE)
    np.testing.assert_array_equal(out[FADE : len(first) - FADE], first[FADE:-FADE])
    np.testing.assert_array_equal(out[len(first) : -FADE], second[FADE:-FADE])


def test_full_scale_stays_full_scale() -> None:
    out = joined([np.ones(2000, np.float32), np.ones(2000, np.float32), -np.ones(2000, np.float32)], RATE)
    assert np.abs(out).max() <= 1.0
    pcm = to_pcm16(out)
    assert pcm[1900] == 32767
    assert np.abs(np.diff(pcm.astype(int))).max() < 1000, "nothing wraps"


def test_a_stream_gives_what_the_whole_gives() -> None:
    pieces = [tone(0.1, 200, 1), tone(0.003, 250, 1), np.zeros(0, np.float32), tone(0.2, 300, 1)]
    joiner = Joiner(RATE)
    out = []
    for i, piece in enumerate(pieces):
        if i:
            joiner.seam()
        out += [joiner.feed(part) for part in np.array_split(piece, 37)]
    out.append(joiner.finish())
    np.testing.assert_array_equal(np.concatenate(out), joined(pieces, RATE))


def test_only_a_fade_is_held_back() -> None:
    joiner = Joiner(RATE)
    assert len(joiner.feed(tone(0.1, 200, 0))) == round(0.1 * RATE) - FADE
    assert len(joiner.feed(tone(0.1, 200, 0))) == round(0.1 * RATE)


@pytest.mark.parametrize("lengths", [[], [0], [1], [1, 1], [5, 0, 5], [FADE - 1, FADE + 1]])
def test_next_to_nothing(lengths: list[int]) -> None:
    out = joined([np.full(n, 0.3, np.float32) for n in lengths], RATE)
    assert out.dtype == np.float32
    assert len(out) <= max(sum(lengths), FADE if any(lengths) else 0)
    assert np.abs(out).max(initial=0.0) <= 0.3
