"""How far what was heard is from what should have been said.

Both sides are written alike first: case, punctuation, accents, digits (``bench.understand.units``), addresses in
words. What counts is words in English, and in Chinese syllables without their tones, so that the recognizer may take
another character of the same sound.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from bench.understand import units
from webui.text.written import written

_DOT = re.compile(r"(?<=[A-Za-z0-9]{2})\.(?=[A-Za-z]{2})")  # of an address or a file's name
_DOT_AND_AT = {"en": (" dot ", " at "), "zh": ("点", "艾特")}
_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_MINUS = re.compile(r"(?<![\dA-Za-z])[-−](?=\d)")
_MINUS_SAID = {"en": "minus ", "zh": "负"}
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b")
_PART = re.compile(r"[a-z]+|\d|\w")
_DIGIT = re.compile(r"\d")
_SAME_NUMBER = str.maketrans("幺两", "一二")  # two ways to say a digit
_TITLES = {  # the recognizer writes either
    "dr": "doctor", "mr": "mister", "mrs": "missus", "jr": "junior", "prof": "professor", "vs": "versus",
}  # fmt: skip
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class Score:
    """``wrong`` words or syllables in all, of them ``missing``, against ``length`` in the reading."""

    wrong: int
    missing: int
    length: int

    @property
    def dropped(self) -> bool:
        """Whether more than half of the sentence was not heard at all."""
        return self.missing * 2 > self.length


def rate(scores: Iterable[Score]) -> float | None:
    """Errors over all of them together, per word or syllable; None of none."""
    every = list(scores)
    length = sum(score.length for score in every)
    return round(sum(score.wrong for score in every) / length, 4) if length else None


def score(readings: Sequence[str], heard: str, language: str) -> Score:
    """``heard`` against that of the ``readings`` to which it is nearest."""
    return min((_score(reading, heard, language) for reading in readings), key=lambda found: found.wrong)


def uttered(words: Sequence[str], heard: str, language: str) -> bool:
    """Whether any of ``words``, which belong to a mark, was said aloud."""
    if language == "zh":
        return any(word in heard.lower() for word in words)
    return not set(words).isdisjoint(_in_words(heard, language))


def _score(reading: str, heard: str, language: str) -> Score:
    in_words = _compare(_in_words(reading, language), _in_words(heard, language), language)
    one, other = _in_digits(reading, language), _in_digits(heard, language)
    # The same digits can be read in several ways, between which their writing in words does not choose as the voice did
    if "".join(_DIGIT.findall(" ".join(one))) == "".join(_DIGIT.findall(" ".join(other))):
        in_digits = _compare(one, other, language)
        if in_digits.wrong < in_words.wrong:
            return Score(in_digits.wrong, min(in_digits.missing, in_words.missing), in_words.length)
    return in_words


def _in_words(text: str, language: str) -> list[str]:
    return units(_addresses(text, language), language)


def _in_digits(text: str, language: str) -> list[str]:
    text = unicodedata.normalize("NFKC", written(_addresses(text, language), language)).lower()
    if language == "zh":
        text = _POINT.sub("点", text)  # 七点四十五 is heard as 7.45 and as 7:45
    text = _ORDINAL.sub("", _MINUS.sub(_MINUS_SAID[language], text))
    text = re.sub(r"(?<=[a-z])['’.](?=\W|$|[a-z])", "", text)
    text = re.sub(r"[\W_]+", " ", text).strip()
    return _PART.findall(text) if language == "zh" else text.split()


def _addresses(text: str, language: str) -> str:
    dot, at = _DOT_AND_AT[language]
    if language == "en":
        text = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return _DOT.sub(dot, text).replace("@", at)


def _compare(reference: list[str], heard: list[str], language: str) -> Score:
    import jiwer

    if not reference or not heard:
        return Score(len(reference) or len(heard), len(reference), len(reference))
    reference, heard = ([_TITLES.get(word, word) for word in words] for words in (reference, heard))
    heard = _divided_alike(reference, heard)
    if language == "zh":
        reference, heard = _sounds(reference), _sounds(heard)
    found = jiwer.process_words(" ".join(reference), " ".join(heard))
    return Score(found.substitutions + found.deletions + found.insertions, found.deletions, len(reference))


def _divided_alike(reference: list[str], heard: list[str]) -> list[str]:
    """``heard`` with its letters divided into words as in ``reference`` where they are the same letters."""
    out: list[str] = []
    for _, a, b, c, d in SequenceMatcher(None, reference, heard, autojunk=False).get_opcodes():
        same = "".join(reference[a:b]) == "".join(heard[c:d])
        out += reference[a:b] if same else heard[c:d]
    return out


def _sounds(characters: list[str]) -> list[str]:
    """Syllables without tones; what is no Chinese character stays as it is."""
    from pypinyin import lazy_pinyin

    han = [character.translate(_SAME_NUMBER) for character in characters if _HAN.fullmatch(character)]
    spoken = iter(lazy_pinyin("".join(han), errors=list))  # type: ignore[arg-type]  # takes lists, too
    return [next(spoken) if _HAN.fullmatch(character) else character for character in characters]
