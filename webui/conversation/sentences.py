"""Cutting a text into speakable pieces while it is still being written."""

from __future__ import annotations

import re

CLOSERS = "\"'”’」』）)]】》"
# Ends a sentence wherever it stands, as a line's end does.
HARD = "。！？｡"
# Ends one only before white space, or a CJK sign: "3.14", "e.g." and "a.m." go on.
SOFT = ".!?…"
PAUSES = ",;:，；：、—"
ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof sr jr st vs etc e.g i.e no fig approx inc ltd co dept est jan feb mar apr jun jul aug sep "
    "sept oct nov dec u.s u.k a.m p.m".split()
)

# A first piece this long is worth saying on its own: long enough to sound like a clause, short enough to come soon.
FIRST_CLAUSE_WORDS = 2
FIRST_CLAUSE_CJK = 3
# Nobody speaks longer without a breath; a text without punctuation is cut here, at a space where there is one.
LONGEST = 280

_CJK = re.compile(r"[぀-ヿ㐀-鿿豈-﫿]")


class SentenceSplitter:
    """Feed it text as it comes; it gives back whole sentences, white space trimmed.

    The first piece may be a clause, so that speech can start before the first sentence is complete.
    """

    def __init__(self) -> None:
        self._text = ""
        self._clause = True  # the next piece is the first

    def feed(self, text: str) -> list[str]:
        """Add ``text`` and take what is complete by now."""
        self._text += text
        return self._take(final=False)

    def flush(self) -> list[str]:
        """Nothing more will come: take the rest."""
        rest = self._take(final=True)
        if tail := self._text.strip():
            rest.append(tail)
        self._text = ""
        return rest

    def _take(self, final: bool) -> list[str]:
        out = []
        while (end := self._end(final)) is not None:
            piece, self._text = self._text[:end].strip(), self._text[end:]
            if piece:
                out.append(piece)
                self._clause = False
        return out

    def _end(self, final: bool) -> int | None:
        """Where the first complete piece ends, or None."""
        text = self._text
        for i, sign in enumerate(text):
            if sign == "\n":
                return i + 1
            if sign in HARD or sign in SOFT:
                end = i + 1
                while end < len(text) and text[end] in CLOSERS + SOFT + "。！？":
                    end += 1
                if end == len(text) and not final:
                    return None  # a closing quote, or another "!", may still come
                if sign in HARD or _is_end(text, i, end):
                    return end
            elif sign in PAUSES and self._clause and i + 1 < len(text) and _is_clause(text[:i], text[i : i + 2]):
                return i + 1
            elif i >= LONGEST:
                space = text.rfind(" ", 1, i)
                return space + 1 if space > 0 else i
        return None


def _is_end(text: str, i: int, end: int) -> bool:
    """Whether the mark at ``i`` (``. ! ? …``), with its closers up to ``end``, ends a sentence."""
    if end < len(text) and not (text[end].isspace() or _CJK.match(text[end])):
        return False
    if text[i] != "." or end > i + 1:
        return True
    word = re.search(r"[\w.]*$", text[:i])
    before = word.group().lower() if word else ""
    if before in ABBREVIATIONS or (len(before) == 1 and before.isalpha() and before != "i"):
        return False
    # "1. Do this": a list's number belongs to what follows.
    return not (before.isdigit() and text[: i - len(before)].strip() == "")


def _is_clause(before: str, pause: str) -> bool:
    """Whether the text before a pause mark is worth saying on its own."""
    if pause[0] in ",:" and not pause[1].isspace():
        return False  # 1,000 and 12:30
    return len(before.split()) >= FIRST_CLAUSE_WORDS or len(_CJK.findall(before)) >= FIRST_CLAUSE_CJK
