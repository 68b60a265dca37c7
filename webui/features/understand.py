"""A recording of any length, understood: first its waveform, then its segments as they are heard."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from webui.audio.convert import SILENCE_PEAK, to_pcm16
from webui.audio.decode import RATE, stream_blocks
from webui.engines.protocols import RecognitionRequest, Recognizer
from webui.errors import AudioError, Cancelled
from webui.types import Audio, Samples, Segment, Transcript

HEARTBEAT_SECONDS = 0.2  # between two signs of life, and so the longest wait for a cancel
BLOCK_SECONDS = 10.0
MAX_PEAKS = 16_384  # an even number; 12 h are drawn to within 3 s, a minute to within 10 ms

Stage = Literal["reading", "loading", "listening"]


@dataclass(frozen=True)
class Options:
    """``language`` is a code the recognizer knows, or ``auto``; ``itn`` writes numbers as digits."""

    language: str = "auto"
    itn: bool = True


@dataclass(frozen=True)
class Progress:
    """How far it has come: ``done`` of ``total`` seconds of sound, and the seconds of waiting ``left``.

    ``total`` is None while the recording is read for the first time, ``left`` until it can be told.
    """

    stage: Stage
    done: float = 0.0
    total: float | None = None
    left: float | None = None


@dataclass(frozen=True, eq=False)
class Waveform:
    """The loudest sample of each stretch of ``step`` seconds, uint8 of shape (n,), 255 for full scale.

    It grows until the recording is ``complete``; then ``duration`` is the recording's, in seconds.
    """

    peaks: npt.NDArray[np.uint8]
    step: float
    duration: float
    complete: bool


@dataclass(frozen=True)
class Problem:
    """Something is wrong with the recording, but what is there is used."""

    error: AudioError


@dataclass(frozen=True)
class Done:
    """All was heard. ``speed`` is the real-time factor: seconds of work for a second of sound, reading included."""

    transcript: Transcript
    speed: float


Update = Progress | Waveform | Problem | Segment | Done


def understand(
    recognizer: Recognizer, path: str | Path | None, options: Options = Options(), listening_copy: Path | None = None
) -> Generator[Update, None, None]:
    """What is said in the file at ``path``, update by update, at least one every ``HEARTBEAT_SECONDS``.

    The file is decoded twice, in bounded memory: once for its waveform, length and faults, and once to be heard.
    ``listening_copy`` is where the first pass leaves the sound as 16 kHz FLAC, for formats no browser plays.
    Closing the iterator cancels the work at once; what was yielded is whole. Raises ``UserError`` where the recording
    cannot be used or the engine fails.
    """
    work = _Work(recognizer, path, options, listening_copy)
    threading.Thread(target=work.run, name="understand", daemon=True).start()
    try:
        while True:
            try:
                update = work.updates.get(timeout=HEARTBEAT_SECONDS)
            except queue.Empty:
                update = work.progress()
            if update is None:
                return
            if isinstance(update, Exception):
                raise update
            yield update
    finally:
        work.stop.set()


def _known(_: AudioError) -> None:
    """The second pass meets the faults that the first has told of."""


class _Work:
    """What goes on in a thread of its own, so that a model's long step holds up neither progress nor cancel."""

    def __init__(
        self, recognizer: Recognizer, path: str | Path | None, options: Options, listening_copy: Path | None
    ) -> None:
        self.updates: queue.SimpleQueue[Update | Exception | None] = queue.SimpleQueue()
        self.stop = threading.Event()
        self._recognizer = recognizer
        self._path = path
        self._options = options
        self._copy = listening_copy
        self._stage: Stage = "reading"
        self._done = 0.0
        self._total: float | None = None
        self._since = time.monotonic()

    def progress(self) -> Progress:
        """How far it is now."""
        left = None
        if self._total is not None and self._stage == "listening" and self._done:
            left = (time.monotonic() - self._since) * max(0.0, self._total - self._done) / self._done
        return Progress(self._stage, self._done, self._total, left)

    def run(self) -> None:
        try:
            self._read()
            self._begin("loading")
            self._recognizer.load()
            self._begin("listening")
            self._listen()
            self.updates.put(None)
        except Cancelled:
            self.updates.put(None)
        except Exception as error:  # noqa: BLE001  (carried to the caller's thread, and raised there)
            self.updates.put(error)

    def _begin(self, stage: Stage) -> None:
        self._check()
        self._stage, self._done, self._since = stage, 0.0, time.monotonic()
        self.updates.put(self.progress())

    def _check(self) -> None:
        if self.stop.is_set():
            raise Cancelled

    def _read(self) -> None:
        """The first pass: waveform, length, faults, and the copy to listen to."""
        meter, began = PeakMeter(RATE), time.monotonic()
        with _flac(self._copy) as copy:
            for block in self._blocks(lambda error: self.updates.put(Problem(error))):
                meter.add(block.samples)
                if copy is not None:
                    copy.write(to_pcm16(block.samples))
                if time.monotonic() - self._since > HEARTBEAT_SECONDS:
                    self._since = time.monotonic()
                    self.updates.put(meter.waveform(self._done, complete=False))
                    self.updates.put(self.progress())
        if meter.loudest < SILENCE_PEAK:
            raise AudioError("silent", "The recording is silent: check the microphone and record again.")
        self._total = self._done
        self._reading_seconds = time.monotonic() - began
        self.updates.put(meter.waveform(self._total, complete=True))

    def _listen(self) -> None:
        """The second pass: what is said."""
        segments: list[Segment] = []
        request = RecognitionRequest(self._blocks(), self._options.language, self._options.itn)
        for segment in self._recognizer.transcribe(request):
            self._check()
            segments.append(segment)
            self.updates.put(segment)
            self.updates.put(self.progress())
        assert self._total is not None
        seconds = self._reading_seconds + time.monotonic() - self._since
        self.updates.put(Done(Transcript(tuple(segments), self._total), seconds / self._total))

    def _blocks(self, on_problem: Callable[[AudioError], None] = _known) -> Iterator[Audio]:
        position = 0.0
        for block in stream_blocks(self._path, RATE, BLOCK_SECONDS, on_problem=on_problem):
            self._check()
            # What was asked for last is not heard yet: the work is where this block begins.
            self._done = position if self._stage == "listening" else position + block.duration
            position += block.duration
            yield block
        self._done = position


