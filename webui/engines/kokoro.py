"""Kokoro-82M on onnxruntime: 54 voices, English, Chinese, Japanese, steered styles, word times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from webui.config import Settings
from webui.engines.g2p import G2P, SILENT, SYMBOL_IDS, Said
from webui.engines.kokoro_graph import FRAME, steerable
from webui.engines.kokoro_plan import RATE, ending, finish, plan
from webui.engines.kokoro_voices import (
    LICENCE,
    PRESETS,
    Vectors,
    find,
    is_british,
    preset,
    read_vectors,
    style_vector,
    vectors_of,
)
from webui.engines.protocols import EngineInfo, SpeechRequest
from webui.engines.store import ModelStore
from webui.errors import EngineError
from webui.types import Audio, Samples, SpeechChunk, Voice, Word

MAX_CHARACTERS = 20_000
FACTOR_MIN, FACTOR_MAX = 0.5, 2.0
WHISPER_FROM = 0.5  # a voice is there or not: a whisper of less strength is voiced


@dataclass(frozen=True)
class Manner:
    """How a style changes a voice, each as a factor, 1 for no change; ``voiced`` False is a whisper."""

    pitch: float = 1.0
    span: float = 1.0
    rate: float = 1.0
    energy: float = 1.0
    voiced: bool = True


MANNERS: Mapping[str, Manner] = {
    "neutral": Manner(),
    "happy": Manner(pitch=1.17, span=1.4, rate=1.05, energy=1.15),
    "sad": Manner(pitch=0.87, span=0.55, rate=0.86, energy=0.75),
    "angry": Manner(pitch=1.06, span=1.5, rate=1.1, energy=1.5),
    "calm": Manner(pitch=0.91, span=0.7, rate=0.9, energy=0.85),
    "excited": Manner(pitch=1.25, span=1.6, rate=1.12, energy=1.3),
    "whisper": Manner(rate=0.95, energy=0.4, voiced=False),
}


@dataclass(frozen=True, eq=False)
class _Model:
    session: Any
    vectors: Mapping[str, Vectors]
    note: str  # why not all voices are there, if they are not


class KokoroSynthesizer:
    """A ``Synthesizer`` at 24 kHz. One instance serves all; requests take turns piece by piece.

    The model has no randomness: the same request gives the same sound, whatever its ``seed``.
    """

    def __init__(self, store: ModelStore, settings: Settings) -> None:
        self._store = store
        self._threads = settings.threads
        self._g2p = G2P()
        self._loading = Lock()
        self._turn = Lock()
        self._model: _Model | None = None

    @property
    def info(self) -> EngineInfo:
        """Languages and what each capability is, or why it is not there."""
        model = self._model
        return EngineInfo(
            name="Kokoro 82M",
            languages=self._g2p.languages(),
            capabilities={
                "styles": True,
                "words": True,
                "prosody": True,
                "blend": True,
                "readings": True,
                "pitch": True,
                "energy": True,
                "voices": (model and model.note) or True,
                "clone": "Kokoro has preset voices only; cloning a voice needs another engine.",
                "convert": "Kokoro speaks a text; putting a voice on a recording needs another engine.",
                "instruction": "Kokoro takes a style by name, not a description in words.",
                "tokens": "Kokoro says words only; breath, laughter and stress are left out.",
                "seed": "Kokoro says the same words in the same way each time, whatever the seed.",
                **self._g2p.missing(),
            },
            device="CPU",
            licence=LICENCE,
            loaded=model is not None,
        )

    def load(self) -> None:
        """Read model and voices, and run them once so that the first request is not slow. Raises ``ModelError``."""
        self._ready()

    def _ready(self) -> _Model:
        with self._loading:
            if self._model is None:
                self._model = self._read()
            return self._model

    def _read(self) -> _Model:
        path = self._store.ensure("kokoro-82m") / "kokoro-v1.0.int8.onnx"
        found = self._store.ensure_or_fallback("kokoro-voices")
        vectors = read_vectors(found.folder)
        with ThreadPoolExecutor(1) as other:  # dictionaries in Python and the graph in C++ load side by side
            dictionaries = [other.submit(self._g2p.load, language) for language in ("en", "zh")]
            session = _session(steerable(path), self._threads)
            for dictionary in dictionaries:
                dictionary.result()
        first = next(iter(vectors.values()))
        _run(session, [1] * 30, style_vector(first, first, 30), Manner())
        return _Model(session, vectors, found.note)

    def close(self) -> None:
        """Drop model and voices; what is being spoken is still finished."""
        with self._loading:
            self._model = None

    def voices(self) -> Sequence[Voice]:
        """The presets, the best first; before the engine is loaded, those that it will find."""
        return [preset(name, self._g2p.languages()) for name in self._names()]

    def _names(self) -> Iterable[str]:
        if self._model:
            return self._model.vectors
        if self._store.present("kokoro-voices-small") and not self._store.present("kokoro-voices"):
            small = {Path(file.name).stem for file in self._store.entry("kokoro-voices-small").files}
            return [name for name in PRESETS if name in small]
        return PRESETS

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        """Yield ``request.text`` as speech; a text with nothing to say yields nothing.

        Raises ``EngineError`` for an unknown voice, blend or style, a factor out of range, a text that is too long, or
        one in no language that is spoken here.
        """
        manner = _manner(request)
        if len(request.text) > MAX_CHARACTERS:
            raise EngineError(
                "text_too_long",
                f"Please split the text: at most {MAX_CHARACTERS} characters can be spoken at a time.",
                limit=MAX_CHARACTERS,
            )
        model = self._ready()
        voice = request.voice
        timbre = vectors_of(voice, model.vectors)
        prosody = find(voice.prosody, model.vectors) if voice.prosody else timbre
        unspoken: set[str] = set()
        silent = True
        for pieces in plan(self._g2p(request.text, request.language, is_british(voice)), request.eager):
            unspoken |= {piece.unspoken for piece in pieces if piece.unspoken}
            if not any(piece.voiced for piece in pieces):
                continue
            silent = False
            yield self._speak(model, pieces, timbre, prosody, manner)
        if silent and unspoken:
            codes, known = ", ".join(sorted(unspoken)), ", ".join(self._g2p.languages())
            raise EngineError(
                "language_not_spoken",
                f"Kokoro does not speak {codes}; choose another engine, or a reply in one of {known}.",
                languages=codes,
                known=known,
            )

    def _speak(
        self, model: _Model, pieces: list[Said], timbre: Vectors, prosody: Vectors, manner: Manner
    ) -> SpeechChunk:
        phonemes = "".join(piece.phonemes for piece in pieces).strip()
        mark = ending(pieces)
        # without a mark at its end the last sound is cut off
        ids = [SYMBOL_IDS[symbol] for symbol in (phonemes if mark else phonemes + ".")]
        with self._turn:
            raw, frames = _run(model.session, ids, style_vector(timbre, prosody, len(ids)), manner)
        sound, cut = finish(raw, mark, manner.energy)
        words = _words(pieces, frames, cut, len(sound) / RATE)
        return SpeechChunk(Audio(sound, RATE), "".join(piece.text for piece in pieces).strip(), words)


def _session(model: bytes, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_mem_pattern = False  # every text has another length
    # waiting threads sleep: spinning ones leave the language model, which writes meanwhile, a quarter of its speed
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # as fast as with all optimisations, and loaded sooner
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _run(session: Any, ids: list[int], style: Vectors, manner: Manner) -> tuple[Samples, list[int]]:
    """Raw sound of (n,) at 24 kHz, and the frames of each id, with those of the silence before and behind."""
    audio, frames = session.run(
        ["audio", "frames"],
        {
            "tokens": np.array([[0, *ids, 0]], np.int64),
            "style": style,
            "speed": np.array([manner.rate], np.float32),
            "ctl": np.array([manner.pitch, manner.span, float(manner.voiced)], np.float32),
        },
    )
    return audio, frames[0].tolist()


def _manner(request: SpeechRequest) -> Manner:
    """The style's manner at its strength, with the factors of style and request on top."""
    style = request.style
    factors = {"speed": request.speed, "rate": style.rate, "pitch": style.pitch, "energy": style.energy}
    for name, factor in factors.items():
        if not FACTOR_MIN <= factor <= FACTOR_MAX:
            raise EngineError(
                "factor_out_of_range",
                f"The {name} must be between {FACTOR_MIN} and {FACTOR_MAX:g}.",
                name=name,
                low=FACTOR_MIN,
                high=FACTOR_MAX,
            )
    if style.name not in MANNERS or not 0 <= style.strength <= 1:
        raise EngineError(
            "style_unknown",
            f"Choose a style among {', '.join(MANNERS)}, with a strength from 0 to 1.",
            style=style.name[:40],
        )
    base, k = MANNERS[style.name], style.strength
    return Manner(
        pitch=style.pitch * base.pitch**k,
        span=base.span**k,
        rate=min(max(request.speed * style.rate * base.rate**k, FACTOR_MIN), FACTOR_MAX),
        energy=style.energy * base.energy**k,
        voiced=base.voiced or k < WHISPER_FROM,
    )


def _words(pieces: Sequence[Said], frames: list[int], cut: float, duration: float) -> tuple[Word, ...]:
    """When each voiced piece sounds, in seconds from the start of the finished sound."""
    ends = np.cumsum(frames) * (FRAME / RATE) - cut  # of each id; the first is the silence before
    lead = sum(len(piece.phonemes) for piece in pieces)
    lead -= len("".join(piece.phonemes for piece in pieces).lstrip())
    words = []
    at = -lead
    for piece in pieces:
        core = piece.phonemes.strip(SILENT)
        if core:
            first = at + piece.phonemes.index(core)
            start, end = float(ends[max(first, 0)]), float(ends[first + len(core)])
            start, end = min(max(start, 0.0), duration), min(max(end, 0.0), duration)
            if piece.text.strip():
                words.append(Word(piece.text.strip(), start, end))
            elif words:  # a reading in two languages: the second part has no writing of its own
                words[-1] = replace(words[-1], end=end)
        at += len(piece.phonemes)
    return tuple(words)
