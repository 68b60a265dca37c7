"""The real page over a realtime server that does nothing by itself: a test sends the events, at its own time."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.browser.scripted_server import PAGE, RATE, ScriptedServer, send, speech

LATENCY = {"heard_s": 0.22, "thought_s": 0.31, "first_sound_s": 0.36, "total_s": 0.89}


def segment(text: str, emotion: str = "NEUTRAL", sure: float = 0.9, **more: Any) -> dict[str, Any]:
    """A segment of a transcript, as the server describes it."""
    plain = {"start": 0.0, "end": 2.0, "language": "en", "confidence": 0.9, "words": [], "events": []}
    return {**plain, "text": text, "emotion": emotion, "emotion_confidence": sure, **more}


@dataclass
class Wire:
    """One connection: how it was asked for, and every message of the page with its time in seconds."""

    socket: WebSocket
    session: str
    asked: dict[str, str]
    received: list[dict[str, Any]] = field(default_factory=list)
    closed: int | None = None  # the code that the page closed it with

    def kinds(self) -> list[str]:
        return [message["type"] for message in self.received]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.received if message["type"] == kind]


class LiveServer(ScriptedServer):
    """Says ``session.created`` (unless ``queued``) and waits to be told."""

    def __init__(self) -> None:
        super().__init__()
        self.forget()

    def forget(self) -> None:
        """As after a start."""
        self.wires: list[Wire] = []
        self.queued = False
        self.close_code: int | None = None
        self.keeps = True  # whether a conversation can be come back to

    @property
    def wire(self) -> Wire:
        """The latest connection."""
        return self.wires[-1]

    async def _socket(self, socket: WebSocket) -> None:
        self._loop = asyncio.get_running_loop()
        await socket.accept()
        if self.close_code is not None:
            await socket.close(self.close_code)
            return
        asked = dict(socket.query_params)
        session = asked.get("session", "") if self.keeps else ""
        wire = Wire(socket, session or f"s{time.monotonic_ns()}", asked)
        self.wires.append(wire)
        try:
            if not self.queued:
                await self._welcome(wire)
            while True:
                message = json.loads(await socket.receive_text())
                wire.received.append({**message, "at": time.monotonic()})
        except WebSocketDisconnect as gone:
            wire.closed = gone.code
        except RuntimeError:  # closed by the test
            return

    async def _welcome(self, wire: Wire) -> None:
        await send(wire.socket, "session.created", session={"id": wire.session})
        await send(wire.socket, "funaudio.status", engines=PAGE["engines"])

    # -- what a test says --

    def emit(self, kind: str, **fields: Any) -> None:
        """Send one event on the latest connection."""
        self._do(send(self.wire.socket, kind, **fields))

    def welcome(self) -> None:
        """A place is free."""
        self._do(self._welcome(self.wire))

    def hang_up(self, code: int) -> None:
        """Close the latest connection."""
        self._do(self.wire.socket.close(code))

    def hears(self, item: str, text: str, **more: Any) -> None:
        """The person said something, from the first sound to the transcript."""
        self.emit("input_audio_buffer.speech_started", item_id=item, audio_start_ms=0)
        self.emit("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=900)
        self.emit("input_audio_buffer.committed", item_id=item)
        heard = {"duration": 2.0, "peaks": [], "rich": text, "segments": [segment(text, **more)]}
        self.emit(
            "conversation.item.input_audio_transcription.completed", item_id=item, transcript=text, funaudio=heard
        )

    def begins(self, response: str) -> None:
        """A reply is begun."""
        self.emit("response.created", response={"id": response, "status": "in_progress"})
        self.emit("funaudio.stage", stage="thinking")

    def says(self, response: str, text: str, seconds: float) -> None:
        """A piece of the reply: its words and its sound."""
        words = text.split()
        step = seconds / len(words)
        marks = [{"text": word, "start": i * step, "end": (i + 1) * step} for i, word in enumerate(words)]
        delta = base64.b64encode((speech(seconds) * 32767).astype("<i2").tobytes()).decode()
        place = {"response_id": response, "item_id": f"item-{response}", "output_index": 0, "content_index": 0}
        self.emit("response.output_audio_transcript.delta", delta=text + " ", **place)
        self.emit("funaudio.stage", stage="speaking")
        extra = {"text": text, "style": "calm", "words": marks}
        self.emit("response.output_audio.delta", delta=delta, funaudio=extra, **place)

    def done(self, response: str, status: str = "completed") -> None:
        """The reply is over, for the server."""
        self.emit("response.output_audio.done", response_id=response)
        self.emit(
            "response.done", response={"id": response, "status": status}, funaudio={"latency": LATENCY, "style": "calm"}
        )
        self.emit("funaudio.stage", stage="idle")

    def _do(self, coroutine: Any) -> None:
        assert self._loop
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(5)


def loudness(pcm: list[str]) -> float:
    """The loudest sample of base64 pieces of 16-bit sound, 0 to 1."""
    samples = np.frombuffer(b"".join(base64.b64decode(piece) for piece in pcm), "<i2")
    return float(np.abs(samples).max()) / 32768 if len(samples) else 0.0


def seconds(pcm: list[str]) -> float:
    """How long base64 pieces of 16-bit sound last."""
    return sum(len(base64.b64decode(piece)) for piece in pcm) / 2 / RATE
