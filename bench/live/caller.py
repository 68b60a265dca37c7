"""Somebody on the line: a client of the Realtime protocol that speaks and listens in real time.

It listens twice: as a client that follows ``funaudio.hold`` and ``funaudio.resume``, and as one that knows nothing of
them and falls silent at ``speech_started``. Times are of the monotonic clock, in seconds.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import websockets

from bench.live.microphone import Microphone, Said
from bench.live.player import Player
from webui.types import Audio

RATE = 24_000  # on the wire, both ways
LEAD_IN_S = 0.6  # of silence before somebody speaks
_FORMAT = {"type": "audio/pcm", "rate": RATE}


class SilentError(Exception):
    """What was waited for did not happen."""


@dataclass
class Reply:
    """One response, as it arrived."""

    first_sound: float | None = None
    done: float | None = None
    status: str = ""
    text: str = ""
    seconds: float = 0.0
    stopped: bool = False  # by somebody who began to speak


@dataclass(frozen=True)
class Cut:
    """When a listener fell silent because somebody began to speak: one who follows ``funaudio.*``, and a plain one."""

    following: float
    plain: float


class Caller:
    """One conversation. ``heard`` are the transcripts; ``stale`` counts sound that ought not to have come any more."""

    def __init__(self, socket: Any) -> None:
        self.replies: dict[str, Reply] = {}
        self.heard: list[str] = []
        self.errors: list[str] = []
        self.stale = 0
        self.following, self.plain = Player(), Player()
        self.microphone = Microphone(RATE, self._append)
        self._socket = socket
        self._playing = ""  # whose sound came last
        self._holding: tuple[str, float] | None = None  # which response, since when
        self._cuts: list[Cut] = []
        self._changed = asyncio.Condition()
        self._closed = False
        self._stage = ""

    async def ask(self, question: Audio, patience_s: float = 15.0) -> float:
        """Say ``question``; seconds from its end to the first sound of an answer. Below 0: it was not let finish."""
        before = set(self.replies)
        said = await self._say(question)
        return await self._first_sound(before, patience_s) - said.ended

    async def talk_over(self, question: Audio, patience_s: float = 15.0) -> tuple[Cut, float]:
        """Say ``question`` while an answer plays: seconds until silence, and as ``ask`` for the next answer.

        Raises ``SilentError`` where nothing was playing, or where the server took no notice.
        """
        if not self.following.sounding(time.monotonic()):
            raise SilentError("nothing was playing that could be talked over")
        before, cuts = set(self.replies), len(self._cuts)
        said = await self._say(question)
        await self._until(lambda: len(self._cuts) > cuts, patience_s, "an interruption")
        cut = self._cuts[cuts]
        latency = await self._first_sound(before, patience_s) - said.ended
        return Cut(cut.following - said.began, cut.plain - said.began), latency

    async def played_out(self, patience_s: float = 60.0) -> None:
        """Wait until every response is complete and what is not thrown away of them has been heard."""
        await self._until(
            lambda: all(r.done for r in self.replies.values()) and self._holding is None, patience_s, "response.done"
        )
        await asyncio.sleep(self.following.left(time.monotonic()))

    async def complete(self, patience_s: float) -> None:
        """Wait until every response is complete, whatever of it is still to be played."""
        await self._until(lambda: all(r.done for r in self.replies.values()), patience_s, "response.done")

    async def ready(self, patience_s: float) -> None:
        """Wait until our program has nothing to load or to read any more."""
        await self._until(lambda: self._stage == "idle", patience_s, "an idle stage")

    async def send(self, kind: str, **fields: Any) -> None:
        """One event to the server."""
        await self._socket.send(json.dumps({"type": kind, **fields}))

    async def receive(self) -> None:
        """Take in what the server sends, until it closes."""
        try:
            async for message in self._socket:
                event = json.loads(message)
                async with self._changed:
                    self._take(event["type"], event, time.monotonic())
                    self._changed.notify_all()
        finally:
            async with self._changed:
                self._closed = True
                self._changed.notify_all()

    async def _say(self, question: Audio) -> Said:
        try:
            return await self.microphone.say(question)
        except ConnectionError as error:
            raise SilentError(str(error)) from error

    async def _append(self, pcm: bytes) -> None:
        await self.send("input_audio_buffer.append", audio=base64.b64encode(pcm).decode())

    async def _first_sound(self, before: set[str], patience_s: float) -> float:
        """When the first sound came of a response that is not in ``before``."""

        def times() -> list[float]:
            return [r.first_sound for key, r in self.replies.items() if key not in before and r.first_sound is not None]

        await self._until(lambda: bool(times()), patience_s, "an answer")
        return min(times())

    async def _until(self, true: Callable[[], bool], seconds: float, what: str) -> None:
        try:
            async with self._changed:
                await asyncio.wait_for(self._changed.wait_for(lambda: self._closed or true()), seconds)
        except asyncio.TimeoutError:
            told = f" ({self.errors[-1]})" if self.errors else ""
            raise SilentError(f"{what} did not come in {seconds:g} s{told}") from None
        if self._closed:
            raise SilentError(f"{what} did not come: the line was closed")

    def _take(self, kind: str, event: Mapping[str, Any], now: float) -> None:
        if kind == "response.output_audio.delta":
            self._listen(event["response_id"], len(base64.b64decode(event["delta"])) / 2 / RATE, now)
        elif kind == "response.output_audio_transcript.delta":
            self._reply(event["response_id"]).text += event["delta"]
        elif kind == "response.created":
            self._reply(event["response"]["id"])
        elif kind == "response.done":
            reply = self._reply(event["response"]["id"])
            reply.done, reply.status = now, str(event["response"].get("status"))
        elif kind == "input_audio_buffer.speech_started":
            self._stop(now)
        elif kind == "funaudio.hold":
            if event["response_id"] not in self.replies:
                self.errors.append("funaudio.hold names a response that was never created")
            self._holding = (self._playing, now)
            self.following.hold(now)
        elif kind == "funaudio.resume":
            self._holding = None
            self.following.resume(now)
        elif kind == "conversation.item.input_audio_transcription.completed":
            self.heard.append(str(event["transcript"]))
        elif kind == "funaudio.stage":
            self._stage = str(event["stage"])
        elif kind == "error":
            self.errors.append(str(event["error"].get("message")))

    def _listen(self, response: str, seconds: float, now: float) -> None:
        reply = self._reply(response)
        if reply.done is not None or reply.stopped or (self._holding and self._holding[0] != response):
            self.stale += 1
            return
        reply.first_sound = reply.first_sound or now
        reply.seconds += seconds
        self._playing = response
        self.following.take(now, response, seconds)
        self.plain.take(now, response, seconds)

    def _stop(self, now: float) -> None:
        if self.plain.sounding(now):
            self._cuts.append(Cut(self._holding[1] if self._holding else now, now))
        self._holding = None
        self.following.stop(now)
        self.plain.stop(now)
        for reply in self.replies.values():
            reply.stopped |= reply.done is None

    def _reply(self, response: str) -> Reply:
        return self.replies.setdefault(response, Reply())


@asynccontextmanager
async def calling(url: str, turn_detection: Mapping[str, Any], language: str = "") -> AsyncIterator[Caller]:
    """A line to the server at ``url`` whose microphone is closed. Raises ``OSError`` where nobody is there.

    ``language``, which only our program knows, is that of the page.
    """
    # Not asked for signs of life: while a peer loads something at its first words, it gives none for half a minute.
    async with websockets.connect(url, max_size=None, proxy=None, ping_interval=None) as socket:
        caller = Caller(socket)
        tasks = [asyncio.create_task(caller.receive()), asyncio.create_task(caller.microphone.run())]
        audio = {"input": {"format": _FORMAT, "turn_detection": dict(turn_detection)}, "output": {"format": _FORMAT}}
        more = {"funaudio": {"lang": language}} if language else {"instructions": "Be brief."}
        await caller.send("session.update", session={"type": "realtime", "audio": audio, **more})
        try:
            yield caller
        finally:
            for task in tasks:
                task.cancel()


@asynccontextmanager
async def open_microphone(microphone: Microphone) -> AsyncIterator[None]:
    """Open it, some silence first; else nothing is sent."""
    microphone.open = True
    try:
        await asyncio.sleep(LEAD_IN_S)
        yield
    finally:
        microphone.open = False
