"""Reaching other servers: what is tried again, and what a person is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import stamina
from pydantic import SecretStr

from tests.serving import QuietHandler, listening
from webui.engines import http
from webui.errors import EngineError

KEY = SecretStr("sk-very-secret")


@dataclass
class Script:
    """Answers one after the other: a status with a body and headers; 0 closes the connection without a word."""

    answers: list[tuple[int, str, dict[str, str]]]
    url: str = ""
    seen: list[tuple[str, str | None, bytes]] = field(default_factory=list)


@contextmanager
def scripted(*answers: tuple[int, str, dict[str, str]]) -> Iterator[Script]:
    script = Script(list(answers))

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            script.seen.append((self.path, self.headers.get("Authorization"), body))
            status, text, headers = script.answers.pop(0)
            self.close_connection = not status
            if status < 1:
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

    with listening(Handler) as url:
        script.url = url + "/v1"
        yield script


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As many attempts as in earnest, with hardly a wait between them."""
    for name in ("FIRST_WAIT_S", "LONGEST_WAIT_S", "JITTER_S"):
        monkeypatch.setattr(http, name, 0.001)
    assert stamina.is_active()
    yield


def post(url: str) -> str:
    with http.connect(url, KEY, read_s=5) as client:
        return http.send(client, "POST", "/hear", json={"a": 1}).text


def test_a_failing_server_is_asked_again_with_the_same_body_and_key() -> None:
    with scripted((503, "", {}), (429, "", {"Retry-After": "7"}), (0, "", {}), (200, "heard", {})) as server:
        assert post(server.url) == "heard"
    assert server.seen == [("/v1/hear", "Bearer sk-very-secret", b'{"a":1}')] * 4


def test_an_event_loop_is_served_alike() -> None:
    async def ask(url: str) -> str:
        async with http.connect_async(url, KEY) as client:
            return (await http.send_async(client, "POST", "/hear", json={"a": 1})).text

    # In another thread: this one may have a loop of its own, the browser's driver.
    with scripted((500, "", {}), (200, "heard", {})) as server, ThreadPoolExecutor(1) as elsewhere:
        assert elsewhere.submit(asyncio.run, ask(server.url)).result() == "heard"


def test_a_stream_is_open_when_it_is_handed_over() -> None:
    with scripted((502, "down", {}), (200, "piece by piece", {})) as server, http.connect(server.url, KEY) as client:
        response = http.send(client, "POST", "/speak", stream=True)
        assert not response.is_closed
        assert b"".join(response.iter_bytes()) == b"piece by piece"


@pytest.mark.parametrize(
    ("status", "body", "key", "attempts"),
    [
        (401, '{"error": {"message": "bad sk-very-secret"}}', "server_key", 1),
        (404, "", "server_path", 1),
        (307, "", "server_path", 1),
        (400, '{"error": {"message": "no such\\nvoice sk-very-secret"}}', "server_refused", 1),
        (422, '{"detail": [{"loc": 1}]}', "server_refused", 1),
        (429, "", "server_busy", http.ATTEMPTS),
        (500, "<html>" * 1000, "server_failed", http.ATTEMPTS),
        (0, "", "server_broke_off", http.ATTEMPTS),
    ],
)
def test_what_cannot_be_had_is_one_sentence_without_the_key(status: int, body: str, key: str, attempts: int) -> None:
    with scripted(*[(status, body, {"Location": "http://127.0.0.1:9/"})] * 9) as server:
        with pytest.raises(EngineError) as caught:
            post(server.url)
        assert len(server.seen) == attempts
    error = caught.value
    assert error.key == key
    assert len(error.message) < 300 and "\n" not in error.message and "/v1" not in error.message
    assert "secret" not in error.message + repr(error.values)
    assert status != 400 or "no such voice …" in error.message


def test_the_wait_that_a_server_asks_for_is_kept() -> None:
    import httpx

    request = httpx.Request("POST", "http://x")

    def wait(status: int, after: str) -> bool | float:
        response = httpx.Response(status, headers={"Retry-After": after}, request=request)
        return http._again(httpx.HTTPStatusError("", request=request, response=response))

    assert wait(429, "9") == http.LONGEST_WAIT_S
    assert wait(503, "soon") is True
    assert wait(400, "1") is False
    assert http._again(httpx.ReadTimeout("")) is False
    assert http._again(httpx.ConnectError("")) is True
    assert http._again(ValueError()) is False


def test_nobody_there_and_nobody_speaking() -> None:
    with scripted() as server:
        gone = server.url
    with pytest.raises(EngineError) as caught:
        post(gone)
    assert caught.value.key == "server_unreachable"

    import socket

    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://user:pass@127.0.0.1:{mute.getsockname()[1]}/secret"
        with http.connect(url, KEY, read_s=0.1) as client, pytest.raises(EngineError) as caught:
            http.send(client, "GET", "/x")
    assert caught.value.key == "server_silent"
    assert "pass" not in caught.value.message and "secret" not in caught.value.message


@pytest.mark.parametrize("address", ["", "localhost:8000", "ftp://x/", "http://", "file:///etc", "http://a b:x"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(EngineError) as caught:
        http.connect(address, KEY)
    assert caught.value.key == "server_address"
