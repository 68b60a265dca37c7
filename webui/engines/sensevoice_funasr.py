"""SenseVoice in torch, through funasr: on the GPU, or on the CPU where there is none; and who speaks, by CAM++."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from webui.audio.vad import MAX_SPEECH_SECONDS, RATE, Speech, SpeechDetector
from webui.config import Settings
from webui.engines.funasr_models import load_checkpoint, pick_device
from webui.engines.listening import Finder, Stretch, listen
from webui.engines.protocols import EngineInfo, RecognitionRequest
from webui.engines.sensevoice_segments import Heard, check_language, tell, worth_hearing
from webui.engines.sensevoice_tags import CAPABILITIES, LANGUAGES, read_one
from webui.engines.speakers import SpeakerModels, SpeakerTurns
from webui.engines.store import ModelStore
from webui.types import Audio, Samples, Segment

MODEL_ID, VAD_ID, SPEAKER_ID, PUNCTUATION_ID = "sensevoice-small", "fsmn-vad", "campplus", "ct-punc"
BATCH_SECONDS = 60.0  # of sound that a GPU hears together; a CPU is no quicker with more than one stretch


@dataclass
class _Models:
    """What is in memory. funasr keeps the options of a call in the model, so one call at a time: ``lock``."""

    device: str
    sensevoice: Any
    vad: Any
    speakers: SpeakerModels | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class FunAsrSenseVoice:
    """SenseVoice-Small's own checkpoint. One instance serves all sessions."""

    def __init__(self, store: ModelStore, settings: Settings) -> None:
        self._store = store
        self._device = settings.device
        self._threads = settings.threads
        self._lock = threading.Lock()
        self._models: _Models | None = None

    @property
    def info(self) -> EngineInfo:
        """What it is, and whether its weights are in memory."""
        models = self._models
        return EngineInfo(
            name="SenseVoice Small (funasr)",
            languages=LANGUAGES,
            capabilities={**CAPABILITIES, "speakers": True},
            device=(models.device if models else self._device).upper(),
            licence="FunASR Model License (SenseVoice), Apache-2.0 (FSMN-VAD, CAM++, CT-Punc), MIT (Silero VAD)",
            loaded=models is not None,
        )

    def load(self) -> None:
        """Bring the weights into memory; a second call does nothing. Raises ``ModelError``."""
        self._ready()

    def close(self) -> None:
        """Give the memory back once the requests that run now are done; the next request loads again."""
        with self._lock:
            models, self._models = self._models, None
        if models is not None:
            on_gpu = models.device == "cuda"
            del models
            gc.collect()
            if on_gpu:
                import torch

                torch.cuda.empty_cache()

    def _ready(self) -> _Models:
        with self._lock:
            if self._models is None:
                device = pick_device(self._device)
                sensevoice = load_checkpoint(self._store.ensure(MODEL_ID), device, self._threads)
                vad = None
                if self._store.present(VAD_ID):
                    longest = round(1000 * MAX_SPEECH_SECONDS)
                    folder = self._store.ensure(VAD_ID)
                    vad = load_checkpoint(folder, "cpu", self._threads, max_single_segment_time=longest)
                self._models = _Models(device, sensevoice, vad)
            return self._models

    def transcribe(self, request: RecognitionRequest) -> Iterator[Segment]:
        """Yield each segment as it is done, in order of time; with ``speakers``, all at the end.

        A recording of at most 30 s is one segment; a longer one is cut in the pauses of speech, and what is loud
        between them comes as segments without words. Memory does not grow with the recording, but for the voices of
        the speakers (1 KB a second) where those are asked for. Raises ``AudioError`` where it is empty,
        ``EngineError`` for a language that SenseVoice does not know.
        """
        check_language(request)
        models = self._ready()
        if not request.speakers:
            yield from self._segments(models, request, None)
            return
        with self._lock:
            if models.speakers is None:
                voices = load_checkpoint(self._store.ensure(SPEAKER_ID), models.device, self._threads)
                marks = None
                if self._store.present(PUNCTUATION_ID):
                    marks = load_checkpoint(self._store.ensure(PUNCTUATION_ID), models.device, self._threads)
                models.speakers = SpeakerModels(voices, marks)
        turns = SpeakerTurns(models.speakers, models.lock)
        yield from turns.name(list(self._segments(models, request, turns)))

    def _segments(self, models: _Models, request: RecognitionRequest, turns: SpeakerTurns | None) -> Iterator[Segment]:
        finder: Finder = SpeechDetector() if models.vad is None else FsmnDetector(models.vad, models.lock)
        most = BATCH_SECONDS if models.device == "cuda" else 0.0
        need_words = request.words or request.speakers
        for batch in _batches(listen(request.audio, finder), most):
            heard = _hear(models, batch, request.language, request.itn, need_words)
            for stretch, said in zip(batch, heard, strict=True):
                segment = tell(said, stretch, need_words)
                if segment is not None:
                    if turns is not None and segment.text:
                        turns.add(stretch)
                    yield segment

    def hear(self, batch: Sequence[Stretch], language: str = "auto", itn: bool = True) -> list[Heard]:
        """What SenseVoice says of stretches of at most 30 s, heard together: tags, words, and the time of each."""
        return _hear(self._ready(), batch, language, itn, words=True)


