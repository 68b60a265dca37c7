"""``python -m models.timbres.make``: write ``kokoro.safetensors``, how each of Kokoro's presets sounds.

Of each: the 192 numbers of its voice print, and its pitch in semitones, both of an English and a Chinese reading. A
clip is compared with these to find the presets that a blend begins with, which would otherwise take minutes. Takes
about four minutes on two cores.
"""

from __future__ import annotations

import numpy as np
from safetensors.numpy import save_file

from webui.config import ROOT, Settings
from webui.engines.kokoro import KokoroSynthesizer
from webui.engines.speaker_encoder import SpeakerEncoder
from webui.engines.store import ModelStore
from webui.features.matching import SAYING, pitch, say


def main() -> None:
    """Write the file."""
    store = ModelStore(ROOT / "models")
    synthesizer, encoder = KokoroSynthesizer(store, Settings()), SpeakerEncoder(store)
    synthesizer.load()
    found = {}
    for voice in synthesizer.voices():
        readings = [say(synthesizer, voice, text, language) for language, text in SAYING.items()]
        both = np.sum([encoder.embed(reading) for reading in readings], axis=0)
        height = np.mean([pitch(reading) for reading in readings])
        found[voice.id] = np.append(both / np.linalg.norm(both), height).astype(np.float32)
        print(f"{len(found)} {voice.id}", flush=True)
    save_file(found, ROOT / "models" / "timbres" / "kokoro.safetensors")


if __name__ == "__main__":
    main()
