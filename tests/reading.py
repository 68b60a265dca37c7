"""How texts are compared that were heard."""

from __future__ import annotations

from pypinyin import lazy_pinyin


def syllables(text: str) -> str:
    """Words, and Chinese by sound without tones: which of two homophones was written is the recognizer's guess."""
    return " ".join(word.strip(".,!?。，！？ ").lower() for part in lazy_pinyin(text) for word in part.split())
