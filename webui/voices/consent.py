"""Consent: who is cloned reads a sentence aloud that nobody can have recorded before; who read, and what, is judged."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from functools import cache
from typing import Any

from webui.config import ROOT

SIMILAR = 0.55  # from which similarity on two recordings are taken for one voice; ``bench/speakers.py`` measures it
WRONG = 0.25  # share of the sentence that may be misheard: recognizers err, too, and another sentence has far more


@dataclass(frozen=True)
class Verdict:
    """Whether a reading counts as consent; where it does not, ``key`` is the label of the reason."""

    ok: bool
    key: str = ""


def fresh_sentence(language: str) -> tuple[str, str]:
    """One sentence of a million, and its language: ``language`` (a code), or English where there are no words of it."""
    lists = _lists()
    language = language if language in lists else "en"
    words = {name: secrets.choice(choice) for name, choice in lists[language]["words"].items()}
    return lists[language]["shape"].format(**words), language


def judge(wrong: float, similarity: float) -> Verdict:
    """By the share of the sentence that was not heard (0 to 1), and the similarity of reader and clip (-1 to 1)."""
    if wrong > WRONG:
        return Verdict(False, "consent_words")
    if similarity < SIMILAR:
        return Verdict(False, "consent_voice")
    return Verdict(True)


@cache
def _lists() -> Any:
    return json.loads((ROOT / "assets" / "consent.json").read_text("utf-8"))
