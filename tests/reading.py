"""How texts are compared that were heard."""

from __future__ import annotations

import jiwer
from pypinyin import lazy_pinyin

MOST_ERRORS = 0.15


def says(heard: str, text: str) -> bool:
    """Whether ``heard`` is ``text`` but for 15 % of its syllables; of a short text, one may always be misheard."""
    right, got = _syllables(text), _syllables(heard)
    errors = jiwer.wer(right, got) * len(right.split())
    return errors <= max(1.0, MOST_ERRORS * len(right.split())) + 1e-6


def _syllables(text: str) -> str:
    """Words, and Chinese by sound without tones: which of two homophones was written is the recognizer's guess."""
    return " ".join(word.strip(".,!?。，！？ ").lower() for part in lazy_pinyin(text) for word in part.split())
