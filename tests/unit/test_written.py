"""How recognised words are written."""

import pytest

from webui.text.written import respell, written
from webui.types import Word


@pytest.mark.parametrize(
    ("language", "heard", "digits", "words"),
    [
        ("zh", "正是因為存在絕對正義,所以", "正是因为存在绝对正义，所以", "正是因为存在绝对正义，所以"),
        (
            "zh",
            "二零二六年三月五号下午三点二十分",
            "2026年3月5号下午3点20分",
            "二零二六年三月五号下午三点二十分",
        ),
        ("zh", "一百二十三块五毛,百分之八十", "123块5毛，80%", "一百二十三块五毛，百分之八十"),
        ("zh", "一定要来,十分高兴,三心二意,七八个人", "一定要来，十分高兴，三心二意，七八个人", None),
        ("zh", "下午4点,12.5元", "下午4点，12.5元", "下午四点，十二点五元"),
        ("en", "I have twenty three apples, wait a second.", "I have 23 apples, wait a second.", None),
        ("en", "one of them costs five dollars", "one of them costs $5", "one of them costs five dollars"),
        ("en", "It was 1999.", "It was 1999.", "It was nineteen ninety nine."),
        ("de", "drei und zwanzig, 23", "drei und zwanzig, 23", "drei und zwanzig, 23"),
        ("ko", "안녕하세요", "안녕하세요", "안녕하세요"),
        ("zh", "", "", ""),
        ("en", " The. ", "The.", "The."),
    ],
)
def test_numbers_and_script(language: str, heard: str, digits: str, words: str | None) -> None:
    assert written(heard, language, itn=True) == digits
    if words is not None:
        assert written(heard, language, itn=False) == words


@pytest.mark.parametrize("hostile", ["{x} $ \\ <b>&amp;", "\u202e\u0000\ud7ff", "二" * 500, "1" * 500, "((((", "'"])
@pytest.mark.parametrize("language", ["zh", "en", "ja"])
@pytest.mark.parametrize("itn", [True, False])
def test_hostile_text_does_no_harm(hostile: str, language: str, itn: bool) -> None:
    assert isinstance(written(hostile, language, itn), str)


def timed(*texts: str) -> list[Word]:
    return [Word(text, float(i), i + 1.0, 0.9) for i, text in enumerate(texts)]


def test_a_number_takes_the_time_of_all_the_words_it_was_said_in() -> None:
    words = respell(timed("I", "have", "twenty", "three", "apples."), "I have 23 apples.", "en")
    assert [(w.text, w.start, w.end) for w in words] == [("I", 0, 1), ("have", 1, 2), ("23", 2, 4), ("apples.", 4, 5)]


def test_simplified_characters_keep_their_own_times() -> None:
    words = respell(timed("絕", "對", "一", "百", "二", "十"), "绝对120", "zh")
    assert [(w.text, w.start, w.end) for w in words] == [("绝", 0, 1), ("对", 1, 2), ("120", 2, 6)]


def test_digits_written_out_stay_with_their_word() -> None:
    words = respell(timed("It", "was", "1999."), "It was nineteen ninety nine.", "en")
    assert [(w.text, w.start, w.end) for w in words] == [("It", 0, 1), ("was", 1, 2), ("nineteen ninety nine.", 2, 3)]


def test_unchanged_words_stay_as_they_are() -> None:
    words = timed("All", "good.")
    assert respell(words, "All good.", "en") == tuple(words)
    assert respell([], "anything", "en") == ()
