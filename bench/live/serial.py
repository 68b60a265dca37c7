"""The way without a pipeline: the whole recording is transcribed, then answered in full, then spoken in full."""

from __future__ import annotations

import time

import httpx

from bench.live.scripted import MODEL
from webui.audio.convert import to_wav_bytes
from webui.types import Audio


async def serial(url: str, question: Audio) -> float:
    """Seconds from the end of the recording until its answer could be played, by the servers at ``url``."""
    recording = to_wav_bytes(question)
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        began = time.monotonic()
        heard = await client.post("/audio/transcriptions", data={"model": MODEL}, files={"file": ("q.wav", recording)})
        said = [{"role": "user", "content": heard.raise_for_status().json()["text"]}]
        answer = await client.post("/chat/completions", json={"model": MODEL, "messages": said})
        reply = answer.raise_for_status().json()["choices"][0]["message"]["content"]
        asked = {"model": MODEL, "input": reply, "voice": "alloy", "response_format": "pcm"}
        speech = await client.post("/audio/speech", json=asked)
        assert speech.raise_for_status().content
        return time.monotonic() - began
