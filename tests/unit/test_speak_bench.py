"""The arithmetic of ``bench.speak``, on words and figures written by hand."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from bench.speaking import peer
from bench.speaking.contest import OURS, Lap, Spoken, ratios, texts
from bench.speaking.intelligibility import Heard, pair
from bench.speaking.report import line, show_heard, show_laps, show_styles, summary
from bench.speaking.scoring import Score, rate, score, uttered
from bench.speaking.sentences import LANGUAGES, PLAIN, Sentence, sentences
from bench.speaking.styles import Melody, Styled, melody
from bench.speaking.timbre import Timbre
from webui.types import Audio, Voice

# -- the sentences


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_two_hundred_sentences_and_none_twice(language: str) -> None:
    found = sentences(language)
    assert len(found) == len({one.text for one in found}) == 200
    assert all(one.readings and all(one.readings) for one in found)
    assert sum(one.kind == PLAIN for one in found) == 30


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reading_has_no_digits_where_it_is_the_first(language: str) -> None:
    assert [one.text for one in sentences(language) if any(sign.isdigit() for sign in one.readings[0])] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_says_the_reading_says_the_sentence_and_no_mark(language: str) -> None:
    for one in sentences(language):
        assert score(one.readings, one.readings[0], language).wrong == 0
        assert not uttered(one.never, one.readings[0], language)


# -- scoring


@pytest.mark.parametrize(
    ("language", "reading", "heard"),
    [
        ("en", "the ticket costs twelve dollars and fifty cents", "The ticket costs $12.50."),
        ("en", "she was born on march eighth nineteen eighty seven", "She was born on March 8th, 1987."),
        ("en", "write to info at example dot org today", "Write to info@example.org today."),
        ("en", "the code is on github dot com", "The code is on git hub.com"),
        ("en", "a creme brulee", "a crème brûlée"),
        ("zh", "他今年六十五岁", "她今年65岁"),
        ("zh", "我的电话是幺三八", "我的电话是一三八"),
        ("zh", "只有两户人家", "只有2户人家"),
        ("zh", "火车早上七点四十五开", "火车早上7.45开"),
        ("zh", "请访问example点com", "请访问example.com"),
        ("zh", "这件事有一万零八十六种可能", "这件事有10086种可能"),
    ],
)
def test_what_sounds_alike_is_right(language: str, reading: str, heard: str) -> None:
    assert score([reading], heard, language).wrong == 0


@pytest.mark.parametrize(
    ("language", "reading", "heard", "wrong"),
    [
        ("en", "turn left at the bank", "turn left at bank", 1),
        ("en", "in nineteen ninety nine", "in 1998", 1),
        ("zh", "昨晚降到了负八度", "昨晚降到了8度", 1),
        ("zh", "比赛结果是三比二", "比赛结果是32", 1),
        ("zh", "桌子上有茶", "猪子上有茶", 1),
    ],
)
def test_what_sounds_otherwise_is_wrong(language: str, reading: str, heard: str, wrong: int) -> None:
    assert score([reading], heard, language).wrong == wrong


def test_the_nearest_reading_counts() -> None:
    assert score(["at ten oh five", "at five past ten"], "at five past ten", "en") == Score(0, 0, 4)


def test_a_sentence_is_dropped_where_more_than_half_was_not_heard() -> None:
    assert score(["one two three four five"], "", "en") == Score(5, 5, 5)
    assert score(["we walked along the river"], "river", "en").dropped
    assert not score(["we walked along the river"], "we walked a lot", "en").dropped


def test_a_rate_is_over_all_together() -> None:
    assert rate([Score(1, 0, 2), Score(0, 0, 8)]) == 0.1
    assert rate([]) is None


def test_a_mark_is_uttered_as_a_word_of_its_own() -> None:
    assert uttered(("strong",), "He said strong never again.", "en")
    assert not uttered(("strong",), "He felt strongly.", "en")
    assert uttered(("星号",), "这件事星号非常重要", "zh")
    assert not uttered((), "whatever", "en")


# -- voices


def test_a_voice_of_each_gender_the_best_of_its_own_language() -> None:
    voices = [
        Voice("z", "Z", ("zh", "en"), "female"),
        Voice("a", "A", ("en", "zh"), "female"),
        Voice("b", "B", ("en", "zh"), "female"),
        Voice("c", "C", ("en", "zh"), "male"),
    ]
    assert {voice.id for voice in pair(voices, "en")} == {"a", "c"}
    assert [voice.id for voice in pair(voices[:1], "en")] == ["z"]


# -- styles


def styled(
    style: str = "happy", height: float = 1.15, span: float = 1.3, errors: float = 0.0, voiced: float = 0.8
) -> Styled:
    return Styled(style, "anna", height, span, voiced, errors, neutral_errors=0.0)


@pytest.mark.parametrize(
    ("found", "failed"),
    [
        (styled(), ""),
        (styled(height=1.02), ""),
        (styled(height=1.02, span=1.05), "did not move"),
        (styled(height=1.3, span=0.8), "moved the wrong way"),
        (styled(errors=0.2), "words changed"),
        (styled("sad", 0.85, 0.6), ""),
        (styled("sad", 1.0, 1.0), "did not move"),
        (styled("angry", 0.8, 1.5), ""),
        (styled("whisper", voiced=0.1), ""),
        (styled("whisper", voiced=0.9), "voiced"),
    ],
)
def test_a_style_must_move_the_melody_its_way_and_leave_the_words(found: Styled, failed: str) -> None:
    assert found.failed == failed


def test_the_melody_of_a_glide() -> None:
    rate = 16_000
    hertz = np.linspace(150, 250, 2 * rate)
    phase = 2 * np.pi * np.cumsum(hertz) / rate
    wave = sum(np.sin(n * phase) / n for n in range(1, 8)) * 0.2
    found = melody(Audio(np.asarray(wave, np.float32), rate))
    assert found.height == pytest.approx(200, rel=0.03)
    assert found.span == pytest.approx(80, rel=0.1)
    assert melody(Audio(np.zeros(rate, np.float32), rate)) == Melody(0.0, 0.0, 0.0)


# -- speed


def test_ratios_are_medians_of_pairs() -> None:
    laps = {
        OURS: Lap([Spoken(0.2, 1.0, 2.0), Spoken(0.3, 1.0, 4.0), Spoken(0.5, 2.0, 4.0)]),
        "other": Lap([Spoken(0.4, 2.0, 2.0), Spoken(0.3, 1.0, 2.0), Spoken(2.0, 2.0, 2.0)]),
        "gone": Lap(missing="it is not installed"),
    }
    assert ratios(laps, "other") == (0.5, 0.5)
    assert ratios(laps, "gone") == (None, None)
    assert laps[OURS].rtf == 0.5
    assert laps[OURS].first == 0.3
    assert laps["gone"].rtf is None


def test_behind_the_sentences_come_paragraphs_of_them() -> None:
    found = texts(9)
    assert len(found) == 9 + 2
    assert found[9] == " ".join(found[:4])


def test_a_peer_tells_the_first_sound_and_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((10.0, 10.5, 12.0))
    monkeypatch.setattr(peer.time, "perf_counter", lambda: next(times))
    assert peer.timed(lambda text: iter((1.0, 0.5)), "hello") == {"first": 0.5, "total": 2.0, "sound": 1.5}


# -- the report


def heard(language: str, wrong: int, as_reading: int | None, **more: object) -> Heard:
    sentence = Sentence(language, 7, "number", "at 7:45", ("at seven forty five",))
    return Heard(sentence, "anna", "at 7", Score(wrong, 0, 4), 2.0, 1.0, False, as_reading, **more)  # type: ignore[arg-type]


def test_a_fault_is_the_readings_where_saying_the_reading_mends_it() -> None:
    assert "the reading of the text" in line(heard("en", 2, 0))
    assert "the voice or the recognizer" in line(heard("en", 2, 2))
    assert "no such voice" in line(heard("en", 4, None, failure="no such voice"))


def test_the_report_and_its_last_line() -> None:
    found = [heard("en", 2, 0), heard("en", 0, None), heard("zh", 1, 1)]
    styles = [styled(), styled("sad", 1.0, 1.0)]
    laps = {
        OURS: Lap([Spoken(0.2, 1.0, 2.0)]),
        "kokoro-onnx": Lap([Spoken(0.4, 1.0, 1.0)]),
        "piper": Lap(missing="it could not be installed"),
    }
    result = summary(found, Timbre({"a": 0.9, "b": 0.8}, {"a": 0.9, "b": 0.9}, {}), styles, laps)
    assert result == {
        "en_wer": 0.25,
        "zh_cer": 0.25,
        "cross_lingual_cosine": 0.85,
        "rtf": 0.5,
        "rtf_ratio_to_kokoro_onnx": 0.5,
        "first_audio_ratio_to_kokoro_onnx": 0.5,
        "style_checks_failed": 1,
    }
    paper = io.StringIO()
    console = Console(file=paper, width=160, markup=False)
    show_heard(console, "kokoro", found)
    show_styles(console, styles)
    show_laps(console, laps)
    assert "it could not be installed" in paper.getvalue()
    assert "did not move" in paper.getvalue()
