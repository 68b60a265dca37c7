"""CosyVoice 1, 2 and 3 inside the worker: what is asked for becomes calls of the library, a sentence at a time.

Sentences of all requests take turns, each with the model to itself and as it was when loaded, so that no request
hears of another. What the library yields goes on as it comes: speed, loudness and joining are the asker's.
"""

from __future__ import annotations

import hashlib
import queue
import random
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from webui.engines.cosyvoice_guard import Guard, Stopped
from webui.engines.cosyvoice_library import Library
from webui.engines.cosyvoice_text import (
    MARK,
    PREAMBLE,
    between_tokens,
    bracketed,
    clean,
    katakana,
    sentences,
    unsaid,
)
from webui.engines.cosyvoice_voices import LANGUAGES, LICENCE, capabilities, check_clip, generation, preset
from webui.engines.instructions import instruction
from webui.engines.protocols import EngineInfo, SpeechRequest
from webui.engines.worker.server import EngineStuck
from webui.errors import EngineError
from webui.text import marks
from webui.text.script import language_of
from webui.text.spoken import in_words
from webui.types import Audio, Samples, SpeechChunk, Voice

MAX_CHARACTERS = 20_000
STALL_S = 120.0  # a step of the decoder on a slow CPU takes a few seconds
CLIPS_KEPT = 16  # speakers embedded from clips, the last that were used
LONGEST_SOURCE_S, SEAM_S = 28.0, 5.0  # of a recording to be converted at a time; where a quiet place is looked for
_POLL_S = 0.1

Work = Callable[[bool], Iterator[Samples]]


@dataclass(frozen=True, eq=False)
class _Loaded:
    library: Library
    guard: Guard


