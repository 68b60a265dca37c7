"""How the scripted server speaks: with espeak-ng where it is installed, else in tones as long as the words are."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np

from webui.audio.convert import resample
from webui.audio.decode import decode
from webui.types import Audio, Samples

RATE = 24_000
ESPEAK = shutil.which("espeak-ng")
NAME = "espeak-ng" if ESPEAK else "tones (espeak-ng is not installed)"
_SECONDS_A_LETTER, _SECONDS_A_WORD = 0.05, 0.1
_PITCH = 160.0  # Hz


def say(text: str) -> Audio:
    """``text`` aloud, at 24 kHz; nothing to say is empty."""
    if not text.strip():
        return Audio(np.zeros(0, np.float32), RATE)
    if ESPEAK is None:
        return tones(text)
    command = [ESPEAK, "-v", "en", "-s", "150", "--stdout", "--", text]
    return resample(decode(subprocess.run(command, check=True, capture_output=True).stdout, RATE), RATE)


def tones(text: str) -> Audio:
    """A hum for each word, longer for longer words, and a pause behind it; ten words take 3.5 s or so."""
    return Audio(np.concatenate([np.zeros(0, np.float32), *map(_hum, text.split())]), RATE)


def _hum(word: str) -> Samples:
    times = np.arange(round(_SECONDS_A_LETTER * len(word) * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * _PITCH * n * times) / n for n in range(1, 6))
    swell = np.sin(np.pi * times / times[-1])
    pause = np.zeros(round(_SECONDS_A_WORD * RATE), np.float32)
    return np.concatenate([(0.2 * swell * wave).astype(np.float32), pause])
