"""A microphone that is never quite silent: a frame every 20 ms, in real time, with what is said into it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.live.questions import floor
from webui.audio.convert import resample, to_pcm16
from webui.types import Audio

FRAME_S = 0.02
Pcm = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Said:
    """When the first and the last frame of an utterance were sent, by the monotonic clock."""

    began: float
    ended: float


class Microphone:
    """Sound at ``rate`` Hz, each frame given to ``send`` when it has been heard in full."""

    def __init__(self, rate: int, send: Callable[[bytes], Awaitable[None]]) -> None:
        self.open = False
        self._rate = rate
        self._send = send
        self._frame = round(FRAME_S * rate)
        self._hiss = to_pcm16(floor(rate))
        self._utterance: list[Pcm] = []
        self._said: asyncio.Future[Said] | None = None
        self._began = 0.0
        self._broken = False

    async def say(self, question: Audio) -> Said:
        """Speak; returns when the last frame is sent. Raises ``ConnectionError`` where nobody takes it any more."""
        assert self.open, "the microphone is closed"
        assert self._said is None or self._said.done(), "somebody speaks already"
        samples = to_pcm16(resample(question, self._rate).samples)
        padded = np.pad(samples, (0, -len(samples) % self._frame))
        self._said = asyncio.get_running_loop().create_future()
        self._began = 0.0
        self._utterance = list(padded.reshape(-1, self._frame)[::-1])
        if self._broken:
            self._give_up()
        return await self._said

    async def run(self) -> None:
        """Send until cancelled, or until ``send`` fails; nothing is sent while ``open`` is False."""
        try:
            await self._run()
        finally:
            self._broken = True
            self._give_up()

    async def _run(self) -> None:
        due, at = time.monotonic(), 0
        while True:
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if not self.open:
                continue
            frame = self._hiss[at : at + self._frame]
            at = (at + self._frame) % self._rate
            if self._utterance:
                voiced = self._utterance.pop()
                await self._send((voiced + frame).astype("<i2").tobytes())
                self._sent(time.monotonic())
            else:
                await self._send(frame.astype("<i2").tobytes())

    def _give_up(self) -> None:
        if self._said is not None and not self._said.done():
            self._said.set_exception(ConnectionError("the line is closed"))

    def _sent(self, now: float) -> None:
        """A frame of the utterance is out."""
        self._began = self._began or now
        if not self._utterance and self._said is not None and not self._said.done():
            self._said.set_result(Said(self._began, now))
