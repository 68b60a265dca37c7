"""English phonemes by hibari's G2P, and which written word each belongs to."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from importlib import import_module
from threading import Lock
from typing import Any
from unicodedata import combining, normalize

from webui.engines.g2p import Said
from webui.text.spoken import Piece

_TOKEN = re.compile(r"\S+\s*|\s+")
# hibari's time grows with the cube of the signs in a word: a longer word, or one with more signs, is cut.
_WORD = re.compile(r"(?=(?:[^\W_]*(?:[^\w\s]|_)){10})\S{1,8}|\S{1,60}")

# Names that hibari's dictionary has wrong.
_NAMES = {"Los": "lˈɔs", "Sean": "ʃˈɔn", "Siobhan": "ʃəvˈɔn", "Mozart": "mˈOtsɑɹt"}
_SIGNS = ".,;:!?"
_ACCENTED = re.compile(r"[A-Za-z]*[\u00c0-\u024f][A-Za-z\u00c0-\u024f]*")
_NARROW = str.maketrans("。，！？：；、", ".,!?:;,")  # an English word can end a Chinese sentence


class English:
    """Reads numbers, dates, money, units, abbreviations and homographs in their context."""

    def __init__(self, british: bool = False) -> None:
        from hibari.g2p import G2P

        rules: Any = import_module("hibari.g2p.normalize")  # the package has a function of this name
        # they take an empty numeral, so that James Lewis is James the zeroth Lewis: ``spoken`` reads Roman numerals
        rules.RE_ROMAN_C = rules.RE_ROMAN_O = re.compile(r"(?!)")
        self._g2p = G2P(british=british)
        self._g2p.lexicon.golds.d.update(_NAMES)
        self._normalize = rules.normalize
        self._lock = Lock()  # the net for unknown words loads lazily

    def __call__(self, pieces: list[Piece]) -> list[Said]:
        """One ``Said`` for each written word, with the space behind it."""
        units, words, owners = _units(pieces)
        if not words:
            return [Said(unit, "") for unit in units]
        words = [_ACCENTED.sub(self._bare, word) for word in words]
        with self._lock:
            normal = self._normalize(" ".join(words))
            tokens = self._g2p.phonemize_tokens(self._g2p.tokenize(normal))
        unit_of = _align(words, normal.split(), owners)
        phonemes = [""] * len(units)
        at = 0
        for token in tokens:
            phonemes[unit_of[min(at, len(unit_of) - 1)]] += token.phonemes or ""
            if token.whitespace:
                phonemes[unit_of[min(at, len(unit_of) - 1)]] += " "
                at += 1
        if words == ["A"]:
            phonemes = [phoneme.replace("ɐ", "ˈA") for phoneme in phonemes]
        return [Said(unit, _letter(unit, phoneme)) for unit, phoneme in zip(units, phonemes, strict=True)]

    def _bare(self, word: re.Match[str]) -> str:
        """A word that hibari's dictionary does not have, without its accents but é, whose sound its net knows."""
        lexicon = self._g2p.lexicon
        if word[0] in lexicon.golds or word[0] in lexicon.silvers:
            return word[0]
        bare = ("".join(part for part in normalize("NFD", sign) if not combining(part)) for sign in word[0])
        return "".join(sign if sign == "é" else plain for sign, plain in zip(word[0], bare, strict=True))


def _letter(unit: str, phonemes: str) -> str:
    """A capital A with a pause behind it is the letter: plan A. Its full stop is taken for that of an abbreviation."""
    sign = unit.strip()[1:]
    if not sign or unit.strip() != "A" + sign or sign.strip(_SIGNS):
        return phonemes
    return "ˈA" + sign + " "


def _units(pieces: list[Piece]) -> tuple[list[str], list[str], list[int]]:
    """Written words with their spaces, said words, and for each said word the written one it belongs to."""
    units: list[str] = []
    said = ""
    owner: list[int] = []
    for piece in pieces:
        same = piece.said == piece.written
        for written in _TOKEN.findall(piece.written) if same else [piece.written]:
            if units and (not written.strip() or not units[-1][-1:].isspace()):
                units[-1] += written
            else:
                units.append(written)
            spoken = written if same else piece.said
            said += spoken.translate(_NARROW)
            owner += [len(units) - 1] * len(spoken)
    spans = [match.span() for match in _WORD.finditer(said)]
    return units, [said[a:b] for a, b in spans], [owner[a] for a, _ in spans]


def _align(words: list[str], normal: list[str], owners: list[int]) -> list[int]:
    """For each word of ``normal`` the owner of the word of ``words`` that it came from."""
    out: list[int] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, words, normal, autojunk=False).get_opcodes():
        if tag == "insert":
            i1, i2 = (i1 - 1, i1) if i1 else (0, 1)
        out += [owners[i1 + (j - j1) * (i2 - i1) // (j2 - j1)] for j in range(j1, j2)]
    return out or [owners[0]]
