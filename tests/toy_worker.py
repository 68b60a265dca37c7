"""An engine for a worker that needs no model: its text says what it does."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from webui.engines.protocols import EngineInfo, SpeechRequest
from webui.engines.worker.server import EngineStuck
from webui.errors import AudioError
from webui.types import Audio, SpeechChunk, Voice

RATE = 16_000


def tone(seconds: float, level: float = 0.5) -> Audio:
    return Audio((level * np.sin(2 * np.pi * 200 * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32), RATE)


class Endless(Iterator[SpeechChunk]):
    """Works on a piece for ever, until it is closed from another thread; then it leaves a note."""

    def __init__(self, note: Path) -> None:
        self._note, self._closed, self._begun = note, threading.Event(), False

    def close(self) -> None:
        self._closed.set()

    def __next__(self) -> SpeechChunk:
        if not self._begun:
            self._begun = True
            return SpeechChunk(tone(0.1), "begun")
        self._closed.wait()
        self._note.write_text("stopped")
        raise StopIteration


class Toy:
    def __init__(self, note: str = "", broken: bool = False) -> None:
        if broken:
            raise RuntimeError("broken from the start")
        self._note = Path(note)
        self._loaded = False

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("Toy", ("en",), {"clone": True}, "CPU", "Apache-2.0", self._loaded)

    def load(self) -> None:
        self._loaded = True

    def voices(self) -> list[Voice]:
        return [Voice("toy", "Toy", ("en",))]

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        if request.text == "endless":
            return Endless(self._note)
        return self._say(request)

    def convert(self, source: Audio, voice: Voice) -> Iterator[SpeechChunk]:
        assert voice.sample is not None
        yield SpeechChunk(Audio(source.samples[::-1].copy(), source.rate), voice.sample_text)

    def _say(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        yield SpeechChunk(tone(0.5), request.text)
        if request.text == "die":
            os._exit(3)
        if request.text == "hang":
            os.kill(os.getpid(), signal.SIGSTOP)
            threading.Event().wait()  # other threads may be stopped before this one
        if request.text == "stuck":
            raise EngineStuck("engine_stuck", "The speech engine got stuck; try again, it is started anew.")
        if request.text == "bug":
            raise KeyError("a bug")
        if request.text == "refuse":
            raise AudioError("clip_too_long", "The clip is too long; use at most 30 seconds.", limit=30)
        if request.text == "slow":
            time.sleep(2.5)  # beats go meanwhile
        if request.text == "secrets":
            yield SpeechChunk(tone(0.1), ",".join(sorted(name for name in os.environ if name.startswith("FUNAUDIO"))))
        print("libraries print what they like")
        yield SpeechChunk(tone(0.5), "")
        yield SpeechChunk(tone(0.5), "second piece")
