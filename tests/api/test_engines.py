"""``/v1/engines`` over the real registry, with scripted engines in it: what it tells, who may switch, what pages hear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.scripted import ScriptedChat, ScriptedRecognizer, ScriptedSynthesizer
from webui.api.routes import Api
from webui.config import Settings
from webui.engines import registry
from webui.engines.probe import Probe
from webui.engines.registry import Engines
from webui.engines.store import ModelStore
from webui.errors import ModelError

HOME = "http://127.0.0.1:7860"
SWITCH = {"job": "chat", "name": "openai"}


class Hears(ScriptedRecognizer):
    def __init__(self, *_: object) -> None:
        super().__init__()


class Thinks(ScriptedChat):
    def __init__(self, *_: object) -> None:
        super().__init__()


class ThinksOtherwise(Thinks): ...


class Unable(Thinks):
    def load(self) -> None:
        raise ModelError("disk_full", "There is no room.", name="It", needed="2", free="1")


class Speaks(ScriptedSynthesizer):
    def __init__(self, *_: object) -> None:
        super().__init__()


@pytest.fixture(autouse=True)
def scripted(monkeypatch):
    engines = {
        "recognizer": {"whisper": "Hears", "sensevoice": "Hears"},
        "chat": {"llama": "Thinks", "openai": "ThinksOtherwise", "transformers": "Unable", "theirs": "Unable"},
        "synthesizer": {"kokoro": "Speaks"},
    }
    named = {job: {name: f"{__name__}:{cls}" for name, cls in names.items()} for job, names in engines.items()}
    monkeypatch.setattr(registry, "BUILT_IN", named)


@contextmanager
def server(tmp_path, base: str = HOME, **given: Any) -> Iterator[TestClient]:
    settings = Settings(_env_file=None, **{"profile": "auto", "chat_url": "http://127.0.0.1:9", **given})
    engines = Engines(settings, ModelStore(tmp_path, {}), lambda *_: Probe())
    with TestClient(Starlette(routes=Api(engines).routes()), base_url=base) as client:
        yield client


def rows(answer: Any) -> dict[str, dict[str, Any]]:
    return {row["job"]: row for row in answer.json()["engines"]}


def test_it_tells_who_works_why_and_who_else_could(tmp_path):
    with server(tmp_path, chat_url="") as client:
        answer = client.get("/v1/engines")
    told = rows(answer)
    assert answer.json()["switching"] is True
    assert told["recognizer"]["engine"] == "whisper"
    assert told["recognizer"]["why"] == ["why_embedded", {}]
    assert told["recognizer"]["missing"] == ["lacks_packages", {"engine": "SenseVoice", "packages": "sherpa_onnx"}]
    assert told["recognizer"]["better"][1]["command"] == ".venv/bin/pip install -r requirements.txt"
    lacks = {option["name"]: option["lacks"] for option in told["chat"]["options"]}
    assert lacks["llama"] is None and lacks["theirs"] is None
    assert lacks["transformers"] == ["lacks_gpu", {"engine": "Qwen"}]
    assert lacks["openai"] == ["lacks_address", {"command": "--chat-url"}]
    assert told["chat"]["name"] == "Thinks" and told["chat"]["licence"] == "Apache-2.0"


def test_all_pages_hear_of_a_switch(tmp_path):
    page = "/v1/realtime"
    with (
        server(tmp_path, chat="llama") as client,
        client.websocket_connect(page) as one,
        client.websocket_connect(page) as other,
    ):
        answer = client.post("/v1/engines", json=SWITCH)
        assert answer.status_code == 200
        assert rows(answer)["chat"]["name"] == "ThinksOtherwise"
        for socket in (one, other):
            while (event := json.loads(socket.receive_text()))["type"] != "funaudio.engines":
                pass
            told = {row["job"]: row for row in event["engines"]}
            assert (told["chat"]["engine"], told["chat"]["why"]) == ("openai", ["why_switched", {}])


def test_a_failed_switch_is_one_sentence_and_changes_nothing(tmp_path):
    with server(tmp_path, chat="llama") as client:
        answer = client.post("/v1/engines", json={"job": "chat", "name": "theirs"})
        assert answer.status_code == 409
        assert answer.json()["error"] == {
            "code": "disk_full",
            "message": "There is no room.",
            "values": {"name": "It", "needed": "2", "free": "1"},
        }
        assert rows(client.get("/v1/engines"))["chat"]["engine"] == "llama"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"job": "chat", "name": "transformers"}, 409, "lacks_gpu"),
        ({"job": "chat", "name": "gpt"}, 409, "engine_unknown"),
        ({"job": "cook", "name": "llama"}, 409, "malformed_event"),
        ({"job": "chat"}, 400, "malformed_event"),
        ("no object", 400, "malformed_event"),
        ({"job": "chat", "name": "x" * 20_000}, 400, "malformed_event"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path, body, status, code):
    with server(tmp_path) as client:
        answer = client.post("/v1/engines", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("given", "base", "allowed"),
    [
        ({}, HOME, True),
        ({}, "http://localhost:7860", True),
        ({"host": "::1"}, "http://[::1]:7860", True),
        ({}, "https://talk.example.org", False),  # through a proxy, or a name that was pointed at this machine
        ({"share": True}, HOME, False),
        ({"host": "0.0.0.0"}, HOME, False),
        ({"host": "0.0.0.0", "switching": True}, "http://192.168.1.7:7860", True),
        ({"share": True, "switching": True}, "https://talk.example.org", True),
    ],
)
def test_who_may_switch(tmp_path, given, base, allowed):
    with server(tmp_path, base, chat="llama", **given) as client:
        assert client.get("/v1/engines").json()["switching"] is allowed
        assert client.get("/v1/page").json()["switching"] is allowed
        answer = client.post("/v1/engines", json=SWITCH)
        assert answer.status_code == (200 if allowed else 403)
        if not allowed:
            assert answer.json()["error"]["code"] == "switching_off"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999"])
def test_a_foreign_page_may_not_switch(tmp_path, origin):
    with server(tmp_path, switching=True) as client:
        answer = client.post("/v1/engines", json=SWITCH, headers={"origin": origin})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "switching_foreign")
        assert client.post("/v1/engines", json=SWITCH, headers={"origin": HOME}).status_code == 200
