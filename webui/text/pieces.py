"""A long text in pieces that a synthesizer says well in one go: whole sentences, none too long, none too short."""

from __future__ import annotations

import re
from collections.abc import Iterator

from webui.text import marks

LONGEST = 200  # of width: about a quarter of a minute of speech
SHORTEST = 12  # what is shorter sounds clipped, and joins its neighbour

# A sentence's end with the closing marks behind it: the Latin marks only before white space ("3.14" goes on).
_SENTENCE = re.compile(r"[。！？｡\n]+[\"'”’」』）)】》]*\s*|[.!?…]+[\"'”’」』）)】》]*(?:\s+|$)")
_CLAUSE = re.compile(r"[，；：、]\s*|[,;:—]\s+")
_SPACE = re.compile(r"\s+")
_WIDE = re.compile(r"[\U000f0000-\U000ffffd\u1100-\u11ff\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def width(text: str) -> int:
    """How long ``text`` takes to say, in Latin letters: a Chinese character is worth about three."""
    return len(text) + 2 * len(_WIDE.findall(text))


def pieces(text: str, first: int = LONGEST, longest: int = LONGEST) -> Iterator[str]:
    """``text`` in pieces of at most ``longest`` width; the first sentence in pieces of at most ``first``, each later
    one of twice as much as the one before, so that none takes longer to make than the one before takes to play.

    A sentence that is too long is cut at a pause, then at a space, then anywhere, but never within a reading (which
    has the width of a few letters here); a stretch of stress goes on in the next piece. What has no letter or digit
    in it joins the piece before, or is left out.
    """
    hidden, readings = marks.hide(text)
    return marks.closed(marks.restore(piece, readings) for piece in _pieces(hidden, first, longest))


def _pieces(text: str, first: int, longest: int) -> Iterator[str]:
    held = ""
    limit = first
    for part in _parts(text, first, longest):
        if width(held) >= SHORTEST and width(held) + width(part) > limit:
            yield held.strip()
            held, limit = "", min(2 * limit, longest)
        held += part
        if not _says(held):
            held = ""
    if held:
        yield held.strip()


def _parts(text: str, first: int, longest: int) -> Iterator[str]:
    for i, sentence in enumerate(_split(text, _SENTENCE)):
        limit = min(first << i, longest)
        if width(sentence) <= limit:
            yield sentence
            continue
        for clause in _split(sentence, _CLAUSE):
            yield from [clause] if width(clause) <= longest else _words(clause, longest)


def _words(clause: str, longest: int) -> Iterator[str]:
    held = ""
    for word in _split(clause, _SPACE):
        size = len(word) if width(word) <= longest else max(1, longest // 3)
        for start in range(0, len(word), size):
            part = word[start : start + size]
            if width(held) + width(part) > longest:
                yield held
                held = ""
            held += part
    yield held


def _split(text: str, mark: re.Pattern[str]) -> Iterator[str]:
    """``text`` cut behind each ``mark``."""
    start = 0
    for match in mark.finditer(text):
        yield text[start : match.end()]
        start = match.end()
    if start < len(text):
        yield text[start:]


def _says(text: str) -> bool:
    return any(sign.isalnum() or marks.is_hidden(sign) for sign in text)
