"""Whose words are whose, once the turns of a recording are known."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from webui.engines.speakers import SpeakerModels, SpeakerTurns, Turn
from webui.types import Emotion, Event, EventSpan, Segment, Word


class Known(SpeakerTurns):
    """Turns that need no voice prints."""

    def __init__(self, *turns: Turn, punctuation: object = None) -> None:
        super().__init__(SpeakerModels(None, punctuation), threading.Lock())
        self._known = list(turns)

    def _turns(self) -> list[Turn]:
        return self._known


def spoken(text: str, words: Sequence[str], start: float = 0.0) -> Segment:
    """A word a second."""
    timed = tuple(Word(word, start + n, start + n + 0.9) for n, word in enumerate(words))
    end = start + len(words)
    events = (EventSpan(Event.SPEECH, start, end),)
    return Segment(start, end, text, "en", Emotion.HAPPY, 1.0, events=events, words=timed, confidence=1.0)


def test_a_segment_in_which_two_speak_is_cut_at_the_sentence() -> None:
    segment = spoken("Who is it? It is me. Come in!", "Who is it? It is me. Come in!".split())
    found = list(Known((0.0, 2.8, 0), (2.9, 8.0, 1)).name([segment]))
    assert [(s.text, s.speaker) for s in found] == [("Who is it?", "1"), ("It is me. Come in!", "2")]
    assert [(s.start, s.end) for s in found] == [(0.0, 3.0), (3.0, 8.0)]
    assert [w.text for s in found for w in s.words] == [w.text for w in segment.words]
    assert [(s.events[0].start, s.events[0].end) for s in found] == [(0.0, 3.0), (3.0, 8.0)]
    assert {(s.language, s.emotion, s.confidence) for s in found} == {("en", Emotion.HAPPY, 1.0)}


def test_chinese_is_cut_between_its_characters() -> None:
    segment = spoken("你好。你好吗？", ["你", "好。", "你", "好", "吗？"])
    found = list(Known((0.0, 2.0, 1), (2.0, 5.0, 0)).name([segment]))
    assert [(s.text, s.speaker) for s in found] == [("你好。", "1"), ("你好吗？", "2")]


def test_a_sentence_belongs_to_who_speaks_most_of_it_or_nearest() -> None:
    first, most = spoken("z", ["z"]), spoken("a b c d", "a b c d".split(), 1.0)
    assert [s.speaker for s in Known((0.0, 2.0, 7), (2.0, 5.0, 3)).name([first, most, first])] == ["1", "2", "1"]
    near = spoken("a b", "a b".split(), 15.0)
    assert [s.speaker for s in Known((0.0, 1.0, 0), (20.0, 24.0, 1)).name([first, near])] == ["1", "2"]


def test_what_nobody_said_has_no_speaker() -> None:
    applause = Segment(0.0, 2.0, events=(EventSpan(Event.APPLAUSE, 0.0, 2.0),))
    assert list(Known((0.0, 2.0, 0)).name([applause])) == [applause]
    assert next(Known().name([spoken("a", ["a"])])).speaker is None


class Marks:
    """A punctuation model that ends a sentence after every second word."""

    def __init__(self, off_by: int = 0) -> None:
        self._off_by = off_by

    def generate(self, input: str) -> list[dict[str, object]]:  # noqa: A002  (funasr's own word)
        return [{"punc_array": [3 if n % 2 else 1 for n in range(len(input.split()) + self._off_by)]}]


@pytest.mark.parametrize(("off_by", "texts"), [(0, ["who there", "it is"]), (1, ["who there it is"])])
def test_words_without_punctuation_are_cut_where_the_punctuation_model_would(off_by: int, texts: list[str]) -> None:
    segment = spoken("who there it is", "who there it is".split())
    found = list(Known((0.0, 2.0, 0), (2.0, 4.0, 1), punctuation=Marks(off_by)).name([segment]))
    assert [s.text for s in found] == texts
