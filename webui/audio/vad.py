"""Where in a stream of sound somebody speaks: Silero VAD v6, frame by frame.

The same ``SpeechDetector`` serves a file (blocks of seconds) and a live microphone (frames of 32 ms): what it finds
does not depend on how the stream was cut into blocks. It keeps at most one stretch of speech in memory.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from webui.types import Audio, Samples

RATE = 16_000
FRAME = 512  # samples: Silero's own step, 32 ms
CONTEXT = 64  # samples of the frame before that Silero wants to see again
FRAME_SECONDS = FRAME / RATE

MAX_SPEECH_SECONDS = 30.0


@dataclass(frozen=True)
class VadOptions:
    """When speech begins and ends. Probabilities are Silero's, 0 to 1; lengths are in seconds.

    Speech begins at ``start`` and has ended once ``silence`` seconds lay below ``stop``. Stretches with less than
    ``shortest`` of speech are noise. Each stretch keeps ``pad`` of what lay around it. One longer than ``longest`` is
    cut where it was quietest in its second half.
    """

    start: float = 0.5
    stop: float = 0.35
    silence: float = 0.6
    shortest: float = 0.2
    pad: float = 0.25
    longest: float = MAX_SPEECH_SECONDS


@dataclass(frozen=True, eq=False)
class Speech:
    """A stretch of speech at ``start`` seconds from the beginning of the stream, and how sure that it is speech.

    ``confidence`` is the mean probability of its loudest half, 0 to 1.
    """

    start: float
    audio: Audio
    confidence: float

    @property
    def end(self) -> float:
        """Seconds from the beginning of the stream."""
        return self.start + self.audio.duration


class Silero:
    """How likely each frame of one stream of 16 kHz sound is speech; each stream has one of its own."""

    def __init__(self) -> None:
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)
        self._context = np.zeros(CONTEXT, np.float32)

    def probabilities(self, frames: Samples) -> npt.NDArray[np.float32]:
        """The probability of speech, 0 to 1 (n,), of the next ``frames``: (n, 512), at least one."""
        before = np.concatenate((self._context[None], frames[:-1, -CONTEXT:]))
        self._context = frames[-1, -CONTEXT:].copy()
        with _LOCK:
            session = _session()
        output, self._h, self._c = session.run(
            None, {"input": np.concatenate((before, frames), axis=1), "h": self._h, "c": self._c}
        )
        return np.asarray(output, np.float32).reshape(-1)


class SpeechDetector:
    """Finds speech in one stream of 16 kHz sound; each stream has a detector of its own."""

    def __init__(self, options: VadOptions | None = None) -> None:
        self._o = options or VadOptions()
        self._silero = Silero()
        self._rest = np.zeros(0, np.float32)  # samples that do not fill a frame yet
        self._kept = np.zeros(0, np.float32)  # samples that may still belong to a stretch
        self._kept_from = 0  # which frame of the stream ``_kept`` begins with
        self._frame = 0  # frames judged so far
        self._probabilities: list[float] = []  # of the frames in ``_kept``
        self._begin: int | None = None  # first frame of the stretch that is open
        self._last_voiced = 0  # frame after the last one with speech in it
        self._free_from = 0  # no stretch may begin before: a cut was made there
        self.probability = 0.0

    @property
    def speaking(self) -> bool:
        """Whether a stretch of speech is open now."""
        return self._begin is not None

    @property
    def silence(self) -> float:
        """Seconds since the last voiced frame of the open stretch; 0 where none is open."""
        return (self._frame - self._last_voiced) * FRAME_SECONDS if self.speaking else 0.0

    @property
    def settled(self) -> float:
        """Seconds of the stream in which no further stretch can begin, and none is open."""
        frame = self._begin if self._begin is not None else self._frame
        return max(0.0, frame * FRAME_SECONDS - self._o.pad)

    def feed(self, samples: Samples) -> Iterator[Speech]:
        """Take the next samples (n,) at 16 kHz, of any number; yield the stretches that ended in them."""
        samples = np.concatenate((self._rest, samples))
        whole = len(samples) // FRAME * FRAME
        self._rest = samples[whole:]
        # A minute at a time, so that hours handed over at once take no more memory than blocks do.
        for at in range(0, whole, 2000 * FRAME):
            yield from self._judge(samples[at : min(whole, at + 2000 * FRAME)])

    def finish(self) -> Iterator[Speech]:
        """The stream has ended: yield the stretch that was still open, if any."""
        tail = len(self._rest)
        if tail:
            padded = np.pad(self._rest, (0, FRAME - tail))
            self._rest = np.zeros(0, np.float32)
            yield from self._judge(padded)
        if self._begin is not None:
            for speech in self._close(self._last_voiced, self._frame):
                length = self._frame * FRAME - (FRAME - tail if tail else 0) - round(speech.start * RATE)
                yield replace(speech, audio=Audio(speech.audio.samples[:length], RATE))

    def _judge(self, samples: Samples) -> Iterator[Speech]:
        self._kept = np.concatenate((self._kept, samples))
        for probability in self._silero.probabilities(samples.reshape(-1, FRAME)):
            self.probability = float(probability)
            self._probabilities.append(self.probability)
            self._frame += 1
            yield from self._step(self.probability)
        self._forget()

    def _step(self, probability: float) -> Iterator[Speech]:
        o, now = self._o, self._frame
        if self._begin is None:
            if probability >= o.start:
                self._begin, self._last_voiced = now - 1, now
            return
        if probability >= o.stop:
            self._last_voiced = now
        if (now - self._last_voiced) * FRAME_SECONDS >= o.silence:
            yield from self._close(self._last_voiced, now)
        elif (now - self._first()) * FRAME_SECONDS + o.pad >= o.longest:
            first = self._first() - self._kept_from
            recent = self._probabilities[first : now - self._kept_from]
            half = len(recent) // 2
            cut = self._first() + half + int(np.argmin(_smooth(np.array(recent[half:]))))
            yield from self._close(cut, cut)
            self._begin = self._free_from = cut

    def _first(self) -> int:
        assert self._begin is not None
        return max(self._free_from, self._begin - round(self._o.pad / FRAME_SECONDS))

    def _close(self, voiced_until: int, limit: int) -> Iterator[Speech]:
        """End the open stretch, padded up to frame ``limit`` at most."""
        first = self._first()
        last = min(limit, voiced_until + round(self._o.pad / FRAME_SECONDS))
        chances = np.array(self._probabilities[first - self._kept_from : last - self._kept_from])
        self._begin, self._free_from = None, last
        if np.count_nonzero(chances >= self._o.stop) * FRAME_SECONDS >= self._o.shortest:
            a, b = ((f - self._kept_from) * FRAME for f in (first, last))
            louder = np.sort(chances)[len(chances) // 2 :]
            yield Speech(first * FRAME_SECONDS, Audio(self._kept[a:b].copy(), RATE), float(louder.mean()))

    def _forget(self) -> None:
        """Drop samples that no stretch can want any more."""
        first = self._first() if self._begin is not None else self._frame - round(self._o.pad / FRAME_SECONDS)
        drop = max(0, first - self._kept_from)
        self._kept = self._kept[drop * FRAME :].copy()
        del self._probabilities[:drop]
        self._kept_from += drop


def find_speech(audio: Audio, options: VadOptions | None = None) -> list[Speech]:
    """Every stretch of speech in a whole recording at 16 kHz."""
    if audio.rate != RATE:
        raise ValueError(f"find_speech wants {RATE} Hz, got {audio.rate}")
    detector = SpeechDetector(options)
    return [*detector.feed(audio.samples), *detector.finish()]


def _smooth(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Each value averaged with its neighbours, so that one odd frame is not taken for a pause."""
    return np.convolve(np.pad(values, 2, mode="edge"), np.full(5, 0.2), mode="valid")


_LOCK = threading.Lock()


@lru_cache(maxsize=1)
def _session() -> Any:
    """Silero v6 as faster-whisper bundles it (MIT); stateless, so one serves all streams."""
    from importlib.util import find_spec
    from pathlib import Path

    import onnxruntime

    spec = find_spec("faster_whisper")
    assert spec is not None
    assert spec.origin is not None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    path = Path(spec.origin).parent / "assets" / "silero_vad_v6.onnx"
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