def _hear(models: _Models, batch: Sequence[Stretch], language: str, itn: bool, words: bool) -> list[Heard]:
    with models.lock:
        results = models.sensevoice.generate(
            input=[stretch.audio.samples for stretch in batch],
            cache={},
            language=language,
            use_itn=itn,
            output_timestamp=words,
            batch_size=len(batch),
        )
    return [_heard(result) for result in results]


def _heard(result: dict[str, Any]) -> Heard:
    times = zip(result.get("words", ()), result.get("timestamp", ()), strict=True)
    pieces = [(word, start / 1000, end / 1000) for word, (start, end) in times]
    return Heard(read_one(result["text"]), pieces)


def _batches(source: Iterable[Stretch], most: float) -> Iterator[list[Stretch]]:
    """Stretches worth hearing, together up to ``most`` seconds, one at least."""
    batch: list[Stretch] = []
    for stretch in source:
        if not worth_hearing(stretch):
            continue
        if batch and sum(s.audio.duration for s in batch) + stretch.audio.duration > most:
            yield batch
            batch = []
        batch.append(stretch)
    if batch:
        yield batch


class FsmnDetector:
    """FSMN-VAD over one stream of 16 kHz sound; each stream has a detector of its own, all share the model."""

    STEP_MS = 1000
    LAG_SECONDS = 2.0  # how much later than it begins speech is told of at most

    def __init__(self, model: Any, lock: threading.Lock) -> None:
        self._model = model
        self._lock = lock
        self._cache: dict[str, Any] = {}
        self._kept: Samples = np.zeros(0, np.float32)
        self._kept_from = 0  # samples
        self._begin: int | None = None  # first sample of the stretch that is open

    @property
    def settled(self) -> float:
        """Seconds of the stream in which no further stretch can begin, and none is open."""
        if self._begin is not None:
            return self._begin / RATE
        return max(0.0, (self._kept_from + len(self._kept)) / RATE - self.LAG_SECONDS)

    def feed(self, samples: Samples) -> Iterator[Speech]:
        """Take the next samples (n,) at 16 kHz, of any number; yield the stretches that ended in them."""
        self._kept = np.concatenate((self._kept, samples))
        if len(samples):
            yield from self._judge(samples, last=False)
        drop = max(0, round(self.settled * RATE) - self._kept_from)
        self._kept = self._kept[drop:].copy()
        self._kept_from += drop

    def finish(self) -> Iterator[Speech]:
        """The stream has ended: yield the stretch that was still open, if any."""
        yield from self._judge(np.zeros(RATE // 10, np.float32), last=True)

    def _judge(self, samples: Samples, last: bool) -> Iterator[Speech]:
        with self._lock:
            (result,) = self._model.generate(
                input=samples, cache=self._cache, is_final=last, chunk_size=self.STEP_MS, disable_pbar=True
            )
        for begin, end in result["value"]:
            if begin >= 0:
                self._begin = begin * RATE // 1000
            if end >= 0 and self._begin is not None:
                first, until = (at - self._kept_from for at in (self._begin, end * RATE // 1000))
                self._begin = None
                found = self._kept[max(0, first) : until].copy()
                if len(found):
                    yield Speech((max(0, first) + self._kept_from) / RATE, Audio(found, RATE), 1.0)
