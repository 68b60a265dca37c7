"""Whose turn it is, on made-up frames."""

from __future__ import annotations

import pytest

from webui.conversation.endings import Ending
from webui.conversation.turntaking import (
    Began,
    Ended,
    Faltered,
    Paused,
    Recovered,
    Stirred,
    TurnTaker,
    TurnTaking,
    WentOn,
)

FRAME = 0.032


def run(taker: TurnTaker, *parts: tuple[float, float], ending: Ending | None = None) -> list[object]:
    """``parts``: probability and seconds. ``ending``: what is heard in every pause."""
    found: list[object] = []
    for probability, seconds in parts:
        for _ in range(round(seconds / FRAME)):
            for event in taker.feed(probability, FRAME):
                found.append(event)
                if isinstance(event, Paused) and ending is not None:
                    taker.heard(event.number, ending)
    return found


def kinds(events: list[object]) -> list[str]:
    """Without what is told of a voice that falters: it changes nothing of the rest."""
    return [type(event).__name__ for event in events if not isinstance(event, Faltered | Recovered)]


def falters(events: list[object]) -> list[str]:
    return [type(event).__name__ for event in events if isinstance(event, Faltered | Recovered | Paused | WentOn)]


def waited(taker: TurnTaker, ending: Ending | None) -> float:
    """Seconds of silence until the turn ends, after a second of speech."""
    run(taker, (0.9, 1.0), ending=ending)
    seconds = FRAME
    while "Ended" not in kinds(run(taker, (0.0, FRAME), ending=ending)):
        seconds += FRAME
    return seconds


def test_one_frame_is_a_click() -> None:
    assert run(TurnTaker(), (0.0, 1.0), (0.9, FRAME), (0.0, 3.0)) == []


def test_two_frames_stir_and_settle() -> None:
    events = run(TurnTaker(), (0.0, 10 * FRAME), (0.9, 2 * FRAME), (0.0, 3.0))
    assert kinds(events) == ["Stirred", "Settled"]
    assert isinstance(events[0], Stirred) and events[0].at == pytest.approx(10 * FRAME)


def test_a_dip_of_one_frame_does_not_end_a_beginning() -> None:
    dipped = (0.9, 2 * FRAME), (0.1, FRAME), (0.9, FRAME)
    taker = TurnTaker()
    assert kinds(run(taker, *dipped)) == ["Stirred", "Began"] and taker.speaking
    assert kinds(run(TurnTaker(), (0.9, 2 * FRAME), (0.1, 2 * FRAME), (0.9, FRAME))) == ["Stirred", "Settled"]


def test_speech_goes_on_at_less_than_it_begins_with() -> None:
    assert run(TurnTaker(), (0.4, 2.0)) == []
    assert kinds(run(TurnTaker(), (0.6, 0.2), (0.4, 0.3), (0.3, 0.1))) == ["Stirred", "Began", "Paused"]


@pytest.mark.parametrize(
    ("ending", "seconds"),
    [(Ending.FINISHED, 0.45), (Ending.OPEN, 1.0), (None, 1.0), (Ending.TRAILING, 1.8)],
)
def test_the_ending_decides_how_long_is_waited(ending: Ending | None, seconds: float) -> None:
    assert waited(TurnTaker(), ending) == pytest.approx(seconds, abs=FRAME)


def test_words_that_come_late_end_the_turn_at_once() -> None:
    taker = TurnTaker()
    assert kinds(run(taker, (0.9, 0.6), (0.0, 0.7))) == ["Stirred", "Began", "Paused"]
    taker.heard(1, Ending.FINISHED)
    (ended,) = taker.feed(0.0, FRAME)
    assert isinstance(ended, Ended) and ended.at == pytest.approx(0.6, abs=FRAME) and not taker.speaking


