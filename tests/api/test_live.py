"""The socket with an open microphone: whose turn it is, what is begun ahead, and what is not said any more."""

from __future__ import annotations

import base64
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.api.live_client import RATE, SEMANTIC, quiet, sound, talking, voice
from tests.scripted import ScriptedChat, ScriptedEngines, ScriptedRecognizer, ScriptedSynthesizer
from webui.audio.convert import resample
from webui.audio.formats import WireFormat
from webui.types import Audio, Segment

STORY = "neutral: Once upon a time there was a fox. It lived in a wood and told long stories to nobody."


def hears(*words: str) -> ScriptedRecognizer:
    return ScriptedRecognizer([Segment(0, 1, text, "en") for text in words])


def story(words: str = "Tell me a story.", seconds: float = 8.0, **chat: Any) -> ScriptedEngines:
    """Engines whose reply is long enough to be talked over."""
    return ScriptedEngines(hears(words), ScriptedChat([STORY], **chat), ScriptedSynthesizer(seconds=seconds))


def ask(person: Any) -> dict[str, Any]:
    """Ask, and wait until the reply is heard. Returns its first sound."""
    person.say(quiet(0.5), voice(), quiet(0.3))
    person.until("funaudio.partial")
    person.say(quiet(0.6))
    heard: dict[str, Any] = person.until("response.output_audio.delta")
    return heard


def test_a_question_is_answered_when_it_is_over() -> None:
    engines = ScriptedEngines(hears("What is the capital of France?"))
    with talking(engines) as person:
        ask(person)
        done = person.until("response.done")
    kinds = [kind for kind in person.kinds() if kind != "funaudio.stage"]
    assert list(dict.fromkeys(kinds)) == [
        "input_audio_buffer.speech_started",
        "funaudio.partial",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.completed",
        "response.created",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
    ]
    started, stopped = (person.of(f"input_audio_buffer.speech_{e}")[0] for e in ("started", "stopped"))
    assert started["audio_start_ms"] == pytest.approx(500, abs=150)
    assert stopped["audio_end_ms"] == pytest.approx(500 + len(voice()) / RATE * 1000, abs=150)
    assert done["response"]["status"] == "completed"
    assert done["response"]["output"][0]["content"] == [
        {"type": "output_audio", "transcript": "I am sorry. Tell me more."}
    ]
    assert 0 < done["funaudio"]["latency"]["total_s"] < 5
    said = engines.recognizer.requests[-1].audio
    assert isinstance(said, Audio) and said.duration == pytest.approx(len(voice()) / RATE + 0.3, abs=0.3)


def test_a_reply_begun_in_a_pause_is_thrown_away_when_speech_goes_on() -> None:
    engines = ScriptedEngines(hears("I like it."))
    with talking(engines) as person:
        person.say(quiet(0.5), voice(), quiet(0.3))
        person.until("funaudio.partial")
        engines.recognizer.segments = hears("I like it when it rains.").segments
        person.say(voice(), quiet(0.3))
        person.until("funaudio.partial", transcript="I like it when it rains.")
        person.say(quiet(0.6))
        person.until("response.done")
    assert len(engines.chat.requests) >= 2 and engines.chat.answers[-2].closed.wait(2)
    assert len(person.of("response.created")) == len(person.of("input_audio_buffer.committed")) == 1
    users = [m.content for m in engines.chat.requests[-1].messages if m.role == "user"]
    assert users[-1] == "I like it when it rains." and "I like it." not in users


@pytest.mark.parametrize("told_by", ["words", "voice"])
def test_who_trails_off_is_given_time(told_by: str) -> None:
    engines = ScriptedEngines(hears("I went there and so." if told_by == "words" else "I went there."))
    engines.turn_end = SimpleNamespace(loaded=told_by == "voice", finality=lambda sound: 0.01)
    with talking(engines) as person:
        person.say(quiet(0.5), voice(), quiet(0.3))
        person.until("funaudio.partial")
        person.say(quiet(1.0))
        person.send("conversation.item.retrieve", item_id="nobody")
        person.until("error")  # everything before it has been taken in
        assert "input_audio_buffer.speech_stopped" not in person.kinds()
        assert [r for r in engines.chat.requests if r.messages[-1].content] == []
        person.say(quiet(1.5))
        person.until("response.done")


