"""A pipecat pipeline with a microphone before it: run by pipecat's environment, told what to do on stdin.

``pipecat_peer.py URL QUESTION.wav SILENCE.wav``: the model server; the question; a second of what is heard where
nobody speaks. Both are 16 kHz. It says ``{"ready": true}``; then each line on stdin is a round: silence, the question
in frames of 20 ms in real time, silence until the answer is complete. Its outcome is a line of JSON: ``first_sound_s``,
from the end of the question to the first sound of the answer that leaves the pipeline, or ``error``.
"""
# mypy: disable-error-code="import-not-found, misc"

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import wave
from typing import Any

os.environ["LOGURU_LEVEL"] = "WARNING"

from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.frames.frames import InputAudioRawFrame, TTSAudioRawFrame, TTSStoppedFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.openai.stt import OpenAISTTService
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.workers.runner import WorkerRunner

RATE = 16_000
FRAME_S = 0.02
FRAME_BYTES = round(FRAME_S * RATE) * 2
LEAD_IN_S, PATIENCE_S = 0.6, 15.0
# How late a transcript may be, from the end of the speech: this server takes 0.3 s, and the detector 0.2 s before.
TRANSCRIPT_S = 0.6


class Listener(FrameProcessor):
    """Notes when the answer begins and ends."""

    def __init__(self) -> None:
        super().__init__()
        self.reset()

    def reset(self) -> None:
        """Forget the last answer."""
        self.first: float | None = None
        self.ended = False

    async def process_frame(self, frame: Any, direction: Any) -> None:
        """Let everything through."""
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.first = self.first or time.monotonic()
        self.ended = self.ended or isinstance(frame, TTSStoppedFrame)
        await self.push_frame(frame, direction)


def pipeline(url: str, listener: Listener) -> Any:
    """Hear, think, speak, with its smart turn, which is what it takes where nothing else is asked for."""
    hears = OpenAISTTService(api_key="none", base_url=url, ttfs_p99_latency=TRANSCRIPT_S)
    brief = OpenAILLMService.Settings(model="scripted", system_instruction="Be brief.")
    thinks = OpenAILLMService(api_key="none", base_url=url, settings=brief)
    speaks = OpenAITTSService(api_key="none", base_url=url)
    detector = SileroVADAnalyzer(params=VADParams(stop_secs=0.2))
    user, assistant = LLMContextAggregatorPair(LLMContext(), user_params=LLMUserAggregatorParams(vad_analyzer=detector))
    return Pipeline([hears, user, thinks, speaks, listener, assistant])


async def feed(worker: Any, pcm: bytes) -> float:
    """Sound in real time; when its last frame was put in."""
    due = time.monotonic()
    for at in range(0, len(pcm), FRAME_BYTES):
        due += FRAME_S
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        frame = pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
        await worker.queue_frames([InputAudioRawFrame(audio=frame, sample_rate=RATE, num_channels=1)])
    return time.monotonic()


async def round_of(worker: Any, listener: Listener, question: bytes, silence: bytes) -> dict[str, float | str]:
    """One question and its answer."""
    await feed(worker, silence[: round(LEAD_IN_S / FRAME_S) * FRAME_BYTES])
    listener.reset()
    ended = await feed(worker, question)
    while not listener.ended and time.monotonic() - ended < PATIENCE_S:
        await feed(worker, silence[: 5 * FRAME_BYTES])
    if listener.first is None:
        return {"error": f"no answer in {PATIENCE_S:g} s"}
    return {"first_sound_s": listener.first - ended}


async def main(url: str, question: bytes, silence: bytes) -> None:
    """Serve until stdin ends."""
    listener = Listener()
    rates = PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=24_000)
    worker = PipelineWorker(pipeline(url, listener), params=rates, idle_timeout_secs=None)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    task = asyncio.create_task(runner.run())
    await feed(worker, silence)
    print(json.dumps({"ready": True}), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await round_of(worker, listener, question, silence)), flush=True)
    await runner.cancel()
    await task


def read(path: str) -> bytes:
    """The samples of a WAV file."""
    with wave.open(path) as file:
        assert file.getframerate() == RATE
        return bytes(file.readframes(file.getnframes()))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], read(sys.argv[2]), read(sys.argv[3])))
