"""Match my timbre: the blend of an engine's own voices that comes nearest to a clip. No voice is cloned by it."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from webui.audio import prosody
from webui.audio.convert import resample
from webui.config import ROOT
from webui.engines.protocols import SpeechRequest, Synthesizer
from webui.engines.registry import Engines
from webui.engines.speaker_encoder import Print, similarity
from webui.errors import EngineError
from webui.types import Audio, Voice

TRIES = 18  # blends that are spoken and compared
MOST = 5  # voices in a blend
LEAST = 0.03  # share of a voice that can be heard
HIGHER = 4.0  # semitones that a voice may be higher or lower than the clip
FEWEST = 8  # voices to blend, however high they are
# What every blend says while it is searched for, and what the one that is found says to be judged.
SAYING = {
    "en": "The morning train was late again, so we walked along the river.",
    "zh": "早上的火车又晚点了，我们就沿着河边慢慢走回家。",
}
JUDGED = {
    "en": "Please put the blue cups back on the shelf before the guests come. I will open a window and make some tea.",
    "zh": "客人来之前，请把蓝色的杯子放回架子上。我去打开窗户，再给大家泡一壶茶。",
}

_TRUST = 1.0  # how much more the voices' own prints count than what one blend has taught
_NEAR = 0.05  # shares apart: another try of the same blend
_SPREAD = 0.12  # how far a share is moved to look around

Shares = npt.NDArray[np.float64]  # (voices,), from 0 to 1, adding up to 1
Prints = npt.NDArray[np.float64]  # (voices, 192)


@dataclass(frozen=True)
class Progress:
    """``done`` blends ``of`` all were tried; ``similarity`` (-1 to 1) is that of the best so far."""

    done: int
    of: int
    similarity: float


@dataclass(frozen=True)
class Matched:
    """The blend that came nearest, and its similarity to the clip (-1 to 1), in a sentence it was not chosen by."""

    voice: Voice
    similarity: float


def match(engines: Engines, clip: Audio, language: str) -> Generator[Progress | Matched, None, None]:
    """Search for the blend of presets that sounds most like ``clip``, which is spoken in ``language`` (a code).

    The last that comes is ``Matched``. Closing the iterator stops the search. Raises ``EngineError`` where the
    synthesizer cannot blend, and ``UserError`` where an engine fails.
    """
    synthesizer, encoder = engines.synthesizer, engines.speaker
    synthesizer.load()
    info = synthesizer.info
    voices = [voice for voice in synthesizer.voices() if voice.id in _presets()]
    if info.capabilities.get("blend") is not True or not voices:
        raise EngineError("match_unknown", f"{info.name} cannot blend voices; choose another engine.", engine=info.name)
    language = language if language in SAYING and language in info.languages else "en"
    target = encoder.embed(clip)
    voices = _alike_in_pitch(voices, clip)
    search = _Search(np.stack([_presets()[voice.id].timbre for voice in voices]), target)
    for done in range(1, TRIES + 1):
        shares = search.next()
        search.learn(shares, encoder.embed(say(synthesizer, _blend(voices, shares), SAYING[language], language)))
        yield Progress(done, TRIES, search.similarity)
    found = _blend(voices, search.best)
    yield Matched(found, similarity(target, encoder.embed(say(synthesizer, found, JUDGED[language], language))))


def say(synthesizer: Synthesizer, voice: Voice, text: str, language: str) -> Audio:
    """``text`` as ``voice`` says it. Raises ``UserError`` where the engine fails."""
    chunks = list(synthesizer.synthesize(SpeechRequest(text, voice, language=language, eager=False)))
    return Audio(np.concatenate([chunk.audio.samples for chunk in chunks]), chunks[0].audio.rate)


def pitch(audio: Audio) -> float | None:
    """Of a voice, in semitones; None where none is heard."""
    values = prosody.measure(resample(audio, prosody.RATE)).values
    return None if values is None else float(values[prosody.NAMES.index("f0_median_st")])


def _alike_in_pitch(voices: list[Voice], clip: Audio) -> list[Voice]:
    """The voices that speak about as high as ``clip``: prints of strangers hardly tell a man from a woman."""
    height = pitch(clip)
    if height is None:
        return voices
    off = {voice.id: abs(_presets()[voice.id].pitch - height) for voice in voices}
    nearest = sorted(voices, key=lambda voice: off[voice.id])
    return [voice for rank, voice in enumerate(nearest) if rank < FEWEST or off[voice.id] <= HIGHER]


class _Search:
    """Which blend to try next. A blend's print is taken for the blend of its voices' prints, until more is known.

    What the tries have taught corrects the voices' prints by ridge regression; the next try is the best blend of the
    corrected prints, or now and then one beside the best so far.
    """

    def __init__(self, prints: npt.NDArray[np.float32], target: Print) -> None:
        self._prints: Prints = prints.astype(np.float64)
        self._target = target.astype(np.float64)
        self._tried: list[Shares] = []
        self._found: list[npt.NDArray[np.float64]] = []
        self._random = np.random.default_rng(0)
        self._first = _nearest(self._prints, self._target, np.full(len(prints), 1 / len(prints)))

    @property
    def _scores(self) -> npt.NDArray[np.float64]:
        scores: npt.NDArray[np.float64] = np.stack(self._found) @ self._target
        return scores

    @property
    def similarity(self) -> float:
        """Of the best that was tried."""
        return float(self._scores.max())

    @property
    def best(self) -> Shares:
        """The best that was tried."""
        return self._tried[int(self._scores.argmax())]

    def learn(self, shares: Shares, found: Print) -> None:
        """``shares`` were spoken, and sounded like ``found``."""
        self._tried.append(shares)
        self._found.append(found.astype(np.float64))

    def next(self) -> Shares:
        """What to try now."""
        if not self._tried:
            return self._first
        tried = np.stack(self._tried)
        off = np.stack(self._found) - tried @ self._prints
        taught = tried.T @ np.linalg.solve(tried @ tried.T + _TRUST * np.eye(len(tried)), off)
        corrected = self._prints + taught
        shares = _nearest(corrected, self._target, self.best if len(tried) % 2 else self._first)
        if len(tried) % 3 == 0 or np.abs(tried - shares).sum(axis=1).min() < _NEAR:
            shares = self._beside(corrected)
        return shares

    def _beside(self, prints: Prints) -> Shares:
        """The best so far, its shares moved, and half of the time with another voice that is near."""
        moved = self.best + np.where(self.best > 0, self._random.normal(0, _SPREAD, len(prints)), 0)
        if self._random.random() < 0.5:
            near = np.argsort(prints @ self._target)[-2 * MOST :]
            moved[self._random.choice(near)] += abs(self._random.normal(0, _SPREAD))
        return _pruned(_shares(np.where(moved > 0, moved, -1)))


def _nearest(prints: Prints, target: npt.NDArray[np.float64], start: Shares, steps: int = 300) -> Shares:
    """Shares of at most ``MOST`` voices whose blended prints point where ``target`` does, by projected gradient."""
    shares, allowed = start, np.ones(len(prints), bool)
    for _ in range(2):  # all voices first, then the largest of them
        for _ in range(steps):
            mixed = shares @ prints
            length = np.linalg.norm(mixed)
            slope = prints @ (target / length - mixed * (mixed @ target) / length**3)
            shares = _shares(np.where(allowed, shares + 0.5 * slope, -len(prints)))
        allowed = np.isin(np.arange(len(prints)), np.argsort(shares)[-MOST:])
        shares = _shares(np.where(allowed, shares, -len(prints)))
    return _pruned(shares)


def _shares(values: npt.NDArray[np.float64]) -> Shares:
    """The shares nearest to any values (the projection onto the simplex)."""
    ordered = np.sort(values)[::-1]
    over = (np.cumsum(ordered) - 1) / np.arange(1, len(values) + 1)
    shares: Shares = np.maximum(values - over[np.flatnonzero(ordered > over)[-1]], 0)
    return shares


def _pruned(shares: Shares) -> Shares:
    largest = np.argsort(shares)[-MOST:]
    kept: Shares = np.where((shares >= LEAST) & np.isin(np.arange(len(shares)), largest), shares, 0)
    kept /= kept.sum()
    return kept


def _blend(voices: Sequence[Voice], shares: Shares) -> Voice:
    """The voices with a share, the largest first, as one that speaks what the first of them does."""
    order = [int(i) for i in np.argsort(shares)[::-1] if shares[i] > 0]
    parts = tuple((voices[i].id, float(shares[i])) for i in order)
    return replace(voices[order[0]], id="blend", name="Blend", kind="blend", blend=parts)


@dataclass(frozen=True, eq=False)
class _Preset:
    timbre: Print
    pitch: float


@cache
def _presets() -> Mapping[str, _Preset]:
    """How the presets sound, by id. ``models/timbres/make.py`` wrote down each one's print, and its pitch behind it."""
    from safetensors.numpy import load_file

    known = load_file(ROOT / "models" / "timbres" / "kokoro.safetensors")
    return {name: _Preset(values[:-1], float(values[-1])) for name, values in known.items()}