def test_a_backchannel_holds_the_reply_and_does_not_end_it() -> None:
    engines = story()
    with talking(engines) as person:
        first = ask(person)
        person.events.clear()
        engines.recognizer.segments = hears("Uh-huh.").segments
        person.say(voice(0.4), quiet(0.4))
        assert person.until("funaudio.hold")["response_id"] == first["response_id"]
        person.until("funaudio.resume", response_id=first["response_id"])
        person.say(quiet(1.0))
        ignored = person.until("funaudio.ignored")
        assert (ignored["reason"], ignored["transcript"]) == ("backchannel", "Uh-huh.")
        assert "input_audio_buffer.speech_started" not in person.kinds()
        assert {e["response"]["status"] for e in person.of("response.done")} <= {"completed"}
        person.send("conversation.item.retrieve", item_id=first["item_id"])
        kept = person.until("conversation.item.retrieved")["item"]["content"][0]["transcript"]
        assert kept == STORY.removeprefix("neutral: ")


def test_a_cough_holds_the_reply_and_does_not_end_it() -> None:
    engines = story()
    with talking(engines) as person:
        ask(person)
        person.events.clear()
        engines.recognizer.segments = []
        person.say(voice(0.4), quiet(1.4))
        person.until("funaudio.resume")
        assert person.until("funaudio.ignored")["reason"] == "noise"


def test_an_interruption_ends_the_reply_and_what_was_not_heard_is_forgotten() -> None:
    engines = story(hold_at=1)
    engines.chat.pieces = ["neutral: Once upon a time there was a fox. ", "It told long stories."]
    with talking(engines) as person:
        first = ask(person)
        time.sleep(0.5)  # some of it is heard
        person.events.clear()
        engines.recognizer.segments = hears("Stop.").segments
        engines.chat.hold_at = None
        person.say(voice(0.4), quiet(0.3))
        person.until("input_audio_buffer.speech_started")
        assert person.kinds().index("funaudio.hold") < person.kinds().index("response.done")
        person.send("conversation.item.truncate", item_id=first["item_id"], content_index=0, audio_end_ms=2500)
        person.until("conversation.item.truncated")
        person.say(quiet(0.6))
        person.until("response.output_audio.delta")
        old = [e for e in person.events if e.get("response_id") == first["response_id"]]
        assert [e["type"] for e in old if e["type"].endswith("delta")] == []
        ended = person.of("response.done")[0]["response"]
        assert (ended["id"], ended["status"]) == (first["response_id"], "cancelled")
        assert engines.chat.answers[-2].closed.wait(2)
        person.send("conversation.item.retrieve", item_id=first["item_id"])
        kept = person.until("conversation.item.retrieved")["item"]["content"][0]["transcript"]
        assert kept == "Once upon a"  # a second for each word


def test_who_speaks_on_interrupts_before_anything_is_understood() -> None:
    engines = story()
    with talking(engines) as person:
        ask(person)
        person.events.clear()
        person.say(voice())
        person.until("input_audio_buffer.speech_started")
        assert "funaudio.partial" not in person.kinds()


def test_a_reply_may_be_left_to_finish() -> None:
    engines = story()
    with talking(engines, {**SEMANTIC, "interrupt_response": False}) as person:
        ask(person)
        person.events.clear()
        asked = len(engines.chat.requests)
        person.say(voice(), quiet(0.3))
        person.until("funaudio.partial")
        person.say(quiet(0.6))
        person.until("conversation.item.input_audio_transcription.completed")
        assert "funaudio.hold" not in person.kinds() and len(engines.chat.requests) == asked


def test_without_create_response_it_only_listens() -> None:
    engines = ScriptedEngines(hears("What is the capital of France?"))
    detection = {"type": "server_vad", "silence_duration_ms": 300, "create_response": False}
    with talking(engines, detection) as person:
        person.say(quiet(0.5), voice(), quiet(0.8))
        heard = person.until("conversation.item.input_audio_transcription.completed")
        assert heard["transcript"] == "What is the capital of France?"
        assert "response.created" not in person.kinds()
        person.send("response.create")
        person.until("response.done")
    assert engines.chat.requests[-1].messages[-1].content.endswith("What is the capital of France?")