class CosyVoiceModel:
    """A ``Synthesizer`` and ``VoiceConverter`` of one checkpoint.

    Speech comes while it is made. With a seed each sentence is made whole first, since the library's two threads draw
    from one source of randomness in an order that is never twice the same: then the same request gives the same sound.
    """

    def __init__(
        self,
        folder: str,
        threads: int = 0,
        device: str = "auto",
        switches: Sequence[str] = (),
        stall_s: float = STALL_S,
    ) -> None:
        self._folder = Path(folder)
        self._generation = generation(self._folder) or 2
        self._threads = threads
        self._device = device
        self._switches = tuple(switches)
        self._stall_s = stall_s
        self._loading = threading.Lock()
        self._model: _Loaded | None = None
        self._clips: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    @property
    def info(self) -> EngineInfo:
        """What this generation and checkpoint can do."""
        library = self._model.library if self._model else None
        told = library.instructs if library else self._generation > 1 or "instruct" in self._folder.name.lower()
        return EngineInfo(
            name=f"CosyVoice {self._generation}",
            languages=LANGUAGES[self._generation],
            capabilities=capabilities(self._generation, told),
            device=(library.device.upper() if library else ""),
            licence=LICENCE,
            loaded=library is not None,
        )

    def load(self) -> None:
        """Read the weights. Raises ``ModelError``."""
        self._ready()

    def close(self) -> None:
        """Forget the weights and every clip."""
        with self._loading:
            self._model = None
            self._clips.clear()

    def voices(self) -> Sequence[Voice]:
        """The speakers that come with the checkpoint; none before it is loaded."""
        speakers = self._model.library.frontend.spk2info if self._model else {}
        return [preset(name, self._generation) for name in speakers]

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        """Speech piece by piece; the first chunk of a sentence has its text. Its ``close`` may be called by anyone.

        ``speed`` and the style's rate and energy are not looked at. Raises ``EngineError`` and ``AudioError``.
        """
        if len(request.text) > MAX_CHARACTERS:
            raise EngineError(
                "text_too_long",
                f"Please split the text: at most {MAX_CHARACTERS} characters can be spoken at a time.",
                limit=MAX_CHARACTERS,
            )
        if request.style.pitch != 1.0:
            raise EngineError("pitch_fixed", "CosyVoice cannot change the pitch of a voice; set it back to 1.")
        if request.voice.sample is not None:
            check_clip(request.voice.sample)
        model = self._ready()
        return _Speech(model, self._sentences(model.library, request), request.seed, self._stall_s)

    def convert(self, source: Audio, voice: Voice) -> Iterator[SpeechChunk]:
        """``source`` (any length, at least 16 kHz) in the voice of a clip. Raises ``EngineError``, ``AudioError``."""
        if voice.sample is None:
            raise EngineError("convert_needs_clip", "Choose a voice made from a clip: only those can be put on.")
        check_clip(voice.sample)
        check_clip(source, longest_s=None)
        model = self._ready()
        return _Speech(model, self._conversions(model.library, source, voice.sample), None, self._stall_s)

    def _ready(self) -> _Loaded:
        with self._loading:
            if self._model is None:
                import torch

                if self._threads:
                    torch.set_num_threads(self._threads)
                if self._device == "cuda" and not torch.cuda.is_available():
                    raise EngineError("no_cuda", "No NVIDIA GPU can be used here; set --device to auto or cpu.")
                library = Library(self._folder, self._switches)
                self._model = _Loaded(library, Guard(library.model))
            return self._model

    def _conversions(self, library: Library, source: Audio, clip: Audio) -> Iterator[tuple[str, Work]]:
        for part in _parts(source):

            def work(stream: bool, part: Audio = part) -> Iterator[Samples]:
                with library.prompt(part) as said, library.prompt(clip) as prompt:
                    yield from _samples(library.api.inference_vc(said, prompt, stream=stream))

            yield "", work

    def _sentences(self, library: Library, request: SpeechRequest) -> Iterator[tuple[str, Work]]:
        hidden, readings = marks.hide(request.text)
        for reading in readings:
            if not library.knows(bracketed(reading)):
                raise unsaid(reading)
        for text in marks.closed(sentences(clean(hidden, library.tokens), request.eager)):
            shown = marks.shown(marks.restore(text, readings))
            yield shown, self._said(library, request, shown, marks.restore(text, readings, bracketed))

    def _said(self, library: Library, request: SpeechRequest, shown: str, text: str) -> Work:
        """How one sentence is spoken: by which of the library's ways, with which words before it."""
        language = language_of(shown, request.language)
        told = instruction(request.style, language) if library.instructs else ""
        if request.style.instruction and not library.instructs:
            raise EngineError("instruction_missing", str(self.info.capabilities["instruction"]))
        written = between_tokens(text, library.tokens, lambda part: library.normal(in_words(part, language)))
        voice, api, number = request.voice, library.api, library.generation
        if number == 3 and language == "ja":
            written = between_tokens(written, library.tokens, katakana)

        def work(stream: bool) -> Iterator[Samples]:
            options = {"stream": stream, "text_frontend": False}
            speaker, spoken_in = self._speaker(library, voice)
            if "embedding" in speaker:  # a speaker of CosyVoice 1 that was learnt in training
                with library.stored(speaker) as name:
                    if told:
                        yield from _samples(api.inference_instruct(written, name, told + library.v1_mark, **options))
                    else:
                        yield from _samples(api.inference_sft(written, name, **options))
            elif told and number > 1:
                manner = f"{PREAMBLE} {told}{MARK}" if number == 3 else told + MARK
                with library.stored(library.told(speaker, manner)) as name:
                    yield from _samples(api.inference_instruct2(written, manner, "", zero_shot_spk_id=name, **options))
            elif spoken_in in (None, language):
                with library.stored(speaker) as name:
                    yield from _samples(api.inference_zero_shot(written, "", "", zero_shot_spk_id=name, **options))
            else:  # in another language than the clip, or nobody knows its words: the timbre alone
                before = {1: f"<|{language}|>", 2: "", 3: PREAMBLE + MARK}[number]
                with library.stored(speaker) as name:
                    yield from _samples(
                        api.inference_cross_lingual(before + written, "", zero_shot_spk_id=name, **options)
                    )

        return work

    def _speaker(self, library: Library, voice: Voice) -> tuple[Mapping[str, Any], str | None]:
        """What the library knows of a voice, and its clip's language: None for a preset, "" if unknown."""
        if voice.sample is None:
            if voice.id not in library.frontend.spk2info:
                name = voice.id[:40]
                raise EngineError("voice_missing", f"The voice {name} is not there; choose another.", voice=name)
            return library.frontend.spk2info[voice.id], None
        words = clean(voice.sample_text, ())
        text = PREAMBLE + MARK + words if library.generation == 3 else words
        content = hashlib.sha256(voice.sample.samples.tobytes())
        content.update(f"{voice.sample.rate} {text}".encode())
        key = content.hexdigest()
        if key not in self._clips:
            self._clips[key] = library.embed(voice.sample, text)
        self._clips.move_to_end(key)
        while len(self._clips) > CLIPS_KEPT:
            self._clips.popitem(last=False)
        return self._clips[key], language_of(words) if words else ""


