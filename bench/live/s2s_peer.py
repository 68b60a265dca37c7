"""speech-to-speech's own program, started where there is neither a model hub nor a download: run by its environment.

Silero's voice detector comes from its wheel in place of GitHub, and sentences are told apart by a regular expression
in place of NLTK's data. All else is the program as it is installed; the arguments are its own.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nltk  # type: ignore[import-not-found]
import torch


def silero(*_: object, **__: object) -> tuple[Any, None]:
    """What ``torch.hub.load`` gives for ``snakers4/silero-vad``, as far as it is used."""
    spec = find_spec("silero_vad")
    assert spec is not None
    assert spec.origin is not None
    model = torch.jit.load(str(Path(spec.origin).parent / "data" / "silero_vad.jit"))
    model.eval()
    return model, None


def sentences(text: str, language: str = "english") -> list[str]:
    """What ``nltk.sent_tokenize`` gives for plain prose."""
    return [sentence for sentence in re.split(r"(?<=[.?!])\s+", text.strip()) if sentence]


if __name__ == "__main__":
    torch.hub.load = silero
    nltk.sent_tokenize = sentences
    nltk.data.find = lambda *_: None  # it is asked for data that only its own tokenizer needs
    from speech_to_speech.cli import main  # type: ignore[import-not-found]

    main()