class PeakMeter:
    """The waveform of a stream: stretches double in length rather than grow in number."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._hop = rate // 100
        self._peaks = np.zeros(0, np.float32)
        self._rest = np.zeros(0, np.float32)
        self.loudest = 0.0

    def add(self, samples: Samples) -> None:
        """Go on with ``samples``, float32 (n,) of any n."""
        loud = np.concatenate([self._rest, np.abs(samples)])
        whole = len(loud) // self._hop * self._hop
        self._rest = loud[whole:]
        self._peaks = np.concatenate([self._peaks, loud[:whole].reshape(-1, self._hop).max(axis=1)])
        self.loudest = max(self.loudest, float(loud.max(initial=0.0)))
        while len(self._peaks) >= MAX_PEAKS:
            self._halve()

    def _halve(self) -> None:
        even = len(self._peaks) // 2 * 2
        # A stretch left over without a partner goes back to the samples that wait, as one peak of its length.
        self._rest = np.concatenate([np.repeat(self._peaks[even:], self._hop), self._rest])
        self._peaks = self._peaks[:even].reshape(-1, 2).max(axis=1)
        self._hop *= 2

    def waveform(self, duration: float, complete: bool) -> Waveform:
        """What there is so far of ``duration`` seconds; the last stretch may be short."""
        peaks = np.append(self._peaks, self._rest.max()) if len(self._rest) else self._peaks
        return Waveform(np.rint(peaks * 255).astype(np.uint8), self._hop / self._rate, duration, complete)


def _flac(path: Path | None) -> AbstractContextManager[Any]:
    """The open file, or None where there is no path."""
    if path is None:
        return nullcontext()
    import soundfile

    file: AbstractContextManager[Any] = soundfile.SoundFile(path, "w", RATE, 1, "PCM_16", format="FLAC")
    return file
