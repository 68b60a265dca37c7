"""A style as words, for synthesizers that are told in words how to speak."""

from __future__ import annotations

import re

from webui.errors import EngineError
from webui.types import STYLES, Style

# style -> in full, and faded (a strength below FULL_FROM)
_ENGLISH = {
    "happy": ("Speak happily", "Speak a little happily"),
    "sad": ("Speak sadly", "Speak a little sadly"),
    "angry": ("Speak angrily", "Speak a little angrily"),
    "calm": ("Speak calmly", "Speak rather calmly"),
    "excited": ("Speak excitedly", "Speak a little excitedly"),
    "whisper": ("Speak in a whisper", "Speak in a hushed voice"),
}
_CHINESE = {
    "happy": ("用开心的语气说", "用有点开心的语气说"),
    "sad": ("用伤心的语气说", "用有点伤心的语气说"),
    "angry": ("用生气的语气说", "用有点生气的语气说"),
    "calm": ("用平静的语气说", "用比较平静的语气说"),
    "excited": ("用激动的语气说", "用有点激动的语气说"),
    "whisper": ("用耳语的声音说", "用很轻的声音说"),
}
FULL_FROM = 0.5
# Marks by which a model knows where an instruction ends, or what comes next: from outside, they are not taken.
_MARKS = re.compile(r"<\|[^|<>]*\|>|</?endofprompt>")


def instruction(style: Style, language: str) -> str:
    """What to tell a synthesizer about ``style``, without a full stop at its end; empty where there is nothing to.

    In Chinese where the words to be spoken are in Chinese (``language`` zh or yue), else in English. The style's own
    free text follows. Raises ``EngineError`` for a style that is none.
    """
    chinese = language in ("zh", "yue")
    parts = []
    if style.name not in STYLES or not 0 <= style.strength <= 1:
        raise EngineError(
            "style_unknown",
            f"Choose a style among {', '.join(STYLES)}, with a strength from 0 to 1.",
            style=style.name[:40],
        )
    if style.name != "neutral" and style.strength > 0:
        parts.append((_CHINESE if chinese else _ENGLISH)[style.name][style.strength < FULL_FROM])
    if free := " ".join(_MARKS.sub(" ", style.instruction).split()):
        parts.append(free.rstrip(".。"))
    return ("。" if chinese else ". ").join(parts)
