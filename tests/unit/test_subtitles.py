"""Subtitles and exports, read back by the library that players use or by the standard one."""

import json

import pysubs2
import pytest

from webui.audio.subtitles import to_json, to_srt, to_txt, to_vtt
from webui.types import Emotion, Event, EventSpan, Segment, Transcript, Word


def spoken(text: str, language: str = "en", start: float = 0.0, step: float = 0.4, **more: object) -> Segment:
    parts = list(text) if language == "zh" else text.split()
    words = tuple(Word(t, start + i * step, start + (i + 1) * step) for i, t in enumerate(parts))
    return Segment(start, words[-1].end, text, language, words=words, **more)  # type: ignore[arg-type]


LONG = "this is a long sentence that nobody could read in one single line before it is gone again from the screen"


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_lines_are_short_in_order_and_complete(form: str) -> None:
    transcript = Transcript((spoken(LONG), spoken("它" * 60, "zh", start=20.0)), 60.0)
    file = pysubs2.SSAFile.from_string((to_srt if form == "srt" else to_vtt)(transcript), format_=form)
    texts = [e.plaintext for e in file]
    english = [t for t in texts if "它" not in t]
    assert " ".join(english) == LONG
    assert "".join(texts[len(english) :]) == "它" * 60
    assert max(map(len, english)) <= 42 and max(map(len, texts[len(english) :])) <= 21
    times = [t for e in file for t in (e.start, e.end)]
    assert times == sorted(times) and all(e.end > e.start for e in file)


def test_sentences_and_pauses_begin_a_subtitle() -> None:
    words = (Word("Well,", 0, 0.4), Word("what?", 0.4, 0.8), Word("Yes.", 2.0, 2.4))
    file = pysubs2.SSAFile.from_string(to_srt(Transcript((Segment(0, 2.4, "Well, what? Yes.", "en", words=words),), 3)))
    assert [(e.plaintext, e.start) for e in file] == [("Well, what?", 0), ("Yes.", 2000)]


def test_emotion_and_events_are_notes() -> None:
    laugh = (EventSpan(Event.LAUGHTER, 0.0, 0.4), EventSpan(Event.SPEECH, 0.0, 0.8))
    music = Segment(2.0, 4.0, events=(EventSpan(Event.BGM, 2.0, 4.0),))
    transcript = Transcript((spoken("So good", emotion=Emotion.HAPPY, events=laugh), music), 4.0)
    file = pysubs2.SSAFile.from_string(to_vtt(transcript), format_="vtt")
    assert [e.plaintext for e in file] == ["[happy, laughter] So good", "[bgm]"]
    assert to_txt(transcript) == "[00:00:00] [happy, laughter] So good\n[00:00:02] [bgm]\n"


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_hostile_words_stay_in_their_subtitle(form: str) -> None:
    text = "{\\an8}<script> 00:00:01,000 --> 00:00:02,000 &amp; WEBVTT"
    out = (to_srt if form == "srt" else to_vtt)(Transcript((Segment(0, 1, text, "en"),), 1))
    assert out.count("-->") == 1 and "<script>" not in out and "{" not in out
    assert "script" in out and "WEBVTT" in out.splitlines()[-1] + out.splitlines()[-2]


def test_nothing_heard_makes_valid_empty_files() -> None:
    empty = Transcript((), 1.0)
    assert to_srt(empty).strip() == "" and to_vtt(empty).startswith("WEBVTT") and to_txt(empty) == ""
    assert json.loads(to_json(empty))["segments"] == []


def test_json_says_everything() -> None:
    event = EventSpan(Event.COUGH, 0.1, 0.3, 0.9)
    segment = spoken(
        "你好", "zh", emotion=Emotion.SAD, emotion_confidence=0.7, arousal=0.2, events=(event,), confidence=0.8
    )
    out = json.loads(to_json(Transcript((segment,), 1.0)))
    assert (out["language"], out["emotion"], out["text"]) == ("zh", "SAD", "你好")
    (said,) = out["segments"]
    assert said["events"] == [{"event": "Cough", "start": 0.1, "end": 0.3, "confidence": 0.9}]
    assert [w["text"] for w in said["words"]] == ["你", "好"]
    assert (said["arousal"], said["emotion_confidence"], said["speaker"]) == (0.2, 0.7, None)
