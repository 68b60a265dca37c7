"""What is measured, each asked one question a round: the serial way, pipecat, speech-to-speech, and our program."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from websockets.exceptions import InvalidHandshake

from bench.live import install
from bench.live.caller import Caller, SilentError, calling, open_microphone
from bench.live.programs import NotRunning, answering, free_port, log_of, ours, running
from bench.live.questions import CACHE, RATE, floor
from bench.live.serial import serial
from webui.audio.convert import to_wav_bytes
from webui.config import ROOT
from webui.types import Audio

SEMANTIC = {"type": "semantic_vad"}
SERVER_VAD = {"type": "server_vad"}  # speech-to-speech knows no other
TUNED = "--stream_batch_sentences 1 --speculative_reopen_ms 0 --smart_turn false".split()
START_S = 120


class System(Protocol):
    """One way to answer."""

    async def ask(self, question: Audio) -> float:
        """Seconds from the end of ``question`` to the first sound of its answer; returns when the answer is over.

        Raises ``SilentError`` where there was none.
        """
        ...


@dataclass(frozen=True)
class Serial:
    """The serial way on the servers at ``url``."""

    url: str

    async def ask(self, question: Audio) -> float:
        """See ``System``; there is no microphone, so that it knows when the question is over."""
        return await serial(self.url, question)


@dataclass(frozen=True)
class Line:
    """A server of the Realtime protocol."""

    caller: Caller

    async def ask(self, question: Audio) -> float:
        """See ``System``."""
        async with open_microphone(self.caller.microphone):
            latency = await self.caller.ask(question)
            await self.caller.played_out()
        return latency


@dataclass(frozen=True)
class Pipecat:
    """A pipecat pipeline in a process of its own, which has the question."""

    process: asyncio.subprocess.Process

    async def ask(self, question: Audio) -> float:
        """See ``System``."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        told = await _told(self.process)
        if "error" in told:
            raise SilentError(str(told["error"]))
        return float(told["first_sound_s"])


@asynccontextmanager
async def pipecat(url: str, question: Audio) -> AsyncIterator[Pipecat]:
    """pipecat with Silero (0.2 s of silence) and its smart turn. Raises ``NotRunning``."""
    await asyncio.to_thread(install.install, install.PIPECAT)
    paths = _file("asked", question), _file("silence", Audio(floor(RATE), RATE))
    command = [str(install.PIPECAT.python), "-I", "bench/live/pipecat_peer.py", url, *map(str, paths)]
    with log_of("pipecat").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log
        )
    try:
        await _told(process)
        yield Pipecat(process)
    finally:
        if process.returncode is None:
            process.kill()  # told to stop, it does not always
        await process.wait()


@asynccontextmanager
async def speech_to_speech(url: str, name: str, flags: list[str]) -> AsyncIterator[Line]:
    """speech-to-speech, as it is shipped or with more ``flags``. Raises ``NotRunning``."""
    await asyncio.to_thread(install.install, install.S2S)
    port = free_port()
    command = [str(install.S2S.python), "-I", "bench/live/s2s_peer.py", "serve", "--port", str(port)]
    command += ["--host", "127.0.0.1", "--stt", "openai", "--openai_stt_base_url", url, "--openai_stt_api_key", "none"]
    command += ["--llm_backend", "chat-completions", "--model_name", "scripted"]
    command += ["--responses_api_base_url", url, "--responses_api_api_key", "none"]
    command += ["--tts", "openai", "--openai_tts_base_url", url, "--openai_tts_api_key", "none"]
    if weights := install.smart_turn():
        command += ["--smart_turn_model_path", str(weights)]
    with running(name, [*command, *flags], {"HF_HUB_OFFLINE": "1"}) as process:
        await answering(name, process, port)
        async with _line(name, f"ws://127.0.0.1:{port}/v1/realtime", SERVER_VAD) as line:
            yield line


@dataclass(frozen=True)
class Ours:
    """Our program, running."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Of its socket."""
        return f"ws://127.0.0.1:{self.port}/v1/realtime"


@asynccontextmanager
async def our_program(name: str, models_url: str | None) -> AsyncIterator[Ours]:
    """Our program on the servers at ``models_url``, or with its embedded engines. Raises ``NotRunning``."""
    port = free_port()
    with running(name, ours(port, models_url)) as process:
        await answering(name, process, port, "/healthz")
        yield Ours(port, process.pid)


@asynccontextmanager
async def our_line(program: Ours) -> AsyncIterator[Line]:
    """One conversation with our program, in which the words decide when a turn is over."""
    async with _line("our program", program.url, SEMANTIC) as line:
        yield line


@asynccontextmanager
async def _line(name: str, url: str, turn_detection: dict[str, str]) -> AsyncIterator[Line]:
    async with AsyncExitStack() as stack:
        try:
            caller = await stack.enter_async_context(calling(url, turn_detection))
        except (OSError, InvalidHandshake) as error:
            raise NotRunning(f"{name} does not take the call: {error}") from error
        yield Line(caller)


async def _told(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_S)
        told: dict[str, Any] = json.loads(line)
    except (asyncio.TimeoutError, ValueError) as error:
        raise NotRunning(f"pipecat says nothing: see {log_of('pipecat')}") from error
    return told


def _file(name: str, audio: Audio) -> Path:
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / f"{name}.wav"
    path.write_bytes(to_wav_bytes(audio))
    return path
