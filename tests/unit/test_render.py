"""Transcripts as text: nothing lost, nothing confused."""

import pytest

from webui.features.render import EMOTION_EMOJI, EVENT_EMOJI, plain, rich, tagged
from webui.types import Emotion, Event, EventSpan, Segment, Transcript, Word


def said(text: str = "The.", start: float = 0.0, language: str = "en", **more: object) -> Segment:
    glue = "" if language == "zh" else " "
    parts = list(text) if language == "zh" else text.split(glue)
    words = tuple(Word(t, start + i, start + i + 0.9) for i, t in enumerate(parts))
    return Segment(start, start + len(parts), text, language, words=words, **more)  # type: ignore[arg-type]


def transcript(*segments: Segment) -> Transcript:
    return Transcript(segments, max((s.end for s in segments), default=1.0))


def test_every_emotion_and_event_has_an_emoji_of_its_own() -> None:
    assert set(EMOTION_EMOJI) == set(Emotion) and set(EVENT_EMOJI) == set(Event)
    every = [*EMOTION_EMOJI.values(), *EVENT_EMOJI.values()]
    assert len(set(every)) == len(every)


@pytest.mark.parametrize("emotion", Emotion)
def test_every_emotion_is_shown(emotion: Emotion) -> None:
    assert rich(transcript(said(emotion=emotion))) == "The." + EMOTION_EMOJI[emotion]


@pytest.mark.parametrize("event", [e for e in Event if e is not Event.SPEECH])
def test_every_event_is_shown_with_and_without_words(event: Event) -> None:
    span = (EventSpan(event, 0.0, 0.5),)
    assert EVENT_EMOJI[event] in rich(transcript(said(events=span)))
    assert rich(transcript(Segment(0, 1, events=span))) == EVENT_EMOJI[event]


def test_a_genuine_the_stays() -> None:
    for form in (plain, rich, tagged):
        assert "The." in form(transcript(said("The.")))


def test_silence_says_so() -> None:
    assert plain(transcript()) and rich(transcript())
    assert rich(transcript(), nothing="(静)") == "(静)"
    assert tagged(transcript()) == "<|nospeech|><|EMO_UNKNOWN|><|Event_UNK|><|withitn|>"


def test_an_event_stands_where_it_happens() -> None:
    events = (EventSpan(Event.LAUGHTER, 1.95, 2.5), EventSpan(Event.COUGH, 3.95, 4.5))
    text = rich(transcript(said("I can not wait", events=events, emotion=Emotion.HAPPY)))
    assert text == "I can 😀not wait😷😊"


def test_chinese_has_no_spaces_and_events_between_characters() -> None:
    first = said("你好吗", language="zh", events=(EventSpan(Event.CRY, 1.0, 1.5),), emotion=Emotion.SAD)
    second = said("再见", start=3, language="zh", emotion=Emotion.NEUTRAL)
    assert rich(transcript(first, second)) == "你😭好吗😔再见😐"


def test_one_emotion_over_segments_is_shown_once_and_music_once() -> None:
    music = [EventSpan(Event.BGM, 0.0, 2.0), EventSpan(Event.BGM, 2.0, 4.0)]
    segments = [said("one two", start=2.0 * i, events=(music[i],), emotion=Emotion.HAPPY) for i in range(2)]
    assert rich(transcript(*segments)) == "🎼one two one two😊"
    assert transcript(*segments).events == (EventSpan(Event.BGM, 0.0, 4.0),)


def test_tags_stand_before_every_segment() -> None:
    laugh = (EventSpan(Event.SPEECH, 0, 2), EventSpan(Event.LAUGHTER, 0, 1))
    segments = (said("Hi.", emotion=Emotion.HAPPY, events=laugh), said("再见", start=3, language="zh"))
    assert tagged(transcript(*segments), itn=False) == (
        "<|en|><|HAPPY|><|Laughter|><|woitn|>Hi. <|zh|><|EMO_UNKNOWN|><|Speech|><|woitn|>再见"
    )


def test_hostile_words_come_out_as_they_are() -> None:
    text = "<script>alert(1)</script> {x} \\ <|en|>"
    assert plain(transcript(said(text))) == text
    assert text in rich(transcript(said(text)))
