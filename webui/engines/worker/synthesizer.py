"""A ``Synthesizer`` and ``VoiceConverter`` whose work is done by a worker, in a process here or on another machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Protocol

import numpy as np

from webui.audio.join import Joiner
from webui.audio.stretch import FASTEST, SLOWEST, Stretcher
from webui.engines.protocols import EngineInfo, SpeechRequest
from webui.engines.worker import wire
from webui.engines.worker.frames import Frame
from webui.errors import EngineError
from webui.types import Audio, Samples, SpeechChunk, Voice


class Worker(Protocol):
    """Whoever answers: ``WorkerProcess`` or ``RemoteWorker``."""

    def ask(self, request: Frame) -> Iterator[Frame]:
        """Yield the frames of the answer; closing the iterator cancels the work. Raises ``UserError``."""
        ...

    def close(self) -> None:
        """Give back what is held here."""
        ...


class WorkerSynthesizer:
    """Speed, loudness and the joining of pieces are done here, the same for every engine in a worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._lock = threading.Lock()
        self._known: tuple[EngineInfo, list[Voice]] | None = None

    @property
    def info(self) -> EngineInfo:
        """What the engine in the worker is; little before it was first asked."""
        if self._known:
            return self._known[0]
        return EngineInfo("Speaking machine", (), {}, "", "", loaded=False)

    def load(self) -> None:
        """Have the worker load its engine. Raises ``UserError``."""
        with self._lock:
            if self._known is None:
                for frame in self._worker.ask(Frame({"do": "load"})):
                    self._known = wire.read_info(frame)

    def close(self) -> None:
        """Let go of the worker; the next request loads again."""
        with self._lock:
            self._known = None
            self._worker.close()

    def voices(self) -> Sequence[Voice]:
        """The engine's voices; it is loaded to tell them."""
        self.load()
        return self._known[1] if self._known else []

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        """Yield speech as it is made; closing the iterator stops the worker. Raises ``UserError``."""
        style = request.style
        for name, factor in (("speed", request.speed), ("rate", style.rate), ("energy", style.energy)):
            _check_factor(name, factor)
        self.load()
        asked = replace(request, speed=1.0, style=replace(style, rate=1.0, energy=1.0))
        speed = min(max(request.speed * style.rate, SLOWEST), FASTEST)
        return finished(self._chunks(wire.speech_request_frame(asked)), speed, style.energy)

    def convert(self, source: Audio, voice: Voice) -> Iterator[SpeechChunk]:
        """Yield ``source`` as ``voice`` would have said it. Raises ``UserError``."""
        self.load()
        return finished(self._chunks(wire.conversion_frame(source, voice)))

    def _chunks(self, request: Frame) -> Iterator[SpeechChunk]:
        with closing(self._worker.ask(request)) as frames:  # type: ignore[type-var]
            for frame in frames:
                yield wire.read_chunk(frame)


def finished(chunks: Iterator[SpeechChunk], speed: float = 1.0, gain: float = 1.0) -> Iterator[SpeechChunk]:
    """``chunks`` at another speed and loudness, without clicks: one that has a text begins a new piece.

    The text comes with the first sound of its piece. Word times are not kept.
    """
    joiner: Joiner | None = None
    text = ""
    for chunk in chunks:
        if joiner is None:
            rate = chunk.audio.rate
            joiner, stretcher = Joiner(rate), Stretcher(rate, speed)
        elif chunk.text:
            joiner.seam()
        text = f"{text} {chunk.text}".strip()
        ready = stretcher.feed(joiner.feed(chunk.audio.samples))
        if len(ready):
            yield SpeechChunk(Audio(_louder(ready, gain), rate), text)
            text = ""
    if joiner is not None:
        rest = np.concatenate([stretcher.feed(joiner.finish()), stretcher.finish()])
        if len(rest):
            yield SpeechChunk(Audio(_louder(rest, gain), rate), text)


def _louder(samples: Samples, gain: float) -> Samples:
    loud: Samples = np.clip(samples * np.float32(gain), -1.0, 1.0)
    return loud


def _check_factor(name: str, factor: float) -> None:
    if not SLOWEST <= factor <= FASTEST:
        raise EngineError(
            "factor_out_of_range",
            f"The {name} must be between {SLOWEST} and {FASTEST:g}.",
            name=name,
            low=SLOWEST,
            high=FASTEST,
        )
