"""``python -m models.timbres.make``: write ``kokoro.safetensors``, the voice print of each of Kokoro's presets.

Each print is the mean of those of an English and a Chinese reading. A print of a clip is compared with these to find
the presets that a blend begins with, which would otherwise take minutes. Takes about four minutes on two cores.
"""

from __future__ import annotations

import numpy as np
from safetensors.numpy import save_file

from webui.config import ROOT, Settings
from webui.engines.kokoro import KokoroSynthesizer
from webui.engines.speaker_encoder import SpeakerEncoder
from webui.engines.store import ModelStore
from webui.features.matching import SAYING, timbre


def main() -> None:
    """Write the file."""
    store = ModelStore(ROOT / "models")
    synthesizer, encoder = KokoroSynthesizer(store, Settings()), SpeakerEncoder(store)
    synthesizer.load()
    found = {}
    for voice in synthesizer.voices():
        both = np.sum([timbre(synthesizer, encoder, voice, text, code) for code, text in SAYING.items()], axis=0)
        found[voice.id] = (both / np.linalg.norm(both)).astype(np.float32)
        print(f"{len(found)} {voice.id}", flush=True)
    save_file(found, ROOT / "models" / "timbres" / "kokoro.safetensors")


if __name__ == "__main__":
    main()
