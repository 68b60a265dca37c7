"""``python -m bench.live.scripted --port N``: a model server of OpenAI's protocol that does what it is told, on time.

Every pipeline that is measured uses it, so that all of them hear, think and speak equally well and equally fast:
a transcript takes 300 ms, a reply 150 ms to its first word and 33 ms for each word, and speech what its voice takes
(see ``bench.live.voice``), sent as it is made. What is heard is always the same question, or one that has a long
answer, with the name in it that rides on the sound (``bench.live.marks``); the reply names everybody who is named in
the conversation.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bench.live.marks import NAMES, STORY, marks_of
from bench.live.voice import NAME, RATE, say
from webui.audio.convert import to_pcm16
from webui.audio.decode import decode

HEARING_S, FIRST_WORD_S, WORD_S = 0.3, 0.15, 0.033
MODEL = "scripted"
QUESTION = "Could you please tell me{} what the capital of France is?"
ANSWER = (
    "The capital of France is Paris{}. It is known for its museums and its food. Would you like to hear more about it?"
)
STORY_QUESTION = "Could you please tell me{} the story of Paris?"
STORY_ANSWER = (
    "The city is older than its name{}. Fishermen lived on an island in the river, and traded with whoever came by. "
    "The Romans built a town there, with baths, a theatre and straight roads. Kings made it their seat, and put a "
    "wall around it, and then a longer one, because people would not stop coming. They built a great church on the "
    "island, and it took them almost two hundred years. Later there were emperors, who tore down the narrow streets "
    "and made wide ones, with trees on both sides. There were painters, who could pay for nothing, and are now in all "
    "the museums. Somebody put up an iron tower for a fair, and it was to be taken down after twenty years, and it is "
    "still there."
)
_LATE_S = 0.03  # what counts as late
_TICK_S = 0.02


def transcript(marks: Sequence[str]) -> str:
    """What is heard where these words ride on the sound."""
    names = " and ".join(mark for mark in marks if mark != STORY)
    return (STORY_QUESTION if STORY in marks else QUESTION).format(f", {names}," if names else "")


def reply(messages: Sequence[Mapping[str, Any]]) -> str:
    """The answer to a conversation. It names all who are named in any part of it: nobody else ought to be."""
    told = " ".join(str(message.get("content", "")) for message in messages)
    names = " and ".join(name for name in NAMES if re.search(rf"\b{name}\b", told))
    answer = STORY_ANSWER if "story" in str(messages[-1].get("content", "")) else ANSWER
    return answer.format(f", {names}" if names else "")


class Scripted:
    """The routes. ``late`` is when the server itself was held up, by the monotonic clock, and for how many seconds."""

    def __init__(self) -> None:
        self.late: list[tuple[float, float]] = []

    def app(self) -> Starlette:
        """The whole server."""
        routes = [
            Route("/v1/models", self._models),
            Route("/v1/audio/transcriptions", self._hear, methods=["POST"]),
            Route("/v1/chat/completions", self._think, methods=["POST"]),
            Route("/v1/audio/speech", self._speak, methods=["POST"]),
            Route("/late", self._tell_late),
        ]
        return Starlette(routes=routes, lifespan=self._watched)

    @asynccontextmanager
    async def _watched(self, _: Starlette) -> AsyncIterator[None]:
        watch = asyncio.create_task(self._watch())
        yield
        watch.cancel()

    async def _watch(self) -> None:
        while True:
            due = time.monotonic() + _TICK_S
            await asyncio.sleep(_TICK_S)
            if (behind := time.monotonic() - due) > _LATE_S:
                self.late.append((due, behind))

    async def _tell_late(self, _: Request) -> Response:
        """Everything since it was last asked for."""
        told, self.late = self.late, []
        return JSONResponse(told)

    async def _models(self, _: Request) -> Response:
        card = {"id": MODEL, "object": "model", "owned_by": "bench", "max_model_len": 8192}
        return JSONResponse({"object": "list", "data": [card]})

    async def _hear(self, request: Request) -> Response:
        until = time.monotonic() + HEARING_S
        async with request.form() as form:
            file = form["file"]
            assert not isinstance(file, str)
            sound = decode(await file.read())
        text = transcript(marks_of(sound))
        await asyncio.sleep(until - time.monotonic())
        return JSONResponse({"text": text, "language": "english", "duration": sound.duration})

    async def _think(self, request: Request) -> Response:
        asked = await request.json()
        limit = asked.get("max_tokens") or asked.get("max_completion_tokens") or 1000
        words = re.findall(r"\S+\s*", reply(asked["messages"]))
        why = "length" if len(words) > limit else "stop"
        words = words[:limit]
        if asked.get("stream"):
            return StreamingResponse(_written(words, why), media_type="text/event-stream")
        await asyncio.sleep(FIRST_WORD_S + WORD_S * (len(words) - 1))
        message = {"role": "assistant", "content": "".join(words)}
        choice = {"index": 0, "message": message, "finish_reason": why}
        return JSONResponse({**_about("chat.completion"), "choices": [choice]})

    async def _speak(self, request: Request) -> Response:
        asked = await request.json()
        if asked.get("response_format") != "pcm":
            return JSONResponse({"error": {"message": "response_format must be pcm"}}, 400)
        return StreamingResponse(_spoken(str(asked["input"])), media_type="audio/pcm")


async def _written(words: list[str], why: str) -> AsyncIterator[str]:
    due = time.monotonic() + FIRST_WORD_S
    for word in words:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        due += WORD_S
        yield _chunk({"role": "assistant", "content": word}, None)
    yield _chunk({}, why)
    yield "data: [DONE]\n\n"


def _chunk(delta: dict[str, str], why: str | None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": why}
    return f"data: {json.dumps({**_about('chat.completion.chunk'), 'choices': [choice]})}\n\n"


def _about(kind: str) -> dict[str, Any]:
    return {"id": "scripted", "object": kind, "created": 0, "model": MODEL}


async def _spoken(text: str) -> AsyncIterator[bytes]:
    sound = await asyncio.to_thread(say, text)
    pcm = to_pcm16(sound.samples).astype("<i2").tobytes()
    step = RATE // 10 * 2
    for at in range(0, len(pcm), step):
        yield pcm[at : at + step]


def main() -> None:
    """Serve on loopback until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m bench.live.scripted", description=f"It speaks with {NAME}.")
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    uvicorn.run(Scripted().app(), host="127.0.0.1", port=asked.port, log_level="warning")


if __name__ == "__main__":
    main()
