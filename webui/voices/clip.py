"""A clip of a voice: which part of a recording to keep, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from webui.audio.convert import require_sound, resample
from webui.audio.vad import FRAME, FRAME_SECONDS, RATE, Silero, Speech, VadOptions, find_speech
from webui.engines.speaker_encoder import Print, SpeakerEncoder, similarity
from webui.errors import AudioError
from webui.types import Audio, Samples

SHORTEST, LONGEST = 3.0, 15.0  # seconds of a good clip
ENOUGH = 10.0  # seconds of speech: more makes no better clip
USABLE = 1.5  # seconds of speech: with less nobody can be known
QUIET, FAINT = -38.0, -55.0  # dBFS of speech: with less it is soft, or lost
NOISY, DROWNED = 20.0, 10.0  # dB that speech should and must be louder than what lies between it
CLIPPED, BROKEN = 0.001, 0.02  # shares of samples at the very top of the wave
NARROW = 6000.0  # Hz: a telephone ends below, a microphone above
ONE_VOICE = 0.55
"""How alike the two halves of a clip must be. ``bench/speakers.py`` tells what that finds and what it takes wrong."""

_PHRASES = VadOptions(silence=0.4, pad=0.15, longest=LONGEST)
_PAUSE = 1.0  # seconds: longer ones are not kept inside a clip
_VOICED, _STILL = 0.5, 0.2  # chances of speech from and up to which a frame is taken for the one, or the other
_STILL_FRAMES = 10  # that tell what the room sounds like
_WINDOW, _STEP = 2.0, 1.0  # seconds that each voice print within a clip is taken from, and from one to the next
_WINDOWS = 4  # with fewer, a drawn-out vowel passes for another voice
_TOP = 0.98  # of the peak: where a wave is, that was cut off there
_SILENT = 1e-10  # power of what no microphone gives

Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True)
class Finding:
    """Something about a clip. ``key`` is a label's, ``values`` fill its blanks; what is ``bad`` cannot be used."""

    key: str
    level: Level
    values: Mapping[str, object] = field(default_factory=dict)


def best_stretch(audio: Audio) -> tuple[float, float]:
    """Start and end, in seconds, of the part to keep: 3 to 15 s of clear speech where there are, cut at pauses.

    Raises ``AudioError`` where nothing is heard, or nobody speaks.
    """
    phrases = find_speech(resample(require_sound(audio), RATE), _PHRASES)
    if not phrases:
        raise AudioError("clip_no_speech", "Nobody is heard to speak: record the voice closer to the microphone.")
    parts = [phrases[i : j + 1] for i in range(len(phrases)) for j in range(i, _last(phrases, i) + 1)]
    best = max(parts, key=_worth)
    return best[0].start, min(best[-1].end, audio.duration)


def _last(phrases: Sequence[Speech], first: int) -> int:
    """The last phrase that can be kept together with the ``first``."""
    last = first
    while last + 1 < len(phrases):
        after = phrases[last + 1]
        if after.start - phrases[last].end > _PAUSE or after.end - phrases[first].start > LONGEST:
            break
        last += 1
    return last


def _worth(phrases: Sequence[Speech]) -> float:
    """Seconds of speech, those that are surely speech and nothing besides; pauses make it worse."""
    speech = sum(phrase.audio.duration for phrase in phrases)
    sure = sum(phrase.audio.duration * phrase.confidence for phrase in phrases) / speech
    pauses = phrases[-1].end - phrases[0].start - speech
    return min(speech, ENOUGH) * sure**2 - 0.5 * pauses - 0.01 * speech


def check_clip(audio: Audio, kept: tuple[float, float], encoder: SpeakerEncoder) -> list[Finding]:
    """What there is to say of the part ``kept`` (seconds) of ``audio``; where all is well, that.

    Raises ``ModelError`` where ``encoder`` cannot be had.
    """
    clip = audio.cut(*kept)
    chances, powers = _frames(resample(audio, RATE).samples)
    inside = np.zeros(len(chances), bool)
    inside[round(kept[0] / FRAME_SECONDS) : round(kept[1] / FRAME_SECONDS)] = True
    voiced = inside & (chances >= _VOICED)
    found = [
        *_length(float(np.count_nonzero(voiced)) * FRAME_SECONDS, audio.duration - clip.duration),
        *_level(powers, voiced, chances < _STILL),
        *_wave(clip),
    ]
    if not one_voice(clip, encoder):
        found.append(Finding("clip_voices", "bad"))
    if all(finding.level == "ok" for finding in found):
        found.insert(0, Finding("clip_good", "ok"))
    return found