def test_who_goes_on_is_not_cut() -> None:
    events = run(TurnTaker(), (0.9, 0.3), (0.0, 0.35), (0.9, 0.3), (0.0, 2.0), ending=Ending.FINISHED)
    assert kinds(events) == ["Stirred", "Began", "Paused", "WentOn", "Paused", "Ended"]
    assert [e.number for e in events if isinstance(e, Paused)] == [1, 2]
    assert isinstance(events[1], Began) and events[1].at == 0.0
    assert isinstance(events[-1], Ended) and events[-1].at == pytest.approx(0.95, abs=FRAME)


def test_a_click_in_a_pause_does_not_make_it_longer() -> None:
    with_click = run(TurnTaker(), (0.9, 0.5), (0.0, 0.3), (0.9, FRAME), (0.0, 0.2), ending=Ending.FINISHED)
    assert kinds(with_click) == ["Stirred", "Began", "Paused", "Ended"]
    assert WentOn() not in with_click


def test_words_of_an_earlier_pause_say_nothing() -> None:
    taker = TurnTaker()
    run(taker, (0.9, 1.0), (0.0, 0.3), (0.9, 0.5), (0.0, 0.3))
    taker.heard(1, Ending.TRAILING)
    assert kinds(run(taker, (0.0, 0.7))) == ["Ended"]


def test_how_an_earlier_pause_ended_is_forgotten() -> None:
    taker = TurnTaker()
    run(taker, (0.9, 0.4), (0.0, 0.3), ending=Ending.FINISHED)
    assert kinds(run(taker, (0.9, 0.4), (0.0, 0.6))) == ["WentOn", "Paused"]


def test_who_insists_does_so_once_a_turn() -> None:
    taker = TurnTaker()
    part = (0.9, 0.7), (0.0, 0.3)
    assert "Insisted" not in kinds(run(taker, *part)) and taker.voiced == pytest.approx(0.7, abs=FRAME)
    assert kinds(run(taker, *part, *part)).count("Insisted") == 1
    run(taker, (0.0, 2.0))
    assert kinds(run(taker, (0.9, 1.3))) == ["Stirred", "Began", "Insisted"]


def test_a_turn_that_is_forgotten_neither_pauses_nor_ends() -> None:
    taker = TurnTaker()
    run(taker, (0.9, 0.5), (0.0, 0.2))
    taker.reset()
    assert not taker.speaking and run(taker, (0.0, 3.0)) == []
    events = run(taker, (0.9, 0.2))
    assert isinstance(events[1], Began) and events[1].at == pytest.approx(3.7, abs=2 * FRAME)


@pytest.mark.parametrize("ending", [*Ending, None])
def test_silence_alone_may_decide(ending: Ending | None) -> None:
    options = TurnTaking.silence_only(0.8, 0.3)
    assert waited(TurnTaker(options), ending) == pytest.approx(0.3, abs=FRAME)
    assert run(TurnTaker(options), (0.75, 1.0)) == []


def test_eagerness() -> None:
    low, usual, high = (TurnTaking.eager(name).patience(Ending.OPEN) for name in ("low", "auto", "high"))
    assert low > usual > high
    assert TurnTaking.eager("medium") == TurnTaking.eager("auto") == TurnTaking()
    with pytest.raises(ValueError, match="eagerness"):
        TurnTaking.eager("keen")


def test_a_voice_falters_before_it_pauses() -> None:
    falling = (0.9, 0.5), (0.6, FRAME), (0.4, FRAME), (0.1, 4 * FRAME)
    assert falters(run(TurnTaker(), *falling)) == ["Faltered", "Paused"]
    assert falters(run(TurnTaker(), *falling, (0.9, 0.5), *falling)) == [
        "Faltered",
        "Paused",
        "WentOn",
        "Faltered",
        "Paused",
    ]


def test_a_voice_that_falters_may_recover() -> None:
    assert falters(run(TurnTaker(), (0.9, 0.5), (0.5, FRAME), (0.9, 0.5), (0.5, FRAME))) == [
        "Faltered",
        "Recovered",
        "Faltered",
    ]


def test_silence_before_anybody_speaks_is_no_faltering() -> None:
    assert falters(run(TurnTaker(), (0.0, 1.0), (0.9, 2 * FRAME), (0.0, 1.0))) == []
