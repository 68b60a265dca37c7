"""How many may talk, who waits, who comes back, and who is sent away."""

from __future__ import annotations

import time
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from tests.api.live_client import SEMANTIC, Person, quiet, voice
from tests.scripted import ScriptedEngines
from tests.waiting import wait_until
from webui.api import realtime, sessions
from webui.api.routes import Api
from webui.config import Settings


def client(limit: int = 32) -> TestClient:
    settings = Settings(_env_file=None, sessions=limit)  # type: ignore[call-arg]
    return TestClient(Starlette(routes=Api(ScriptedEngines(settings=settings)).routes()))


def ask(person: Person, words: str) -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}
    person.send("conversation.item.create", item=item)
    person.send("response.create")
    person.until("response.done")


def test_who_comes_too_many_waits_and_is_told_the_position() -> None:
    with client(limit=1) as web, web.websocket_connect("/v1/realtime") as one:
        Person(one).until("session.created")
        with web.websocket_connect("/v1/realtime") as two:
            second = Person(two)
            assert second.until("funaudio.queue")["position"] == 1
            second.send("session.update", session={"instructions": "You are a cat."})
            with web.websocket_connect("/v1/realtime") as three, pytest.raises(WebSocketDisconnect) as closed:
                Person(three).until("session.created")
            assert closed.value.code == sessions.FULL
            one.close()
            second.until("session.created")
            assert second.until("session.updated")["session"]["instructions"] == "You are a cat."
            assert web.get("/healthz").json()["conversations"] == 1


def test_who_leaves_the_queue_makes_room_in_it() -> None:
    with client(limit=1) as web, web.websocket_connect("/v1/realtime") as one:
        Person(one).until("session.created")
        for _ in range(3):
            with web.websocket_connect("/v1/realtime") as two:
                assert Person(two).until("funaudio.queue")["position"] == 1
            time.sleep(0.05)
        one.close()
        with web.websocket_connect("/v1/realtime") as two:
            Person(two).until("session.created")


def test_a_conversation_goes_on_over_another_socket() -> None:
    with client() as web:
        with web.websocket_connect("/v1/realtime") as one:
            first = Person(one)
            name = first.until("session.created")["session"]["id"]
            ask(first, "My name is Ada.")
            one.close(1012)
        with web.websocket_connect(f"/v1/realtime?session={name}") as two:
            second = Person(two)
            assert second.until("session.created")["session"]["id"] == name
            second.send("conversation.item.retrieve", item_id=first.of("conversation.item.added")[0]["item"]["id"])
            kept = second.until("conversation.item.retrieved")["item"]
            assert kept["content"] == [{"type": "input_text", "text": "My name is Ada."}]
            with web.websocket_connect(f"/v1/realtime?session={name}") as three:
                Person(three).until("session.created")
                with pytest.raises(WebSocketDisconnect) as closed:
                    second.until("response.done")
                assert closed.value.code == realtime.TAKEN_UP
                assert web.get("/healthz").json()["conversations"] == 1


@pytest.mark.parametrize("name", ["", "nobody", "../../etc/passwd"])
def test_a_name_that_nobody_has_begins_anew(name: str) -> None:
    with client() as web, web.websocket_connect("/v1/realtime", params={"session": name}) as one:
        assert Person(one).until("session.created")["session"]["id"] != name


def test_a_lost_conversation_is_kept_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "KEPT_SECONDS", 0.2)
    with client() as web:
        with web.websocket_connect("/v1/realtime") as one:
            name = Person(one).until("session.created")["session"]["id"]
            one.close(1006)
        time.sleep(0.05)
        assert web.get("/healthz").json()["conversations"] == 1
        wait_until(lambda: web.get("/healthz").json()["conversations"] == 0)
        with web.websocket_connect(f"/v1/realtime?session={name}") as two:
            assert Person(two).until("session.created")["session"]["id"] != name


@pytest.mark.parametrize("limit", ["IDLE_SECONDS", "LONGEST_SECONDS"])
def test_time_is_limited(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realtime, limit, 0.2)
    with client() as web, web.websocket_connect("/v1/realtime") as one, pytest.raises(WebSocketDisconnect) as closed:
        Person(one).until("response.done")
    assert closed.value.code == realtime.ENDED


def test_a_client_that_does_something_is_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realtime, "IDLE_SECONDS", 0.5)
    with client() as web, web.websocket_connect("/v1/realtime") as one:
        person: Any = Person(one)
        for _ in range(4):
            time.sleep(0.2)
            person.send("session.update", session={})
            person.until("session.updated")


def test_who_only_talks_is_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """An open microphone sends sound and nothing else: what is said in it counts, and silence does not."""
    monkeypatch.setattr(realtime, "IDLE_SECONDS", 1.5)
    with client() as web, web.websocket_connect("/v1/realtime") as one:
        person = Person(one)
        person.update({**SEMANTIC, "create_response": False})
        for _ in range(4):
            person.say(quiet(0.5), voice(), quiet(1.5))
            person.until("conversation.item.input_audio_transcription.completed")
            time.sleep(0.6)
        with pytest.raises(WebSocketDisconnect) as closed:
            while True:
                time.sleep(0.1)
                person.say(quiet(0.1))
                person.until("funaudio.partial")
    assert closed.value.code == realtime.ENDED
