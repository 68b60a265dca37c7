"""How recognised words are written: simplified Chinese, full-width marks, and numbers as digits or as words."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from webui.types import Word

log = logging.getLogger(__name__)

# What the normaliser raises over signs that its grammar does not know.
_CANNOT = (RuntimeError, ValueError, LookupError, AssertionError)

# In what the normaliser is trusted: kinds of number that mean the same as digits wherever they stand. Not in
# ordinals ("wait a second") nor in English times, which the recognizer writes well itself.
_KINDS = {
    "zh": {"cardinal", "decimal", "fraction", "percent", "money", "measure", "date", "time"},
    "en": {"cardinal", "decimal", "fraction", "percent", "money", "measure", "date"},
    "ja": {"cardinal", "decimal", "fraction", "percent", "money", "measure", "date"},
}
_NUMERAL = re.compile("[零〇一二两三四五六七八九十百千万亿]+")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_HAN = "\u3400-\u9fff\uf900-\ufaff"
_MARKS = str.maketrans(",?!:;", "，？！：；")


def written(text: str, language: str, itn: bool = True) -> str:
    """``text`` as it should be read on the page.

    Chinese becomes simplified with full-width marks. ``itn`` (inverse text normalisation) turns number words into
    digits, without it digits become words: in zh, en and ja; other languages stay as the recognizer wrote them.
    """
    text = text.strip()
    if language == "zh":
        text = _full_width(_simplifier().convert(text))
    if not text or language not in _KINDS:
        return text
    return _numbers_to_digits(text, language) if itn else _digits_to_words(text, language)


def respell(words: Sequence[Word], text: str, language: str) -> tuple[Word, ...]:
    """``words`` with their times, spelled so that joined they are ``text``.

    A number that became one word takes the time of all the words it was said in.
    """
    glue = "" if language in ("zh", "ja", "yue", "th") else " "
    if language == "zh":
        words = _simplified(words)
    heard = glue.join(w.text for w in words)
    if heard == text or not words:
        return tuple(words)
    owner: list[int] = []  # which word each character of ``heard`` belongs to
    for i, word in enumerate(words):
        owner += [i] * (len(word.text) + len(glue))
    spelled: dict[int, str] = {}
    after: dict[int, int] = {}  # first word of a group -> its last
    for _, a, b, c, d in SequenceMatcher(None, heard, text, autojunk=False).get_opcodes():
        if b - a == d - c:  # the same, or one character for another: simplified for traditional
            for k in range(b - a):
                spelled[owner[a + k]] = spelled.get(owner[a + k], "") + text[c + k]
        else:
            first = owner[min(a, len(owner) - 1)] if b > a or a == 0 else owner[a - 1]
            spelled[first] = spelled.get(first, "") + text[c:d]
            if b > a:
                after[first] = max(after.get(first, first), owner[b - 1])
    out: list[Word] = []
    reach = -1
    for i, word in enumerate(words):
        piece = spelled.get(i, "")
        last = max(after.get(i, i), i)
        if i <= reach and out:  # part of the group before
            old = out[-1]
            out[-1] = Word(old.text + piece, old.start, max(old.end, word.end), min(old.confidence, word.confidence))
        elif piece.strip():
            out.append(Word(piece, word.start, word.end, word.confidence))
        reach = max(reach, last)
    return tuple(Word(w.text.strip(), w.start, w.end, w.confidence) for w in out if w.text.strip())


def _simplified(words: Sequence[Word]) -> list[Word]:
    """The words in simplified characters, each keeping its own time; converted together, as context decides."""
    rest = _simplifier().convert("".join(w.text for w in words))
    if len(rest) != sum(len(w.text) for w in words):
        return list(words)
    out = []
    for word in words:
        out.append(replace(word, text=rest[: len(word.text)]))
        rest = rest[len(word.text) :]
    return out


def _full_width(text: str) -> str:
    """Half-width marks between Chinese characters as Chinese writes them."""
    return re.sub(rf"(?<=[{_HAN}》”])([,?!:;])\s*", lambda m: m[1].translate(_MARKS), text)


def _numbers_to_digits(text: str, language: str) -> str:
    if language != "en" and not _NUMERAL.search(text):
        return text
    try:
        mappings = _normaliser(language, "itn").normalize_with_mapping(text).mappings
    except _CANNOT as error:
        log.info("numbers stay as they are: %s", error)
        return text
    out, at = [], 0
    for found in mappings:
        if found.token_type not in _KINDS[language]:
            continue
        before = text[found.input_start : found.input_end]
        after = found.output_text.strip()
        if language == "zh" and (found.token_type in ("date", "time") or not re.fullmatch(r"[\d.,/%:+-]+", after)):
            after = _digits_in_place(before, after)
        out += [text[at : found.input_start], after]
        at = found.input_end
    return "".join(out) + text[at:]


def _digits_in_place(before: str, after: str) -> str:
    """Only the numerals of ``before`` replaced by those of ``after``: 三月五号 stays a date in words, 3月5号."""
    numbers = _DIGITS.findall(after)
    numerals = _NUMERAL.findall(before)
    while len(numbers) > len(numerals) and numbers[-1] == "00":
        numbers.pop()
    if len(numbers) != len(numerals):
        return before
    spellings = iter(n if was[0] in "零〇" else n.lstrip("0") or "0" for n, was in zip(numbers, numerals, strict=True))
    return _NUMERAL.sub(lambda _: next(spellings), before)


def _digits_to_words(text: str, language: str) -> str:
    if not re.search(r"\d", text):
        return text
    try:
        return str(_normaliser(language, "tn").normalize(text))
    except _CANNOT as error:
        log.info("numbers stay as they are: %s", error)
        return text


@lru_cache(maxsize=1)
def _simplifier() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


@lru_cache(maxsize=8)
def _normaliser(language: str, operator: str) -> Any:
    from wetext import Normalizer

    return Normalizer(lang=language, operator=operator)
