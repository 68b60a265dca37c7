"""The socket's contract, with scripted engines: what a page or another program may rely on."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from tests.scripted import ScriptedChat, ScriptedEngines, ScriptedSynthesizer, tone
from webui.api import realtime, routes
from webui.audio.convert import to_pcm16, to_wav_bytes
from webui.conversation.prompts import PERSONAS

SPEECH = base64.b64encode(to_pcm16(tone(0.5).samples).tobytes()).decode()


@contextmanager
def server(engines: Any = None) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes.Api(engines or ScriptedEngines()).routes())) as client:
        yield client


@contextmanager
def page(client: TestClient) -> Iterator[WebSocketTestSession]:
    with client.websocket_connect("/v1/realtime") as socket:
        until(socket, "funaudio.stage", stage="idle")
        yield socket


def until(socket: WebSocketTestSession, kind: str, **fields: Any) -> list[dict[str, Any]]:
    """Everything up to the first event of that kind (and with those fields)."""
    got = []
    while True:
        got.append(json.loads(socket.receive_text()))
        if got[-1]["type"] == kind and all(got[-1].get(k) == v for k, v in fields.items()):
            return got


def say(socket: WebSocketTestSession, **event: Any) -> None:
    socket.send_text(json.dumps(event))


def speak(socket: WebSocketTestSession) -> None:
    say(socket, type="input_audio_buffer.append", audio=SPEECH)
    say(socket, type="input_audio_buffer.commit")
    say(socket, type="response.create")


def only(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [e for e in events if e["type"] == kind]


def test_a_spoken_turn() -> None:
    with server() as client, page(client) as socket:
        speak(socket)
        events = until(socket, "response.done")
        kinds = [e["type"] for e in events]
        assert kinds[:2] == ["input_audio_buffer.committed", "conversation.item.added"]
        heard = only(events, "conversation.item.input_audio_transcription.completed")[0]
        assert heard["transcript"] == "Hello there."
        segment = heard["funaudio"]["segments"][0]
        assert (segment["emotion"], segment["language"]) == ("SAD", "en") and "voice" not in segment
        assert len(heard["funaudio"]["peaks"]) == 240
        text = "".join(e["delta"] for e in only(events, "response.output_audio_transcript.delta"))
        assert text == "I am sorry. Tell me more."
        sound = only(events, "response.output_audio.delta")
        assert [s["funaudio"]["text"] for s in sound] == ["I am sorry.", "Tell me more."]
        pcm = np.frombuffer(base64.b64decode(sound[0]["delta"]), "<i2")
        assert len(pcm) == round(0.2 * 24000)
        done = events[-1]
        assert done["response"]["status"] == "completed"
        assert {s["response_id"] for s in sound} == {done["response"]["id"]}
        assert {"heard_s", "thought_s", "first_sound_s", "total_s"} == done["funaudio"]["latency"].keys()
        stages = [e["stage"] for e in only(events, "funaudio.stage")]
        assert list(dict.fromkeys(stages)) == ["hearing", "understanding", "thinking", "speaking"]


def test_a_typed_turn_and_a_dropped_file() -> None:
    with server() as client, page(client) as socket:
        say(socket, type="conversation.item.create", item={"content": [{"type": "input_text", "text": "hi"}]})
        say(socket, type="response.create")
        assert until(socket, "response.done")[-1]["response"]["status"] == "completed"
        data = to_wav_bytes(tone(1.0, 44100))
        for part, last in ((data[:50000], False), (data[50000:], True)):
            say(socket, type="funaudio.input_file", name="x.wav", data=base64.b64encode(part).decode(), last=last)
        say(socket, type="response.create")
        events = until(socket, "response.done")
        heard = only(events, "conversation.item.input_audio_transcription.completed")[0]
        assert heard["funaudio"]["duration"] == pytest.approx(1.0, abs=0.01)


def test_cancel_stops_and_nothing_of_that_response_follows() -> None:
    engines = ScriptedEngines(chat=ScriptedChat(hold_at=3))
    with server(engines) as client, page(client) as socket:
        speak(socket)
        until(socket, "response.output_audio.delta")
        say(socket, type="response.cancel")
        done = until(socket, "response.done")[-1]
        assert done["response"]["status"] == "cancelled"
        engines.chat.hold_at = None
        speak(socket)
        events = until(socket, "response.done")
        assert events[-1]["response"]["status"] == "completed"
        assert done["response"]["id"] not in {e.get("response_id") for e in events}


def test_a_new_question_overtakes_the_answer() -> None:
    engines = ScriptedEngines(chat=ScriptedChat(hold_at=3))
    with server(engines) as client, page(client) as socket:
        speak(socket)
        until(socket, "response.output_audio.delta")
        engines.chat.hold_at = None
        speak(socket)
        ends = [until(socket, "response.done")[-1]["response"]["status"] for _ in range(2)]
        assert sorted(ends) == ["cancelled", "completed"]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"type": "input_audio_buffer.commit"}, "empty_audio"),
        ({"type": "response.create"}, "nothing_said"),
        ({"type": "conversation.item.create"}, "malformed_event"),
        ({"type": "input_audio_buffer.append", "audio": "not base64!"}, "malformed_event"),
        ({"type": "no.such.event"}, "unknown_event"),
        ({"type": "session.update", "session": {"audio": {"output": {"speed": "fast"}}}}, "malformed_event"),
        ({"type": "funaudio.preview", "voice": "nobody"}, "no_such_voice"),
        ({}, "malformed_event"),
        ([], "malformed_event"),
    ],
)
def test_what_makes_no_sense_gets_a_sentence_and_the_socket_stays(event: Any, code: str) -> None:
    with server() as client, page(client) as socket:
        socket.send_text(json.dumps(event))
        error = until(socket, "error")[-1]["error"]
        assert error["code"] == code and error["message"].endswith(".")
        speak(socket)
        assert until(socket, "response.done")[-1]["response"]["status"] == "completed"


@pytest.mark.parametrize("frame", ["not json", "\x00", '"text"', "[" * 5000])
def test_frames_that_are_not_events(frame: str) -> None:
    with server() as client, page(client) as socket:
        socket.send_text(frame)
        assert until(socket, "error")[-1]["error"]["code"] == "malformed_event"


@pytest.mark.parametrize(
    ("data", "codes"),
    [(b"", {"no_audio"}), (b"this is no sound file", {"not_audio"}), (b"RIFF", {"not_audio", "broken"})],
)
def test_a_file_that_is_no_sound_fails_its_turn_only(data: bytes, codes: set[str]) -> None:
    with server() as client, page(client) as socket:
        say(socket, type="funaudio.input_file", name="../../x", data=base64.b64encode(data).decode(), last=True)
        say(socket, type="response.create")
        events = until(socket, "response.done")
        assert events[-1]["response"]["status"] == "failed"
        assert only(events, "error")[0]["error"]["code"] in codes
        speak(socket)
        assert until(socket, "response.done")[-1]["response"]["status"] == "completed"


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realtime, "MAX_TURN_SECONDS", 0.1)
    monkeypatch.setattr(realtime, "MAX_UPLOAD_BYTES", 1000)
    with server() as client, page(client) as socket:
        say(socket, type="session.update", session={"audio": {"input": {"turn_detection": None}}})
        say(socket, type="input_audio_buffer.append", audio=SPEECH)
        assert until(socket, "error")[-1]["error"]["code"] == "turn_too_long"
        say(socket, type="funaudio.input_file", name="x", data=SPEECH, last=True)
        assert until(socket, "error")[-1]["error"]["code"] == "file_too_large"


def test_a_reply_that_cannot_be_spoken_is_still_written() -> None:
    with server(ScriptedEngines(synthesizer=ScriptedSynthesizer(fail=True))) as client, page(client) as socket:
        speak(socket)
        events = until(socket, "response.done")
        assert only(events, "error")[0]["error"]["code"] == "language_unspoken"
        assert events[-1]["response"]["status"] == "completed"


def test_settings_are_taken_and_kept_within_their_ranges() -> None:
    engines = ScriptedEngines()
    with server(engines) as client, page(client) as socket:
        ours = {"style": "shouting", "style_strength": 9, "reply_language": "zh", "persona": "teacher"}
        say(
            socket, type="session.update", session={"audio": {"output": {"voice": "two", "speed": 9}}, "funaudio": ours}
        )
        until(socket, "session.updated")
        speak(socket)
        until(socket, "response.done")
    request = engines.synthesizer.requests[0]
    assert (request.voice.id, request.speed, request.style.name, request.style.strength) == ("two", 2.0, "sad", 1.0)
    assert "teacher" in engines.chat.requests[-1].messages[0].content


def test_a_persona_is_told_in_the_pages_language() -> None:
    engines = ScriptedEngines()
    with server(engines) as client, page(client) as socket:
        say(socket, type="session.update", session={"funaudio": {"lang": "zh", "persona": "teacher"}})
        until(socket, "session.updated")
        speak(socket)
        until(socket, "response.done")
    assert engines.chat.requests[-1].messages[0].content.startswith(PERSONAS["teacher"]["zh"])


def test_the_model_reads_ahead_in_the_pages_language() -> None:
    engines = ScriptedEngines()
    with server(engines) as client, page(client) as socket:
        say(socket, type="session.update", session={"funaudio": {"lang": "zh"}})
        until(socket, "session.updated")
        speak(socket)
        until(socket, "response.done")
    ahead = [r for r in engines.chat.requests if r.messages[-1].content == ""]
    assert any("蜘蛛" in message.content for message in ahead[-1].messages)


def test_a_voice_can_be_heard_before_it_is_chosen() -> None:
    with server() as client, page(client) as socket:
        say(socket, type="funaudio.preview", voice="two")
        events = until(socket, "response.output_audio.done")
        assert {e["response_id"] for e in events} == {"preview"}
        assert "你好" in events[0]["funaudio"]["text"]


def test_a_fetch_of_weights_is_seen_on_every_page() -> None:
    engines = ScriptedEngines()
    with server(engines) as client, page(client) as one, page(client) as two:
        engines.store.listener("Kokoro 82M", 30, 120)
        for socket in (one, two):
            stage = until(socket, "funaudio.stage", stage="loading")[-1]
            assert (stage["values"], stage["progress"]) == ({"name": "Kokoro 82M"}, 0.25)
        engines.store.settled()
        for socket in (one, two):
            until(socket, "funaudio.stage", stage="idle")


def test_two_pages_do_not_hear_each_other() -> None:
    with server() as client, page(client) as one, page(client) as two:
        speak(one)
        theirs = until(one, "response.done")
        say(two, type="funaudio.reset")
        speak(two)
        ours = until(two, "response.done")
        assert {e["event_id"] for e in theirs}.isdisjoint(e["event_id"] for e in ours)
        assert len(only(ours, "response.done")) == 1


def test_the_conversation_can_be_downloaded_by_its_owner_while_it_lasts() -> None:
    with server() as client:
        with client.websocket_connect("/v1/realtime") as socket:
            name = until(socket, "session.created")[-1]["session"]["id"]
            speak(socket)
            until(socket, "response.done")
            answer = client.get(f"/v1/conversations/{name}.zip")
            names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
            assert {"conversation.txt", "001-you.wav", "001-reply.wav"} <= set(names)
        assert client.get(f"/v1/conversations/{name}.zip").status_code == 404
        assert client.get("/v1/conversations/x.zip").status_code == 404
        assert client.get("/healthz").json()["conversations"] == 0


def test_another_sites_page_may_not_open_the_socket() -> None:
    with server() as client:
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect("/v1/realtime", headers={"origin": "https://evil.example"}),
        ):
            raise AssertionError("it was let in")
        with client.websocket_connect("/v1/realtime", headers={"origin": "http://testserver"}) as socket:
            until(socket, "session.created")


def test_the_page_is_told_what_it_can_offer() -> None:
    with server() as client:
        about = client.get("/v1/page").json()
        assert [v["id"] for v in about["voices"]] == ["one", "two"]
        assert about["styles"][0] == "auto" and {p["id"] for p in about["personas"]} >= {"friend", "teacher"}
        assert about["limits"]["max_upload_bytes"] == realtime.MAX_UPLOAD_BYTES