class _Speech(Iterator[SpeechChunk]):
    """Pieces of one request as they are made. Each is made in a thread of its own, so that a slow listener holds up
    nobody, and this one notices when the library hangs or the listener has gone."""

    def __init__(self, model: _Loaded, pieces: Iterator[tuple[str, Work]], seed: int | None, stall_s: float) -> None:
        self._guard = model.guard
        self._rate = model.library.rate
        self._pieces = enumerate(pieces)
        self._seed = seed
        self._stall_s = stall_s
        self._stop = threading.Event()
        self._made: queue.SimpleQueue[Audio | BaseException | None] | None = None
        self._text = ""

    def close(self) -> None:
        """Stop, from any thread."""
        self._stop.set()

    def __next__(self) -> SpeechChunk:
        while not self._stop.is_set():
            if self._made is None:
                index, (self._text, work) = next(self._pieces)
                self._made = queue.SimpleQueue()
                threading.Thread(target=self._make, args=(work, index, self._made), daemon=True).start()
            try:
                made = self._made.get(timeout=_POLL_S)
            except queue.Empty:
                if self._guard.stalled(self._stall_s):
                    raise EngineStuck(
                        "engine_stuck", "The speech engine got stuck; try again, it is started anew."
                    ) from None
                continue
            if isinstance(made, BaseException):
                raise made
            if made is not None:
                text, self._text = self._text, ""
                return SpeechChunk(made, text)
            self._made = None
        raise StopIteration

    def _make(self, work: Work, index: int, made: queue.SimpleQueue[Audio | BaseException | None]) -> None:
        try:
            with self._guard.turn(self._stop):
                _sow(secrets.randbits(31) if self._seed is None else self._seed + index)
                for samples in work(self._seed is None):
                    made.put(Audio(samples, self._rate))
                    if self._stop.is_set():
                        raise Stopped
        except BaseException as error:  # noqa: BLE001  (raised again where it is waited for)
            made.put(error)
        finally:
            made.put(None)


def _sow(seed: int) -> None:
    """Every source of randomness that the library draws from."""
    import torch

    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def _samples(outputs: Iterator[Mapping[str, Any]]) -> Iterator[Samples]:
    """The library's tensors of (1, n) as (n,), finite and within [-1, 1]."""
    for output in outputs:
        raw = output["tts_speech"].detach().float().cpu().numpy().reshape(-1)
        yield np.clip(np.nan_to_num(raw, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0).astype(np.float32)


def _parts(source: Audio) -> Iterator[Audio]:
    """``source`` cut where it is quiet, so that the library can take each part."""
    rate = source.rate
    longest, seam, block = round(LONGEST_SOURCE_S * rate), round(SEAM_S * rate), rate // 50
    rest = source.samples
    while len(rest) > longest:
        near = rest[longest - seam : longest]
        loudness = np.abs(near[: len(near) // block * block]).reshape(-1, block).mean(axis=1)
        cut = longest - seam + int(loudness.argmin()) * block + block // 2
        yield Audio(rest[:cut], rate)
        rest = rest[cut:]
    yield Audio(rest, rate)
