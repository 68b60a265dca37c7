"""A person at an open microphone of ``/v1/realtime``: real voices against scripted engines, as fast as it goes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.testclient import TestClient, WebSocketTestSession

from webui.api.routes import Api
from webui.audio.convert import resample, to_pcm16
from webui.audio.decode import decode
from webui.config import ROOT
from webui.types import Audio, Samples

RATE = 24000
QUESTION = resample(decode(ROOT / "assets" / "clips" / "en_question.wav"), RATE)
SEMANTIC = {"type": "semantic_vad"}


def quiet(seconds: float) -> Samples:
    """The hiss of a room in which nobody speaks."""
    rng = np.random.default_rng(1)
    return (rng.standard_normal(round(seconds * RATE)) * 0.0005).astype(np.float32)


def voice(seconds: float | None = None) -> Samples:
    """Somebody speaks; ``seconds`` of it at most."""
    loud = np.flatnonzero(np.abs(QUESTION.samples) > 0.03)
    speech = QUESTION.samples[loud[0] : loud[-1]]
    return speech if seconds is None else speech[: round(seconds * RATE)]


class Person:
    """One client. What it has received is in ``events``."""

    def __init__(self, socket: WebSocketTestSession) -> None:
        self._socket = socket
        self.events: list[dict[str, Any]] = []

    def send(self, kind: str, **fields: Any) -> None:
        self._socket.send_text(json.dumps({"type": kind, **fields}))

    def update(self, detection: Any) -> None:
        self.send("session.update", session={"audio": {"input": {"turn_detection": detection}}})
        self.until("session.updated")

    def say(self, *parts: Samples, encode: Any = lambda samples: to_pcm16(samples).tobytes()) -> None:
        """Send sound in pieces of 20 ms."""
        sound = np.concatenate(parts)
        for at in range(0, len(sound), 480):
            piece = base64.b64encode(encode(sound[at : at + 480])).decode()
            self.send("input_audio_buffer.append", audio=piece)

    def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Read on to the next event of that kind, and with those fields."""
        while True:
            self.events.append(json.loads(self._socket.receive_text()))
            last = self.events[-1]
            if last["type"] == kind and all(last.get(name) == value for name, value in fields.items()):
                return last

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]


@contextmanager
def talking(engines: Any, detection: Any = SEMANTIC, headers: dict[str, str] | None = None) -> Iterator[Person]:
    """A person whose microphone is open."""
    with (
        TestClient(Starlette(routes=Api(engines).routes())) as client,
        client.websocket_connect("/v1/realtime", headers=headers or {}) as socket,
    ):
        person = Person(socket)
        person.until("funaudio.stage", stage="idle")
        person.update(detection)
        person.events.clear()
        yield person


def sound(event: dict[str, Any], rate: int = RATE) -> Audio:
    """What an audio delta of PCM holds."""
    pcm = np.frombuffer(base64.b64decode(event["delta"]), "<i2")
    return Audio((pcm / 32768).astype(np.float32), rate)