def test_noise_without_words_is_no_turn() -> None:
    engines = ScriptedEngines(ScriptedRecognizer([]))
    with talking(engines) as person:
        person.say(quiet(0.5), voice(0.5), quiet(1.5))
        assert person.until("funaudio.ignored")["reason"] == "noise"
        assert "input_audio_buffer.speech_stopped" in person.kinds()
        assert "input_audio_buffer.committed" not in person.kinds()


def test_a_microphone_that_falls_silent_in_mid_word_ends_the_turn() -> None:
    engines = ScriptedEngines(hears("What is the capital of France?"))
    with talking(engines) as person:
        person.say(quiet(0.5), voice())
        person.until("response.done")


@pytest.mark.parametrize(
    ("form", "told"),
    [
        (WireFormat("PCM_16", 16000), {"type": "audio/pcm", "rate": 16000}),
        (WireFormat("ULAW", 8000), {"type": "audio/pcmu"}),
        (WireFormat("ALAW", 8000), {"type": "audio/pcma"}),
    ],
)
def test_sound_travels_in_the_format_that_was_asked_for(form: WireFormat, told: dict[str, Any]) -> None:
    engines = ScriptedEngines(hears("What is the capital of France?"), synthesizer=ScriptedSynthesizer(seconds=1.0))
    audio = {"input": {"format": told, "turn_detection": SEMANTIC}, "output": {"format": told}}

    def encode(samples: Any) -> bytes:
        return form.encode(resample(Audio(samples, RATE), form.rate).samples)

    with talking(engines) as person:
        person.send("session.update", session={"audio": audio})
        updated = person.until("session.updated")["session"]["audio"]
        assert updated["input"]["format"] == updated["output"]["format"] == told
        person.say(quiet(0.5), voice(), quiet(0.3), encode=encode)
        person.until("funaudio.partial")
        person.say(quiet(0.6), encode=encode)
        person.until("response.done")
        data = b"".join(base64.b64decode(e["delta"]) for e in person.of("response.output_audio.delta"))
    samples = form.decode(data)
    assert len(samples) / form.rate == pytest.approx(2.0, abs=0.01)
    assert np.abs(samples).max() == pytest.approx(0.1, abs=0.01)
    said = engines.recognizer.requests[-1].audio
    assert isinstance(said, Audio) and said.rate == 16000 and np.abs(said.samples).max() > 0.1


def test_the_beta_of_the_protocol_has_other_names() -> None:
    engines = ScriptedEngines(hears("What is the capital of France?"))
    beta = {"openai-beta": "realtime=v1"}
    with talking(engines, headers=beta) as person:
        session = {"modalities": ["text", "audio"], "voice": "alloy", "input_audio_format": "pcm16"}
        person.send("session.update", session={**session, "turn_detection": {"type": "server_vad"}})
        person.until("session.updated")
        person.say(quiet(0.5), voice(), quiet(0.9))
        assert sound(person.until("response.audio.delta")).duration == pytest.approx(0.2)
        person.until("response.done")
        assert "response.audio_transcript.delta" in person.kinds()
        assert "conversation.item.created" in person.kinds()


def test_who_goes_on_before_the_reply_is_heard_says_one_thing() -> None:
    """A pause that was taken for the end: the question and the answer that nobody heard are gone, and it is one turn."""
    engines = story("I would like to fly.", hold_at=0)
    with talking(engines) as person:
        person.say(quiet(0.5), voice(), quiet(0.3))
        person.until("funaudio.partial")
        person.say(quiet(0.6))
        first = person.until("input_audio_buffer.committed")["item_id"]
        engines.recognizer.segments = hears("I would like to fly to Rome.").segments
        engines.chat.hold_at = None
        person.say(voice(), quiet(0.3))
        person.until("input_audio_buffer.speech_started")
        assert person.until("conversation.item.deleted")["item_id"] == first
        person.until("funaudio.partial", transcript="I would like to fly to Rome.")
        person.say(quiet(0.6))
        person.until("response.output_audio.delta")
    said = engines.recognizer.requests[-1].audio
    assert isinstance(said, Audio) and said.duration == pytest.approx(2 * len(voice()) / RATE + 0.9, abs=0.4)
    users = [m.content for m in engines.chat.requests[-1].messages if m.role == "user"]
    assert users[-1] == "I would like to fly to Rome." and "I would like to fly." not in users
