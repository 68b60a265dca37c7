"""OpenAI's own client at our socket: a conversation of three turns, one of which is interrupted."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import numpy as np
import pytest
from openai import AsyncOpenAI

from tests.api.live_client import RATE, SEMANTIC, quiet, voice
from tests.scripted import ScriptedChat, ScriptedEngines, ScriptedRecognizer, ScriptedSynthesizer
from tests.served import serving_api
from tests.waiting import finish
from webui.audio.convert import to_pcm16
from webui.types import Samples, Segment


class Caller:
    """Somebody on the line: sound goes out in real time, as from a microphone; what comes is collected."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.events: list[Any] = []

    async def listen(self) -> None:
        async for event in self._connection:
            self.events.append(event)

    async def say(self, sound: Samples) -> None:
        for at in range(0, len(sound), RATE // 50):
            piece = to_pcm16(sound[at : at + RATE // 50]).tobytes()
            await self._connection.input_audio_buffer.append(audio=base64.b64encode(piece).decode())
            await asyncio.sleep(0.02)

    async def until(self, kind: str, count: int = 1) -> Any:
        """Keep the microphone open until that many events of that kind have come."""
        for _ in range(500):
            if len(found := self.of(kind)) >= count:
                return found[count - 1]
            await self.say(quiet(0.1))
        raise AssertionError(f"no {kind} in {[event.type for event in self.events]}")

    def of(self, kind: str) -> list[Any]:
        return [event for event in self.events if event.type == kind]


async def call(url: str, engines: ScriptedEngines) -> Caller:
    client = AsyncOpenAI(api_key="none", websocket_base_url=url.replace("http", "ws") + "/v1")
    async with client.realtime.connect(model="funaudio") as connection:
        await connection.session.update(
            session={
                "type": "realtime",
                "instructions": "Be brief.",
                "audio": {"input": {"turn_detection": SEMANTIC}, "output": {"voice": "marin"}},  # type: ignore[typeddict-item]
            }
        )
        caller = Caller(connection)
        listening = asyncio.create_task(caller.listen())
        await caller.say(quiet(0.3))
        await caller.say(voice())
        await caller.until("response.output_audio.delta")
        engines.recognizer.segments = [Segment(0, 1, "Wait, tell me about Rome.", "en")]
        await caller.say(voice())  # over the reply
        await caller.until("response.created", 2)
        await caller.until("response.done", 2)
        engines.recognizer.segments = [Segment(0, 1, "Thank you very much.", "en")]
        engines.synthesizer.seconds = 0.2
        await caller.say(voice())
        await caller.until("response.done", 3)
        listening.cancel()
        return caller


def test_three_turns_and_an_interruption() -> None:
    engines = ScriptedEngines(
        ScriptedRecognizer([Segment(0, 1, "Tell me about Paris.", "en")]),
        ScriptedChat(["neutral: It is a city. ", "It is large."]),
        ScriptedSynthesizer(seconds=3.0),
    )
    with serving_api(engines) as url:
        caller = finish(asyncio.wait_for(call(url, engines), 60))
    transcripts = [e.transcript for e in caller.of("conversation.item.input_audio_transcription.completed")]
    assert transcripts == ["Tell me about Paris.", "Wait, tell me about Rome.", "Thank you very much."]
    responses = [event.response for event in caller.of("response.done")]
    assert next(response.status for response in responses) in ("cancelled", "completed")
    assert responses[-1].output[0].content[0].transcript == "It is a city. It is large."
    for before, after in zip(caller.of("response.done"), caller.of("response.created")[1:], strict=False):
        stale = caller.events[caller.events.index(after) :]
        assert before.response.id not in {getattr(event, "response_id", None) for event in stale}
    sound = b"".join(base64.b64decode(e.delta) for e in caller.of("response.output_audio.delta"))
    assert np.abs(np.frombuffer(sound, "<i2")).max() > 3000
    started = caller.of("input_audio_buffer.speech_started")
    assert len(started) == 3 and started[0].audio_start_ms == pytest.approx(300, abs=150)
    assert not caller.of("error")
    heard = [m.content for m in engines.chat.requests[-1].messages if m.role == "assistant"]
    assert heard[-2] != "It is a city. It is large."  # it was interrupted: only its beginning was heard