def _length(speech: float, dropped: float) -> list[Finding]:
    values = {"seconds": round(speech, 1), "shortest": f"{SHORTEST:g}", "longest": f"{LONGEST:g}"}
    found = []
    if speech < SHORTEST:
        found.append(Finding("clip_short", "bad" if speech < USABLE else "warn", values))
    if dropped > LONGEST:
        found.append(Finding("clip_long", "ok", values))
    return found


def _level(
    powers: npt.NDArray[np.float32], voiced: npt.NDArray[np.bool_], still: npt.NDArray[np.bool_]
) -> list[Finding]:
    """Loud enough, and above its noise. ``powers`` are of frames, ``voiced`` and ``still`` say which is which."""
    if not voiced.any():
        return [Finding("clip_quiet", "bad")]
    speech = float(powers[voiced].mean())
    # Where nobody pauses, the room is heard in the gaps between sounds.
    noise = float(np.median(powers[still])) if still.sum() >= _STILL_FRAMES else float(np.percentile(powers, 5))
    found = []
    if (loud := 10 * np.log10(max(speech, _SILENT))) < QUIET:
        found.append(Finding("clip_quiet", "bad" if loud < FAINT else "warn"))
    above = 10 * np.log10(max(speech - noise, _SILENT) / max(noise, _SILENT))
    if above < NOISY:
        values = {"decibels": max(0, round(float(above)))}
        found.append(Finding("clip_noisy", "bad" if above < DROWNED else "warn", values))
    return found


def _wave(clip: Audio) -> list[Finding]:
    """Not cut off at its top, and not without its upper half."""
    found = []
    heights = np.abs(clip.samples)
    at_top = float(np.mean(heights > _TOP * heights.max()))
    if at_top > CLIPPED:
        found.append(Finding("clip_clipped", "bad" if at_top > BROKEN else "warn"))
    if (reach := _reach(clip)) < NARROW:
        found.append(Finding("clip_narrow", "warn", {"kilohertz": round(reach / 1000, 1)}))
    return found


def _reach(clip: Audio) -> float:
    """Up to which frequency, in Hz, the sound goes: where it falls 60 dB below its loudest."""
    size = clip.rate // 20
    frames = clip.samples[: len(clip.samples) // size * size].reshape(-1, size) * np.hanning(size)
    power = (np.abs(np.fft.rfft(frames, axis=1)) ** 2).mean(axis=0)
    loud = np.flatnonzero(power > 1e-6 * power.max())
    return float(loud[-1] * clip.rate / size)


def one_voice(clip: Audio, encoder: SpeakerEncoder) -> bool:
    """Whether it sounds as if one person spoke; what is too short to tell does."""
    return halves(clip, encoder) >= ONE_VOICE


def halves(clip: Audio, encoder: SpeakerEncoder) -> float:
    """How alike the two most unlike halves of a clip are, -1 to 1: its windows, put into two groups by voice.

    1 for what is too short to tell.
    """
    samples = resample(clip, RATE).samples
    count = int((len(samples) / RATE - _WINDOW) / _STEP) + 1
    if count < _WINDOWS:
        return 1.0
    starts = np.arange(count) * round(_STEP * RATE)
    prints = np.stack([encoder.embed(Audio(samples[at : at + round(_WINDOW * RATE)], RATE)) for at in starts])
    alike = prints @ prints.T
    centres = prints[list(np.unravel_index(int(alike.argmin()), alike.shape))]
    for _ in range(count):
        groups = (prints @ centres.T).argmax(axis=1)
        if groups.min() == groups.max():
            return 1.0
        moved = np.stack([_centre(prints[groups == group]) for group in (0, 1)])
        if np.allclose(moved, centres):
            break
        centres = moved
    return similarity(centres[0], centres[1])


def _centre(prints: npt.NDArray[np.float32]) -> Print:
    middle: Print = prints.mean(axis=0)
    middle /= np.linalg.norm(middle)
    return middle


def _frames(samples: Samples) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """How likely each frame of 32 ms is speech, and its power."""
    frames = np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, FRAME)
    return Silero().probabilities(frames), (frames**2).mean(axis=1)
