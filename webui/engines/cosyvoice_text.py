"""What CosyVoice is given to read: sentences of a good length, its own inline tokens and nobody else's tags."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from unicodedata import normalize

from webui.errors import EngineError
from webui.text.marks import Reading
from webui.text.phones import is_syllable, toned
from webui.text.spoken import plain

MARK = "<|endofprompt|>"
PREAMBLE = "You are a helpful assistant."  # what every prompt of CosyVoice 3 begins with
# CosyVoice 1 lists its inline tokens nowhere; later tokenizers know theirs.
V1_TOKENS = ("[laughter]", "[breath]", "<laughter>", "</laughter>", "<strong>", "</strong>")

# A sentence that is much shorter than its prompt is said badly, a very long one loses words.
# In Chinese characters; a letter of an alphabet weighs a third of one.
ALONE, ENOUGH, MOST = 2.0, 24.0, 90.0
_WEIGHTS = re.compile(r"[\U000f0000-\U000ffffd\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af]")
_TITLE = r"(?<!\b[A-Z])(?<!\b[A-Z][a-z])(?<!\b[A-Z][a-z]{2})"  # Mr. Dr. Mrs. J. go on
_ENDS = re.compile(rf"[。！？｡!?…\n]+[\"'”’」』）)]*|{_TITLE}\.+[\"'”’)]*(?=\s)")
_PAUSES = re.compile(r"[，、；：,;:—]")
_WORD = re.compile(r"[\w\U000f0000-\U000ffffd]")  # a letter, or a reading that is hidden (``marks.hide``)

_BEFORE_SIGN = re.compile(r" (?=[、。！？!?…])")
_KANA_SIGNS = str.maketrans({"’": "", "'": ""})


def clean(text: str, tokens: tuple[str, ...]) -> str:
    """``text`` without tags, markdown and emoji, but with the inline ``tokens`` that the model knows."""
    if not tokens:
        return plain(text)
    known = re.compile("(" + "|".join(map(re.escape, sorted(tokens, key=len, reverse=True))) + ")")
    parts = known.split(text)
    for i in range(0, len(parts), 2):
        part = plain(parts[i])
        before = " " if i and parts[i][:1] == " " and part else ""
        behind = " " if i < len(parts) - 1 and parts[i][-1:] == " " and part else ""
        parts[i] = before + part + behind
    return "".join(parts).strip()


def bracketed(reading: Reading) -> str:
    """A reading in CosyVoice 3's brackets: ``qing4`` is ``[q][ìng]``, ``R EH1 D`` is ``[R][EH1][D]``."""
    sounds = (part for said in reading.said for part in (toned(said) if is_syllable(said) else (said,)) if part)
    return "".join(f"[{sound}]" for sound in sounds)


def unsaid(reading: Reading) -> EngineError:
    """What is raised for a reading that an engine cannot say."""
    return EngineError(
        "readings_unknown",
        f"It cannot say {reading.shown} as it is written behind it: take that out, or choose another engine.",
        word=reading.shown,
    )


def between_tokens(text: str, tokens: tuple[str, ...], change: Callable[[str], str]) -> str:
    """``text`` with ``change`` done to what stands between its inline ``tokens``."""
    if not tokens:
        return change(text)
    known = re.compile("(" + "|".join(map(re.escape, sorted(tokens, key=len, reverse=True))) + ")")
    parts = known.split(text)
    return "".join(part if i % 2 or not _WORD.search(part) else change(part) for i, part in enumerate(parts))


def sentences(text: str, eager: bool) -> Iterator[str]:
    """``text`` in pieces to be spoken one by one: short sentences together, long ones apart at their pauses.

    With ``eager`` the first sentence stands alone, so that it can be heard soon. What has no word in it is left out.
    """
    held = ""
    first = eager
    for sentence in _cut(_ENDS, text):
        for piece in _bounded(sentence):
            if held and _weight(held) + _weight(piece) > MOST:
                yield held.strip()
                held = ""
            held += piece
        if _WORD.search(held) and _weight(held) >= (ALONE if first else ENOUGH):
            yield held.strip()
            held, first = "", False
    if _WORD.search(held):
        yield held.strip()


def katakana(text: str) -> str:
    """Japanese as CosyVoice 3 reads it: katakana, spaced words. Raises ``EngineError`` without a dictionary."""
    try:
        import pyopenjtalk
    except ImportError as error:
        raise EngineError(
            "japanese_missing",
            "CosyVoice 3 reads Japanese with pyopenjtalk-plus: install it where CosyVoice is installed.",
        ) from error
    words = []
    for word in pyopenjtalk.run_frontend(text):
        written = normalize("NFKC", word["string"])
        as_it_is = word["pos"] == "記号" or written.isascii()
        words.append(written if as_it_is else word["pron"].translate(_KANA_SIGNS) or written)
    return _BEFORE_SIGN.sub("", " ".join(words))


def _cut(where: re.Pattern[str], text: str) -> list[str]:
    ends = [match.end() for match in where.finditer(text)]
    return [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True) if text[a:b]]


def _bounded(sentence: str) -> Iterator[str]:
    """A sentence in pieces that are not too long, cut at pauses, else at spaces, else anywhere."""
    if _weight(sentence) <= MOST:
        yield sentence
        return
    held = ""
    for clause in _cut(_PAUSES, sentence):
        while _weight(clause) > MOST:
            end = next(i for i in range(len(clause), 0, -1) if _weight(clause[:i]) <= MOST)
            space = clause.rfind(" ", 1, end)
            end = space + 1 if space > 0 else end
            if held:
                yield held
                held = ""
            yield clause[:end]
            clause = clause[end:]
        if held and _weight(held) + _weight(clause) > MOST:
            yield held
            held = ""
        held += clause
    if held:
        yield held


def _weight(text: str) -> float:
    wide = len(_WEIGHTS.findall(text))
    return wide + (len(text) - wide) / 3
