"""Questions to ask aloud: said by our Kokoro, as turn detectors are made for natural voices, and kept in .cache/bench.

A question begins and ends with its voice, and that is where the clocks of the bench start: the voice is what lies
between the first and the last hundredth of a second that is less than ``VOICE_DB`` below the loudest one. Around and
under it lies a floor of noise at ``FLOOR_DB``, as no microphone is without one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from webui.audio.convert import resample, to_wav_bytes
from webui.audio.decode import decode
from webui.config import ROOT, Settings
from webui.engines.protocols import SpeechRequest
from webui.engines.registry import Engines
from webui.engines.store import ModelStore
from webui.features.chat import pick_voice
from webui.types import Audio, Samples

CACHE = ROOT / ".cache" / "bench" / "questions"
RATE = 16_000
VOICE_DB = -40.0
FLOOR_DB = -72.0  # dBFS, root mean square
SPOKEN = {
    "capital": ("Could you please tell me what the capital of France is?", "am_michael"),
    "river": ("Wait, which river runs through the middle of it?", "af_bella"),
}
"""Name to words and the voice that says them."""


def question(name: str) -> Audio:
    """The question of that name, a key of ``SPOKEN``, at 16 kHz; made with Kokoro where it is not kept yet."""
    path = CACHE / f"{name}.wav"
    if not path.exists():
        make(path, *SPOKEN[name])
    return decode(path, RATE)


def make(path: Path, text: str, voice: str) -> None:
    """Say ``text`` and keep it as a file."""
    settings = Settings(profile="embedded")
    engines = Engines(settings, ModelStore(settings.models_dir))
    try:
        request = SpeechRequest(text, pick_voice(engines.synthesizer, voice, "en"))
        chunks = [chunk.audio for chunk in engines.synthesizer.synthesize(request)]
    finally:
        engines.close()
    said = resample(Audio(np.concatenate([audio.samples for audio in chunks]), chunks[0].rate), RATE)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_wav_bytes(trimmed(said)))


def trimmed(audio: Audio) -> Audio:
    """``audio`` from where its voice begins to where it ends."""
    step = audio.rate // 100
    count = len(audio.samples) // step
    power = (audio.samples[: count * step].reshape(count, step) ** 2).mean(axis=1)
    voiced = np.flatnonzero(power > power.max() * 10 ** (VOICE_DB / 10))
    return Audio(audio.samples[voiced[0] * step : (voiced[-1] + 1) * step].copy(), audio.rate)


def floor(count: int, seed: int = 0) -> Samples:
    """So many samples of what a microphone hears in a silent room; the same for the same ``seed``."""
    noise = np.random.default_rng(seed).normal(0, 10 ** (FLOOR_DB / 20), count)
    return noise.astype(np.float32)
