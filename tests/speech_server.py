"""Somebody else's speech server on the loopback address, and sounds to know again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import HTTP
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.serving import QuietHandler, listening


@dataclass(frozen=True)
class Asked:
    """One request as it came: ``body`` is JSON, or a form with bytes for its files."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Reply:
    """What is answered. ``blocks`` are sent as they come; ``cut`` breaks the connection behind the last."""

    blocks: Iterable[bytes] = ()
    content_type: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


def as_json(value: Any, status: int = 200) -> Reply:
    return Reply([json.dumps(value).encode()], "application/json", status)


@dataclass
class SpeechServer:
    """``routes``: path -> a reply, a list of replies for one request after the other, or what makes one."""

    routes: dict[str, Any]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)
    """The other side went away while something was still being sent."""

    def questions(self) -> list[Asked]:
        """What was asked beside what the server is."""
        return [one for one in self.asked if one.method == "POST"]

    def reply(self, asked: Asked) -> Reply:
        found = self.routes.get(asked.path, Reply(status=404))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        reply: Reply = found(asked) if callable(found) else found
        return reply


@contextmanager
def speaking(routes: dict[str, Any]) -> Iterator[SpeechServer]:
    """A ``SpeechServer`` that is up."""
    state = SpeechServer(routes)

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self.answer(Asked("GET", self.path, dict(self.headers), {}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(Asked("POST", self.path, dict(self.headers), _body(self.headers["Content-Type"], body)))

        def answer(self, asked: Asked) -> None:
            state.asked.append(asked)
            reply = state.reply(asked)
            try:
                self.send_response(reply.status)
                if reply.content_type:
                    self.send_header("Content-Type", reply.content_type)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for block in reply.blocks:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
                    self.wfile.flush()
                if reply.cut:
                    self.close_connection = True
                else:
                    self.wfile.write(b"0\r\n\r\n")
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
                state.gone.set()

    with listening(Handler) as url:
        state.url = url
        yield state


def _body(content_type: str, body: bytes) -> dict[str, Any]:
    if content_type == "application/json":
        parsed: dict[str, Any] = json.loads(body)
        return parsed
    if content_type == "application/x-www-form-urlencoded":
        from urllib.parse import parse_qsl

        return dict(parse_qsl(body.decode()))
    form = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body, policy=HTTP)
    out: dict[str, Any] = {}
    for part in form.iter_parts():
        content = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        out[name] = content if part.get_filename() else content.decode()
    return out


def noise(n: int, seed: int = 0) -> npt.NDArray[np.int16]:
    """A sound that is like no other, full scale at its beginning."""
    out = np.random.default_rng(seed).integers(-9000, 9000, n).astype(np.int16)
    out[:4] = (32767, -32768, 0, -1)
    return out


def pcm(sound: npt.NDArray[np.int16]) -> bytes:
    return sound.astype("<i2").tobytes()


def torn(data: bytes, sizes: Iterable[int] = (1, 3, 1, 7, 4097, 2, 999)) -> list[bytes]:
    """``data`` in blocks of odd sizes."""
    cycle = list(sizes)
    out, at = [], 0
    while at < len(data):
        size = cycle[len(out) % len(cycle)]
        out.append(data[at : at + size])
        at += size
    return out


def until(released: threading.Event, first: list[bytes], then: Callable[[], Iterable[bytes]]) -> Iterator[bytes]:
    """Blocks that go on only when ``released``."""
    yield from first
    released.wait(20)
    yield from then()
