"""How far a reply was heard."""

from __future__ import annotations

import pytest

from webui.conversation.playback import LAG_S, Playback, Said, heard_of
from webui.types import Word


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_player_plays_what_it_has_and_waits_for_more() -> None:
    clock = Clock()
    player = Playback(clock)
    assert not player.playing and player.position == 0
    player.add(1.0)
    clock.now += LAG_S + 0.4
    assert player.playing and player.position == pytest.approx(0.4)
    player.add(1.0)
    clock.now += 5
    assert not player.playing and player.position == pytest.approx(2.0)
    player.add(1.0)
    assert player.playing
    clock.now += LAG_S + 0.5
    assert player.position == pytest.approx(2.5)


def test_held_it_keeps_its_place_and_stopped_it_has_nothing_left() -> None:
    clock = Clock()
    player = Playback(clock)
    player.add(2.0)
    clock.now += LAG_S + 0.5
    player.hold()
    clock.now += 3
    assert player.playing and player.position == pytest.approx(0.5)
    player.resume()
    clock.now += 0.25
    assert player.stop() == pytest.approx(0.75)
    assert not player.playing


TIMED = Said("Well, I am here.", (Word("Well", 0.0, 0.4), Word("I", 0.5, 0.6), Word("am", 0.7, 0.8)), 1.0)
CHINESE = Said("你好吗？", tuple(Word(c, i * 0.2, i * 0.2 + 0.2) for i, c in enumerate("你好吗")), 0.8)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, ""),
        (0.2, "Well"),
        (0.55, "Well, I"),
        (1.0, "Well, I am here."),
        (1.3, "Well, I am here. 你好"),
        (9.0, "Well, I am here. 你好吗？"),
    ],
)
def test_words_that_were_begun_were_heard(seconds: float, words: str) -> None:
    assert heard_of([TIMED, CHINESE], seconds) == words


def test_without_word_times_the_share_of_the_sound_is_the_share_of_the_text() -> None:
    assert heard_of([Said("one two three four", (), 2.0)], 1.0) == "one two"
    assert heard_of([Said("一二三四", (), 2.0)], 1.0) == "一二"
