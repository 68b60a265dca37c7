"""``/v1/chat-server``: whoever may set the language model's server, and what becomes of the key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import stamina
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests import chat_servers as foreign
from tests.chat_servers import KEY, WORDS, Server, models
from tests.speech_server import SpeechServer, speaking
from webui.api.routes import Api
from webui.config import ROOT, Settings
from webui.engines.probe import Probe
from webui.engines.protocols import ChatRequest, Message
from webui.engines.registry import Engines
from webui.engines.store import ModelStore

HOME = "http://127.0.0.1:7860"
ROUTE = "/v1/chat-server"
OPENAI = Server(foreign.openai, models({"id": "gpt-5-mini"}), key=KEY)


@pytest.fixture(autouse=True)
def patient() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2):
        yield


@contextmanager
def page(base: str = HOME, **given: Any) -> Iterator[tuple[TestClient, Engines]]:
    settings = Settings(_env_file=None, profile="embedded", **given)
    engines = Engines(settings, ModelStore(ROOT / "models"), lambda *_: Probe())
    with TestClient(Starlette(routes=Api(engines).routes()), base_url=base) as client:
        yield client, engines
    engines.close()


@pytest.fixture
def openai() -> Iterator[SpeechServer]:
    with speaking(OPENAI.routes()) as state:
        yield state


def test_a_server_is_tried_used_and_told_of_without_its_key(openai: SpeechServer) -> None:
    with page() as (client, engines):
        assert client.get(ROUTE).json() == {"url": "", "model": "", "has_key": False}
        answer = client.post(ROUTE, json={"url": f" {openai.url}/v1 ", "model": "", "key": KEY})
        assert answer.status_code == 200, answer.text
        known = {"url": f"{openai.url}/v1", "model": "", "has_key": True}
        assert answer.json() == {**known, "found": {"model": "gpt-5-mini", "context_tokens": 4096}}
        assert client.get(ROUTE).json() == known
        thinks = next(e for e in client.get("/v1/engines").json()["engines"] if e["job"] == "chat")
        assert (thinks["engine"], thinks["name"], thinks["loaded"]) == ("openai", "gpt-5-mini", True)
        answered = engines.chat.chat(ChatRequest((Message("user", "Hi"),)))
        assert "".join(map(str, answered)) == "".join(WORDS)
        for path in (ROUTE, "/v1/engines", "/v1/page"):
            assert KEY not in client.get(path).text
    assert KEY not in repr(engines.settings)


def test_the_key_is_kept_for_its_own_server_and_goes_to_no_other(openai: SpeechServer) -> None:
    other = Server(foreign.openai, models({"id": "theirs"}))
    with page() as (client, _), speaking(other.routes()) as theirs:
        client.post(ROUTE, json={"url": openai.url, "key": KEY})
        again = client.post(ROUTE, json={"url": f"{openai.url}/v1", "model": "gpt-5-mini", "key": ""})
        assert again.json()["has_key"] is True
        moved = client.post(ROUTE, json={"url": theirs.url, "key": ""})
        assert moved.json()["has_key"] is False
        assert theirs.asked
        assert all("Authorization" not in asked.headers for asked in theirs.asked)


def test_one_that_does_not_work_changes_nothing(openai: SpeechServer) -> None:
    with page() as (client, _):
        client.post(ROUTE, json={"url": openai.url, "key": KEY})
        for body, code in (
            ({"url": openai.url, "key": "sk-wrong"}, "server_key"),
            ({"url": "http://127.0.0.1:9"}, "server_unreachable"),
            ({"url": "not an address"}, "server_address"),
        ):
            answer = client.post(ROUTE, json=body)
            assert answer.status_code == 409
            assert answer.json()["error"]["code"] == code
            assert "sk-wrong" not in answer.text
        assert client.get(ROUTE).json() == {"url": openai.url, "model": "", "has_key": True}
        assert client.get("/v1/engines").json()["engines"][1]["engine"] == "openai"


@pytest.mark.parametrize("body", ["", "[]", "nonsense", '"' + "x" * 20_000 + '"'])
def test_what_is_no_message_is_refused(body: str) -> None:
    with page() as (client, _):
        assert client.post(ROUTE, content=body).status_code == 400


@pytest.mark.parametrize(
    ("base", "headers", "settings", "code"),
    [
        ("http://192.168.1.7:7860", {}, {"host": "0.0.0.0"}, "switching_off"),
        ("https://abc.gradio.live", {}, {"share": True}, "switching_off"),
        (HOME, {"origin": "https://evil.example"}, {}, "switching_foreign"),
        ("http://evil.example:7860", {}, {}, "switching_off"),
    ],
)
def test_only_the_person_at_the_machine_may_see_or_set_it(
    base: str, headers: dict[str, str], settings: dict[str, Any], code: str
) -> None:
    with page(base, **settings) as (client, _):
        for answer in (client.get(ROUTE, headers=headers), client.post(ROUTE, json={"url": "x"}, headers=headers)):
            assert answer.status_code == 403
            assert answer.json()["error"]["code"] == code
