"""The clock and the sums of ``bench.turntaking``, on tones that a recognizer of our own puts words to."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bench import turntaking as bench
from bench.turntaking_set import BEFORE, Item, Recording, in_room, noises, spoken
from webui.audio.vad import RATE
from webui.types import Samples, Segment, Transcript


class Loudness:
    """In the place of Silero: what is loud is speech."""

    def probabilities(self, frames: Samples) -> Samples:
        return (np.abs(frames).max(axis=1) > 0.1).astype(np.float32)


@pytest.fixture(autouse=True)
def loud_is_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "Silero", Loudness)


def tones(*parts: float) -> Recording:
    """Seconds of sound and of silence, in turn."""
    pieces = [np.full(round(s * RATE), 0.0 if i % 2 else 0.5, np.float32) for i, s in enumerate(parts)]
    return in_room(np.concatenate(pieces))


def says(*texts: str, finality: float | None = None) -> bench.Recognise:
    """A recognizer that hears one text after the other, and the last one ever after."""
    left = list(texts)

    def recognise(_: Samples, language: str) -> bench.Told:
        text = left.pop(0) if len(left) > 1 else left[0]
        return bench.Told(Transcript((Segment(0, 1, text, "en", confidence=0.9),) if text else (), 1.0), finality)

    return recognise


def item(kind: str, held_out: bool = False) -> Item:
    return Item(kind, "en", ("",), held_out)


def test_a_finished_turn_waits_for_its_words() -> None:
    recording = tones(1.0)
    assert recording.over == BEFORE + 1.0
    outcome = bench.turn(item("finished"), recording, says("What is it?"), 0.4)
    assert not outcome.wrong and outcome.wait == pytest.approx(0.48, abs=0.05)
    late = bench.turn(item("finished"), recording, says("What is it?"), 0.7)
    assert late.wait == pytest.approx(0.78, abs=0.05) and late.heard == "What is it?"


def test_a_turn_that_ends_in_a_pause_is_cut() -> None:
    recording = tones(1.0, 1.0, 1.0)
    cut = bench.turn(item("paused"), recording, says("I went home."), 0.4)
    assert cut.wrong and cut.wait is None
    whole = bench.turn(item("paused"), recording, says("I would like to", "I would like to go home."), 0.4)
    assert not whole.wrong and whole.heard == "I would like to go home."


def test_a_voice_that_is_left_hanging_is_waited_for() -> None:
    recording = tones(1.0, 1.0, 1.0)
    heard = says("He lives near the Earth.", finality=0.01)
    assert not bench.turn(item("trailing"), recording, heard, 0.4).wrong
    assert bench.turn(item("finished"), tones(1.0), heard, 0.4).wait == pytest.approx(1.8, abs=0.05)


def test_a_turn_that_never_begins_is_wrong() -> None:
    assert bench.turn(item("finished"), tones(0.03), says(""), 0.4).wrong


@pytest.mark.parametrize(
    ("kind", "seconds", "text", "wrong"),
    [
        ("backchannel", 0.3, "Mm-hmm.", False),
        ("noise", 0.3, "", False),
        ("backchannel", 0.3, "Stop.", True),
        ("backchannel", 2.0, "Mm-hmm.", True),  # so long that nobody waits for the words
        ("interruption", 0.3, "Stop.", False),
        ("interruption", 0.3, "Okay.", True),
        ("interruption", 2.0, "", False),
    ],
)
def test_what_takes_the_floor_from_a_reply(kind: str, seconds: float, text: str, wrong: bool) -> None:
    assert bench.talked_over(item(kind), tones(seconds), says(text), 0.4).wrong is wrong


def test_after_a_back_channel_one_may_still_interrupt() -> None:
    outcome = bench.talked_over(item("interruption"), tones(0.3, 0.8, 0.3), says("Yeah.", "Stop."), 0.4)
    assert not outcome.wrong and outcome.wait == pytest.approx(1.9, abs=0.1)


def test_sums_and_table() -> None:
    outcomes = [
        bench.Outcome(item("finished"), False, 0.4, ""),
        bench.Outcome(item("finished", held_out=True), False, 0.6, ""),
        bench.Outcome(item("paused"), True, None, "So"),
        bench.Outcome(item("trailing"), False, 1.9, ""),
        bench.Outcome(item("noise"), True, 0.7, ""),
        bench.Outcome(item("backchannel"), False, None, ""),
        bench.Outcome(item("interruption"), False, 0.8, ""),
    ]
    assert bench.summary(outcomes) == {
        "items": 7,
        "wrong_cuts": 1,
        "wrong_cut_rate": 0.25,
        "afterthought_cuts": 0,
        "finished_wait_p50_s": 0.5,
        "false_interruptions": 1,
        "false_interruption_rate": 0.5,
        "missed_interruptions": 0,
    }
    header, finished, paused, *_ = bench.table(outcomes)
    assert "held out" in header
    assert finished.split() == "finished en 0 wrong of 1 0 wrong of 1 0.50 0.58".split()
    assert paused.split() == "paused en 1 wrong of 1 0 wrong of 0".split()
    assert len(list(bench.complaints(outcomes))) == 2


def test_the_set_is_balanced_and_always_the_same() -> None:
    items = list(spoken())
    assert len(items) >= 100 and items == list(spoken())
    counts = Counter((i.kind, i.language) for i in items)
    assert all(counts[kind, "en"] == counts[kind, "zh"] for kind, _ in counts)
    held = [i.said for i in items if i.held_out]
    assert {i.kind for i in items if i.held_out} == {i.kind for i in items}
    assert not set(held) & {i.said for i in items if not i.held_out}
    assert all(len(i.said) == (2 if i.kind in ("paused", "trailing", "afterthought") else 1) for i in items)
    for name, sound in noises().items():
        assert sound.dtype == np.float32 and 0.01 < np.abs(sound).max() <= 1, name
        assert np.array_equal(sound, noises()[name])
