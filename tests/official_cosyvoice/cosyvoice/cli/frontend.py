"""The front end's names and signatures, as far as they are used."""

from pathlib import Path
from types import SimpleNamespace

import torch


def load_wav(wav, target_sr, min_sr=16000):
    raise ImportError("the reader of torchaudio is not there")


class CosyVoiceFrontEnd:
    def __init__(self, spk2info, kind):
        self.spk2info = torch.load(spk2info) if Path(spk2info).exists() else {}
        self.tokenizer = SimpleNamespace()
        if kind != "CosyVoice":
            sounds = ["[breath]", "[laughter]", "<laughter>", "</laughter>", "<strong>", "</strong>"]
            phones = "[j] [ǐ] [ch] [óng] [q] [ìng] [R] [EH1] [D]".split() if kind == "CosyVoice3" else []
            self.tokenizer.special_tokens = {"additional_special_tokens": ["<|endofprompt|>", *sounds, *phones]}

    def seconds(self, path):
        """How long the prompt is, read as the library reads it; it has to be a file."""
        assert isinstance(path, str)
        return round(load_wav(path, 24000).shape[1] / 24000, 2)

    def text_normalize(self, text, split=True, text_frontend=True):
        text = text.replace("3", "three")
        return [text] if split else text

    def _extract_text_token(self, text):
        return text, len(text)

    def frontend_instruct(self, tts_text, spk_id, instruct_text):
        return {"text": tts_text, "prompt_text": instruct_text}
