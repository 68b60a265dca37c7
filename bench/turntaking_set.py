"""The end-of-turn test set: what is said, by which voice, with which pauses; and the sounds that nobody says.

Everything is made here, the same every time: speech by our own synthesizer, sounds from shaped noise. Some sentences
are ``held out``: they were written when thresholds and tables of words were done, which were not touched afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.turntaking_said import SAID
from webui.audio.convert import resample
from webui.audio.vad import RATE
from webui.engines.protocols import SpeechRequest, Synthesizer
from webui.types import Samples

Wave = npt.NDArray[np.float64]

BEFORE, AFTER = 0.5, 3.0  # seconds of the room around what is said
ROOM = 10 ** (-60 / 20)  # -60 dBFS of noise under everything
SPEECH = 10 ** (-23 / 20)  # root mean square of speech
PAUSES = (0.5, 0.7, 0.9, 1.2)  # seconds, in turn
TRAILING = 1.2  # seconds until the rest comes
EARLY = 0.12  # seconds by which a word may begin earlier than the synthesizer says

VOICES = {
    "en": "af_heart am_michael bf_emma am_puck bm_george af_bella".split(),
    "zh": "zf_xiaobei zm_yunjian zf_xiaoyi zm_yunxi zf_xiaoxiao zm_yunyang".split(),
}
TWICE = ("finished", "backchannel")  # said by two voices each


@dataclass(frozen=True)
class Item:
    """Something that happens at the microphone. ``gap`` is the pause in seconds between what is ``said``.

    ``kind`` is a key of ``SAID``, or ``noise``, where ``said`` is the sound's name and ``language`` says where it is
    from: ``made`` or ``real``.
    """

    kind: str
    language: str
    said: tuple[str, ...]
    held_out: bool
    voice: str = ""
    gap: float = 0.0


@dataclass(frozen=True, eq=False)
class Recording:
    """An item as a microphone hears it, at 16 kHz; ``over`` is when the person is done, in seconds."""

    samples: Samples
    over: float


def spoken() -> Iterator[Item]:
    """Everything that is said."""
    for (kind, language), texts in SAID.items():
        voices, gaps = cycle(VOICES[language]), cycle((TRAILING,) if kind == "trailing" else PAUSES)
        tuned_on, held_out = (part.strip().split("\n") for part in texts.split("\n\n"))
        for number, line in enumerate(tuned_on + held_out):
            said, gap = tuple(part.strip() for part in line.split("|")), next(gaps)
            for _ in range(2 if kind in TWICE else 1):
                yield Item(kind, language, said, number >= len(tuned_on), next(voices), gap)


def noises() -> dict[str, Samples]:
    """Sounds of a person who does not speak and of a room, shaped from noise."""
    rng = np.random.default_rng(3)
    out: dict[str, Wave] = {}
    for number, (length, low, high) in enumerate(((0.25, 300, 2500), (0.3, 250, 1800), (0.22, 400, 3500))):
        burst = _band(rng, length, low, high) * _decay(length, 0.06)
        again = _band(rng, length, low, high) * _decay(length, 0.08) * 0.7
        out[f"cough {number + 1}"] = np.concatenate((burst, np.zeros(RATE // 8), again))
    for number, length in enumerate((0.6, 1.0)):
        out[f"breath {number + 1}"] = _band(rng, length, 500, 5000) * np.hanning(round(length * RATE)) * 0.15
    out["keys"] = np.concatenate([_band(rng, 0.12, 1500, 7000) * _decay(0.12, 0.01) for _ in range(8)])
    out["knocks"] = np.concatenate([_band(rng, 0.3, 80, 500) * _decay(0.3, 0.03) for _ in range(3)])
    out["door"] = _band(rng, 0.5, 50, 900) * _decay(0.5, 0.1)
    out["fan"] = _band(rng, 2.0, 100, 1000) * 0.1
    return {name: np.asarray(sound, np.float32) for name, sound in out.items()}


def _band(rng: np.random.Generator, seconds: float, low: float, high: float) -> Wave:
    """Noise between two frequencies in Hz, with a peak of 0.5."""
    spectrum = np.fft.rfft(rng.standard_normal(round(seconds * RATE)))
    frequencies = np.fft.rfftfreq(round(seconds * RATE), 1 / RATE)
    spectrum[(frequencies < low) | (frequencies > high)] = 0
    noise = np.fft.irfft(spectrum, round(seconds * RATE))
    return np.asarray(0.5 * noise / np.abs(noise).max(), np.float64)


def _decay(seconds: float, by: float) -> Wave:
    """Falls to a third every ``by`` seconds."""
    return np.exp(-np.arange(round(seconds * RATE), dtype=np.float64) / (by * RATE))


class Studio:
    """Records items; keeps what was synthesised in ``folder``."""

    def __init__(self, synthesizer: Synthesizer, folder: Path) -> None:
        self._synthesizer = synthesizer
        self._folder = folder

    def record(self, item: Item) -> Recording:
        """What the microphone hears while ``item`` is said."""
        # Who stops in the middle of a sentence does not sound as at its end: it is spoken whole, and cut.
        together = (item.said,) if item.kind == "paused" else [(text,) for text in item.said]
        clips = [clip for texts in together for clip in self._clips(texts, item.language, item.voice)]
        pause = np.zeros(round(item.gap * RATE), np.float32)
        return in_room(np.concatenate([part for clip in clips for part in (pause, clip)][1:]))

    def _clips(self, texts: Sequence[str], language: str, voice_id: str) -> list[Samples]:
        """``texts`` spoken in one breath, one clip each."""
        name = hashlib.sha256(" | ".join((voice_id, language, *texts)).encode()).hexdigest()[:16]
        path = self._folder / f"{name}.npz"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            np.savez(path, *self._speak(texts, language, voice_id))
        with np.load(path, allow_pickle=False) as archive:
            return [np.asarray(archive[key], np.float32) for key in archive.files]

    def _speak(self, texts: Sequence[str], language: str, voice_id: str) -> list[Samples]:
        voice = next(v for v in self._synthesizer.voices() if v.id == voice_id)
        request = SpeechRequest((" " if language == "en" else "").join(texts), voice, language=language, eager=False)
        (chunk,) = self._synthesizer.synthesize(request)
        samples = resample(chunk.audio, RATE).samples
        cuts, letters = [0], 0
        for word in chunk.words:
            if letters and letters == _letters("".join(texts[: len(cuts)])):
                cuts.append(_quietest(samples, round(word.start * RATE)))
            letters += _letters(word.text)
        assert len(cuts) == len(texts), f"{texts}: the words are {[word.text for word in chunk.words]}"
        level = SPEECH / float(np.sqrt((trim(samples) ** 2).mean()))
        return [trim(samples[a:b]) * np.float32(level) for a, b in pairwise([*cuts, len(samples)])]


def _quietest(samples: Samples, before: int) -> int:
    """Where it is quietest shortly ``before`` a word: its own beginning lies a little earlier than the model says."""
    first = max(0, before - round(EARLY * RATE))
    power = np.convolve(samples[first:before] ** 2, np.full(RATE // 100, 1.0), mode="same")
    return first + int(np.argmin(power))


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def in_room(sound: Samples) -> Recording:
    """``sound`` at 16 kHz with the room's noise before, under and after it."""
    samples = np.pad(sound, (round(BEFORE * RATE), round(AFTER * RATE)))
    noise = np.random.default_rng(len(sound)).standard_normal(len(samples)) * ROOM
    return Recording(np.clip(samples + noise, -1, 1).astype(np.float32), BEFORE + len(sound) / RATE)


def trim(samples: Samples) -> Samples:
    """Without what is 40 dB below its loudest, before and after: so that its end is the end of the speech."""
    loud = np.flatnonzero(np.abs(samples) > np.abs(samples).max() / 100)
    return samples[loud[0] : loud[-1] + 1]
