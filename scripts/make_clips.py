"""Make the example clips in ``assets/clips`` with the program's own voices: ``python -m scripts.make_clips``.

The same models give the same clips. Sound and words are ours, under the project's licence (Apache-2.0).
"""

from __future__ import annotations

import json

import numpy as np
import soundfile as sf
import soxr

from webui.config import ROOT, Settings
from webui.engines.kokoro import KokoroSynthesizer
from webui.engines.protocols import SpeechRequest
from webui.engines.store import ModelStore
from webui.types import Style

RATE = 16_000
FOLDER = ROOT / "assets" / "clips"
# file name and the page's label after "clip_", language, voice, style, what is said
CLIPS = (
    ("en_question", "en", "am_michael", "neutral", "What is the capital of France?"),
    ("zh_question", "zh", "zf_xiaobei", "neutral", "请问中国的首都是哪里？"),
    ("en_sad", "en", "af_heart", "sad", "I failed my exam today."),
    ("zh_happy", "zh", "zm_yunjian", "happy", "太好了，我找到新工作了！"),
    ("en_request", "en", "bf_emma", "calm", "Please tell me a story about a cat."),
    ("zh_request", "zh", "zf_xiaoxiao", "neutral", "请给我推荐三个周末的活动。"),
)


def main() -> None:
    """Write one WAV a clip, and ``clips.json`` that names them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    kokoro = KokoroSynthesizer(ModelStore(ROOT / "models"), Settings())
    voices = {voice.id: voice for voice in kokoro.voices()}
    silence = np.zeros(RATE // 8, np.float32)
    rows = []
    for name, language, voice, style, text in CLIPS:
        chunks = list(kokoro.synthesize(SpeechRequest(text, voices[voice], Style(style), language=language)))
        sound = soxr.resample(np.concatenate([chunk.audio.samples for chunk in chunks]), chunks[0].audio.rate, RATE)
        file = FOLDER / f"{name}.wav"
        sf.write(file, np.concatenate([silence, sound, silence]).clip(-1, 1), RATE, subtype="PCM_16")
        rows.append({"file": file.name, "language": language, "text": text, "caption": name})
    (FOLDER / "clips.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
