"""Speech to listen to: said by the embedded synthesizer, so that no test needs a recording of anybody."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from webui.audio.convert import resample
from webui.config import ROOT, Settings
from webui.engines.kokoro import KokoroSynthesizer
from webui.engines.protocols import SpeechRequest, Synthesizer
from webui.engines.store import ModelStore
from webui.types import Audio, Samples, Voice

RATE = 16_000
EN = "The train to London leaves from platform nine in twenty minutes."
ZH = "昨天我和朋友一起去公园散步。"


@lru_cache(maxsize=1)
def _synthesizer() -> KokoroSynthesizer:
    return KokoroSynthesizer(ModelStore(ROOT / "models"), Settings())


def a_voice(synthesizer: Synthesizer, name: str) -> Voice:
    """The voice of that id; the first one there is where only the small set of voices could be had."""
    synthesizer.load()
    voices = synthesizer.voices()
    return next((v for v in voices if v.id == name), voices[0])


@lru_cache(maxsize=8)
def say(text: str, language: str) -> Samples:
    """``text`` spoken, at 16 kHz."""
    voice = a_voice(_synthesizer(), {"en": "af_heart", "zh": "zf_xiaobei"}[language])
    pieces = list(_synthesizer().synthesize(SpeechRequest(text, voice, language=language)))
    joined = np.concatenate([p.audio.samples for p in pieces])
    return resample(Audio(joined, pieces[0].audio.rate), RATE).samples


def silence(seconds: float) -> Samples:
    """A microphone in a quiet room: noise at -70 dBFS."""
    noise = np.random.default_rng(7).standard_normal(round(seconds * RATE))
    return (noise * 10 ** (-70 / 20)).astype(np.float32)


def join(*parts: Samples) -> Audio:
    """Parts one after the other."""
    return Audio(np.concatenate(parts), RATE)
