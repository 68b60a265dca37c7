"""SenseVoice's tags, and everything its own demo is known to get wrong with them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui.engines.sensevoice_tags import Tagged, read, read_one, segment
from webui.types import Emotion, Event


def test_the_four_tags_and_the_words() -> None:
    (one,) = read("<|en|><|HAPPY|><|Laughter|><|withitn|>What a lovely surprise!")
    assert one == Tagged("What a lovely surprise!", "en", Emotion.HAPPY, (Event.LAUGHTER,), itn=True)
    (told,) = [segment(one, 1.0, 2.5)]
    assert (told.start, told.end, told.language, told.text) == (1.0, 2.5, "en", "What a lovely surprise!")
    assert (told.emotion, told.emotion_confidence, told.confidence) == (Emotion.HAPPY, 1.0, 1.0)
    assert [(e.event, e.start, e.end) for e in told.events] == [(Event.LAUGHTER, 1.0, 2.5)]


def test_every_segment_of_a_merged_recording_keeps_its_own_tags() -> None:
    text = (
        "<|zh|><|HAPPY|><|Speech|><|withitn|>今天真是太好了！ <|en|><|SAD|><|Cry|><|withitn|>I have lost it."
        " <|nospeech|><|EMO_UNKNOWN|><|Applause|><|woitn|> <|ko|><|ANGRY|><|Speech|><|woitn|>문을 닫아 주세요"
    )
    found = read(text)
    assert [t.language for t in found] == ["zh", "en", "nospeech", "ko"]
    assert [t.emotion for t in found] == [Emotion.HAPPY, Emotion.SAD, Emotion.EMO_UNKNOWN, Emotion.ANGRY]
    assert [t.events for t in found] == [(Event.SPEECH,), (Event.CRY,), (Event.APPLAUSE,), (Event.SPEECH,)]
    assert [t.text for t in found] == ["今天真是太好了！", "I have lost it.", "", "문을 닫아 주세요"]
    assert [t.itn for t in found] == [True, True, False, False]


@pytest.mark.parametrize("emotion", Emotion)
def test_every_emotion_is_read(emotion: Emotion) -> None:
    (one,) = read(f"<|en|><|{emotion.value}|><|Speech|><|woitn|>so it is")
    assert one.emotion is emotion
    assert segment(one, 0, 1).emotion is emotion
    assert segment(one, 0, 1).emotion_confidence == (emotion is not Emotion.EMO_UNKNOWN)


@pytest.mark.parametrize("event", Event)
def test_every_event_is_read_and_cough_is_no_sneeze(event: Event) -> None:
    (one,) = read(f"<|yue|><|NEUTRAL|><|{event.value}|><|woitn|>唔好嘈")
    assert one.events == (event,)
    assert [e.event for e in segment(one, 0, 1).events] == ([] if event is Event.EVENT_UNK else [event])


def test_a_genuine_the_stays() -> None:
    assert [t.text for t in read("<|en|><|NEUTRAL|><|Speech|><|withitn|>The.")] == ["The."]


def test_silence_is_nothing_to_tell() -> None:
    (silence,) = read("<|nospeech|><|EMO_UNKNOWN|><|Event_UNK|><|woitn|>")
    assert not silence.heard
    (music,) = read("<|nospeech|><|HAPPY|><|BGM|><|woitn|>")
    assert music.heard
    told = segment(music, 0, 1)
    assert (told.language, told.emotion, told.emotion_confidence) == ("nospeech", Emotion.EMO_UNKNOWN, 0.0)
    assert read("") == ()


def test_the_sign_of_a_word_s_beginning_is_a_space() -> None:
    assert [t.text for t in read("<|en|><|NEUTRAL|><|Speech|><|withitn|>▁The▁milk  is\nsour.")] == ["The milk is sour."]


def test_what_is_no_tag_of_sensevoice_is_not_shown() -> None:
    (one,) = read("<|en|><|SPECIAL_24900|><|NEUTRAL|><|Speech|><|withitn|>Good<|0.30|> morning")
    assert "SPECIAL" not in one.text and one.text.startswith("Good") and one.text.endswith("morning")


def test_a_stray_tag_in_one_stretch_is_no_other_stretch() -> None:
    one = read_one("<|en|><|SAD|><|Cry|><|withitn|>Good night<|Speech|> and<|zh|> goodbye.<|HAPPY|>")
    assert one == Tagged("Good night and goodbye.", "en", Emotion.SAD, (Event.CRY,), itn=True)
    assert read_one("") == Tagged()


def test_words_without_tags_are_words() -> None:
    assert read("plain words") == (Tagged("plain words"),)
    assert segment(Tagged("plain words"), 0, 1).language == "nospeech"


PARTS = st.sampled_from(
    [
        "<|en|>",
        "<|zh|>",
        "<|HAPPY|>",
        "<|OTHER|>",
        "<|Cough|>",
        "<|withitn|>",
        "<|",
        "|>",
        "<||>",
        "<",
        "|",
        " ",
        "▁",
        "The.",
    ]
)


@given(st.lists(st.one_of(PARTS, st.text(max_size=5)), max_size=30).map("".join))
def test_hostile_text_never_leaves_a_tag_and_never_fails(text: str) -> None:
    for one in read(text):
        assert not re.search(r"<\|[\w-]{0,40}\|>", one.text)
        assert one.text == one.text.strip() and "▁" not in one.text
        assert segment(one, 0.0, 1.0).text == one.text
        assert [t.text for t in read(one.text)] == ([one.text] if one.text else [])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["en", "zh", "ko"]),
            st.sampled_from(Emotion),
            st.sampled_from(Event),
            st.text("ab. 好", max_size=8),
        )
    )
)
def test_what_was_written_is_read_back(stretches: list[tuple[str, Emotion, Event, str]]) -> None:
    text = "".join(
        f"<|{code}|><|{emotion.value}|><|{event.value}|><|withitn|>{words}" for code, emotion, event, words in stretches
    )
    found = [(t.language, t.emotion, t.events, t.text) for t in read(text)]
    assert found == [(code, emotion, (event,), " ".join(words.split())) for code, emotion, event, words in stretches]
