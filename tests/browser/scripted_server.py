"""The real page over a server that plays a script: for what the front-end does, whatever the engines.

``python -m tests.browser.scripted_server [port]`` serves it for a look.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from webui.config import ROOT, Settings
from webui.conversation.prompts import PERSONAS
from webui.engines.registry import Engines
from webui.engines.store import ModelStore
from webui.ui.context import PageContext
from webui.ui.page import build_page, launch_options

RATE = 24000
CLIPS = ROOT / "assets" / "clips" / "clips.json"

HEARD: dict[str, dict[str, Any]] = {
    "en": {
        "transcript": "I failed my exam today. I studied for weeks.",
        "segments": [
            ("I failed my exam today.", 0.3, 2.1, "SAD", 0.86, [("Breath", 0.05, 0.3, 0.7)]),
            ("I studied for weeks.", 2.5, 4.2, "SAD", 0.64, [("Cry", 4.2, 4.8, 0.55)]),
        ],
    },
    "zh": {
        "transcript": "我今天拿到录取通知了！",
        "segments": [("我今天拿到录取通知了！", 0.3, 2.9, "HAPPY", 0.91, [("Laughter", 3.0, 4.2, 0.83)])],
    },
}
REPLY = {
    "en": [
        "I am sorry to hear that.",
        "One exam does not undo weeks of work. Do you want to talk about what went wrong?",
    ],
    "zh": ["太好了，恭喜你！", "这段时间的努力没有白费。打算怎么庆祝一下呢？"],
}
VOICES = [
    ("af_heart", "Heart", "en", "female"), ("am_michael", "Michael", "en", "male"), ("bf_emma", "Emma", "en", "female"),
    ("zf_xiaobei", "Xiaobei", "zh", "female"), ("zm_yunxi", "Yunxi", "zh", "male"),
]  # fmt: skip
ENGINES = [
    {"job": "recognizer", "engine": "whisper", "name": "Whisper base", "device": "CPU", "licence": "MIT"},
    {"job": "chat", "engine": "llama", "name": "Qwen2.5 1.5B", "device": "CPU", "licence": "Apache-2.0"},
    {"job": "synthesizer", "engine": "kokoro", "name": "Kokoro 82M", "device": "CPU", "licence": "Apache-2.0"},
]
COMMAND = "bash scripts/engine_envs.sh cosyvoice"
REASONS = {
    "loaded": True,
    "languages": ["en", "zh"],
    "capabilities": {"clone": "It cannot."},
    "why": ["why_embedded", {}],
    "missing": ["lacks_environment", {"engine": "CosyVoice"}],
    "better": ["better_command", {"engine": "CosyVoice", "command": COMMAND}],
}
OPTIONS = {
    "recognizer": [("whisper", None), ("sensevoice", None), ("funasr", ["lacks_gpu", {"engine": "SenseVoice"}])],
    "chat": [("llama", None)],
    "synthesizer": [("kokoro", None), ("cosyvoice", ["lacks_environment", {"engine": "CosyVoice"}])],
}
PAGE: dict[str, Any] = {
    "voices": [{"id": i, "name": n, "languages": [lang], "gender": g, "kind": "preset"} for i, n, lang, g in VOICES],
    "styles": ["auto", "neutral", "happy", "sad", "angry", "calm", "excited"],
    "personas": [{"id": name, "prompts": PERSONAS[name]} for name in ("friend", "assistant")],
    "languages": ["en", "zh", "ja"],
    "engines": [
        {**REASONS, **engine, "options": [{"name": n, "lacks": lacks} for n, lacks in OPTIONS[engine["job"]]]}
        for engine in ENGINES
    ],
    "switching": True,
    "speeds": [0.5, 2.0],
    "clips": [{"id": Path(c["file"]).stem, "file": c["file"]} for c in json.loads(CLIPS.read_text("utf-8"))],
    "limits": {"max_upload_bytes": 2 * 1024 * 1024, "max_turn_seconds": 120, "max_text_chars": 2000},
}


def speech(seconds: float, seed: int = 1) -> np.ndarray:
    """Something with syllables in it: float32 at 24 kHz."""
    t = np.arange(int(seconds * RATE)) / RATE
    drift = np.random.default_rng(seed).random(6)
    envelope = np.abs(np.sin(2 * math.pi * (2.2 + drift[0]) * t + drift[1])) * (
        0.35 + 0.65 * np.abs(np.sin(1.3 * t + drift[2]))
    )
    return (0.3 * envelope * np.sin(2 * math.pi * 180 * t)).astype(np.float32)


def peaks(samples: np.ndarray, count: int = 240) -> list[float]:
    return [round(float(np.abs(part).max()), 3) for part in np.array_split(samples, count)]


@dataclass
class Script:
    """How the next turns go. ``received`` is every message of every socket, in order."""

    lang: str = "en"
    heard_s: float = 0.25
    token_s: float = 0.01
    chunk_s: float = 1.6
    pause_s: float = 0.1
    error: dict[str, Any] | None = None
    reply: list[str] | None = None
    transcript: str | None = None
    loading: bool = False
    switch_s: float = 0.0
    switch_error: dict[str, Any] | None = None
    switched: list[dict[str, str]] = field(default_factory=list)
    page: dict[str, Any] = field(default_factory=lambda: PAGE)
    received: list[dict[str, Any]] = field(default_factory=list)
    sockets: list[WebSocket] = field(default_factory=list)

    def kinds(self) -> list[str]:
        return [message["type"] for message in self.received]


class ScriptedServer:
    """The page on a free port of this machine."""

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or Script()
        self.url = ""
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, port: int | None = None) -> ScriptedServer:
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        settings = Settings(_env_file=None)  # type: ignore[call-arg]
        context = PageContext(settings, Engines(settings, ModelStore(settings.models_dir)))
        options = launch_options(context)
        options["app_kwargs"]["routes"] = [
            Route("/v1/page", self._page),
            Route("/v1/engines", self._switch, methods=["POST"]),
            Route("/v1/chat-server", self._chat_server),
            Route("/v1/conversations/{id}.zip", self._download),
            WebSocketRoute("/v1/realtime", self._socket),
            Mount("/webui/static", StaticFiles(directory=ROOT / "assets")),
        ]
        self._blocks = build_page(context)
        _, self.url, _ = self._blocks.launch(server_port=port, prevent_thread_lock=True, quiet=True, **options)
        return self

    def stop(self) -> None:
        self._blocks.close(verbose=False)

    def drop(self, code: int = 1012) -> None:
        """Cut every socket, as a lost network does, or with the code of a reason."""
        assert self._loop
        for socket in self.script.sockets:
            asyncio.run_coroutine_threadsafe(socket.close(code), self._loop).result(5)

    async def _page(self, _: object) -> Response:
        return JSONResponse(self.script.page)

    async def _switch(self, request: Request) -> Response:
        script, asked = self.script, await request.json()
        script.switched.append(asked)
        await asyncio.sleep(script.switch_s)
        if script.switch_error:
            return JSONResponse({"error": script.switch_error}, 409)
        other = {"engine": asked["name"], "name": f"The other {asked['job']}", "why": ["why_switched", {}]}
        engines = [{**row, **other} if row["job"] == asked["job"] else row for row in PAGE["engines"]]
        for socket in script.sockets:
            await send(socket, "funaudio.engines", engines=engines)
        script.page = {**PAGE, "engines": engines, "voices": PAGE["voices"][:2]}
        return JSONResponse({"engines": engines, "switching": True})

    async def _chat_server(self, _: object) -> Response:
        return JSONResponse({"url": "", "model": "", "has_key": False})

    async def _download(self, _: object) -> Response:
        return PlainTextResponse("PK", headers={"content-disposition": "attachment; filename=conversation.zip"})

    async def _socket(self, socket: WebSocket) -> None:
        self._loop = asyncio.get_running_loop()
        await socket.accept()
        script = self.script
        script.sockets.append(socket)
        turn: asyncio.Task[None] | None = None
        spoken = False
        try:
            await send(socket, "session.created", session={"id": f"session{len(self.script.received)}"})
            await send(socket, "funaudio.status", engines=script.page["engines"])
            if self.script.loading:
                values = {"name": "Whisper base"}
                await send(
                    socket,
                    "funaudio.stage",
                    stage="loading",
                    message_key="fetching_model",
                    values=values,
                    progress=0.42,
                )
            while True:
                message = json.loads(await socket.receive_text())
                self.script.received.append(message)
                kind = message["type"]
                if kind == "input_audio_buffer.commit" or (kind == "funaudio.input_file" and message.get("last")):
                    spoken = True
                    await send(socket, "input_audio_buffer.committed", item_id="item")
                elif kind == "conversation.item.create":
                    spoken = False
                elif kind == "response.create":
                    turn = asyncio.create_task(self._turn(socket, spoken))
                elif kind == "response.cancel" and turn:
                    turn.cancel()
                elif kind == "funaudio.preview":
                    await send_chunk(socket, "preview", "Hello, nice to meet you.", speech(1.2))
                    await send(socket, "response.output_audio.done", response_id="preview")
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            script.sockets.remove(socket)
            if turn:
                turn.cancel()

    async def _turn(self, socket: WebSocket, spoken: bool) -> None:
        script, response = self.script, f"resp{time.monotonic_ns()}"
        began = time.monotonic()
        await send(socket, "response.created", response={"id": response})
        await send(socket, "response.output_item.added", response_id=response, item={"id": f"item-{response}"})
        status = "completed"
        try:
            if spoken:
                await send(socket, "funaudio.stage", stage="understanding")
                await asyncio.sleep(script.heard_s)
                if script.error:
                    status = "failed"
                    await send(socket, "error", error=script.error)
                    return
                await send(
                    socket, "conversation.item.input_audio_transcription.completed", item_id="item", **self._heard()
                )
            await send(socket, "funaudio.stage", stage="thinking")
            for number, sentence in enumerate(script.reply or REPLY[script.lang]):
                for word in sentence.split(" ") if " " in sentence else sentence:
                    glue = " " if " " in sentence else ""
                    await asyncio.sleep(script.token_s)
                    await send(
                        socket, "response.output_audio_transcript.delta", response_id=response, delta=word + glue
                    )
                await send(socket, "funaudio.stage", stage="speaking")
                await send_chunk(socket, response, sentence, speech(script.chunk_s, number), "calm")
                await asyncio.sleep(script.pause_s)
        except asyncio.CancelledError:
            status = "cancelled"
        finally:
            latency = {"heard_s": 0.61, "thought_s": 0.42, "first_sound_s": 0.5, "total_s": 1.53}
            print(f"turn of {time.monotonic() - began:.1f} s: {status}")
            await send(socket, "response.output_audio.done", response_id=response)
            done = {"id": response, "status": status}
            await send(socket, "response.done", response=done, funaudio={"latency": latency, "style": "calm"})
            await send(socket, "funaudio.stage", stage="idle")

    def _heard(self) -> dict[str, Any]:
        heard = HEARD[self.script.lang]
        segments = []
        for text, start, end, emotion, sure, events in heard["segments"]:
            parts = text.split(" ") if " " in text else list(text)
            step = (end - start) / len(parts)
            segments.append(
                {
                    "start": start,
                    "end": end,
                    "text": text,
                    "language": self.script.lang,
                    "emotion": emotion,
                    "emotion_confidence": sure,
                    "arousal": 0.3,
                    "confidence": 0.9,
                    "events": [dict(zip(("event", "start", "end", "confidence"), e, strict=True)) for e in events],
                    "words": [
                        {"text": part, "start": start + i * step, "end": start + (i + 1) * step, "confidence": 0.9}
                        for i, part in enumerate(parts)
                    ],
                }
            )
        if self.script.transcript is not None:
            segments = [{**segments[0], "text": self.script.transcript, "words": []}]
        sound = {"duration": 4.8, "peaks": peaks(speech(4.8, 3)), "segments": segments, "rich": heard["transcript"]}
        return {"transcript": self.script.transcript or heard["transcript"], "funaudio": sound}


async def send(socket: WebSocket, kind: str, **fields: Any) -> None:
    await socket.send_text(json.dumps({"type": kind, **fields}))


async def send_chunk(socket: WebSocket, response: str, text: str, samples: np.ndarray, style: str = "neutral") -> None:
    parts = text.split(" ") if " " in text else list(text)
    step = len(samples) / RATE / len(parts)
    words = [{"text": part, "start": i * step, "end": (i + 1) * step} for i, part in enumerate(parts)]
    delta = base64.b64encode((samples * 32767).astype("<i2").tobytes()).decode()
    extra = {"text": text, "words": words, "style": style}
    await send(socket, "response.output_audio.delta", response_id=response, delta=delta, funaudio=extra)


if __name__ == "__main__":
    print(ScriptedServer().start(int(sys.argv[1]) if len(sys.argv) > 1 else None).url, flush=True)
    threading.Event().wait()
