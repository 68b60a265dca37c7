"""From text to Kokoro's phonemes, language by language, keeping hold of the written words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import groupby
from threading import Lock
from typing import Protocol

from webui.text import marks
from webui.text.marks import Reading
from webui.text.script import LATIN, language_of, runs
from webui.text.spoken import Piece, plain, spoken

PAUSES = ";:,.!?—…"
SILENT = PAUSES + ' "()“”'

# The 114 symbols Kokoro v1.0 was trained on, as (id of the first, symbols in a row).
_SYMBOLS = (
    (1, ";:,.!?"), (9, '—…"()“” \u0303ʣʥʦʨᵝꭧAI'), (31, "O"), (33, "Q"), (35, "ST"), (39, "W"), (41, "Yᵊabcdef"),
    (50, "hijklmnopqrstuvwxyzɑɐɒæ"), (75, "βɔɕç"), (80, "ɖðʤə"), (85, "ɚɛɜ"), (90, "ɟ"), (92, "ɡ"), (99, "ɥ"),
    (101, "ɨɪʝ"), (110, "ɯɰŋɳɲɴø"), (118, "ɸθœ"), (123, "ɹ"), (125, "ɾɻ"), (128, "ʁɽʂʃʈʧ"), (135, "ʊʋ"), (138, "ʌɣɤ"),
    (142, "χʎ"), (147, "ʒʔ"), (156, "ˈˌː"), (162, "ʰ"), (164, "ʲ"), (169, "↓"), (171, "→↗↘"), (177, "ᵻ"),
)  # fmt: skip
SYMBOL_IDS = {symbol: first + i for first, row in _SYMBOLS for i, symbol in enumerate(row)}

_UNKNOWN = re.compile(f"[^{re.escape(''.join(SYMBOL_IDS))}]")

# Quotes and brackets that open something, at the end of a piece.
_OPENING = re.compile(r"(?:[“‘「『《〈（(【]|(?<![^\s:：,，])\")+\Z")
_OPENING_SOUND = re.compile(r" *[“(\"][ “(\"]*\Z")

# To the first sentence end behind 160 characters, but no more than 960: words are read in the context of a block.
_BLOCK = re.compile(r".{160}.{0,800}?(?:(?<=[。！？\n])|(?<=\w{4}[.!?])(?=\s)|\Z)|.{1,960}", re.S)


@dataclass(frozen=True)
class Said:
    """A written piece (a word with the space behind it, or one Han character) and the phonemes it is said with.

    Pauses stand at the end of ``phonemes``; pieces in a row join to the text and to the phonemes of the whole.
    """

    text: str
    phonemes: str
    unspoken: str = ""  # the code of the language that could not be spoken
    told: bool = False  # whether somebody wrote how it is said

    @property
    def voiced(self) -> bool:
        """Whether any sound is in it, not pauses alone."""
        return bool(self.phonemes.strip(SILENT))


def signs_joined(said: list[Said]) -> list[Said]:
    """Signs and spaces go with the word before them, so that a pause is at the end of a piece."""
    out: list[Said] = []
    for piece in said:
        if out and not piece.voiced:
            out[-1] = Said(out[-1].text + piece.text, tidy(out[-1].phonemes + piece.phonemes))
        else:
            out.append(piece)
    return out


def tidy(phonemes: str) -> str:
    """One space, and none before a pause."""
    return re.sub(r"\s+([;:,.!?—…”])", r"\1", re.sub(r"\s+", " ", phonemes))


class LanguageG2P(Protocol):
    """One language's way from written pieces to phonemes."""

    def __call__(self, pieces: list[Piece]) -> list[Said]:
        """The pieces as said; their texts join to the pieces' ``written``."""
        ...


class G2P:
    """Every language that is installed here. Thread safe; each language loads at its first text.

    English by hibari's port of misaki's rules (American or British), Chinese by pypinyin and jieba: Apache-2.0
    and MIT, none needs espeak-ng. Japanese by pyopenjtalk-plus where that is installed.
    """

    def __init__(self) -> None:
        self._loaded: dict[str, LanguageG2P] = {}
        self._lock = Lock()

    @staticmethod
    def languages() -> tuple[str, ...]:
        """The codes that can be spoken."""
        return ("en", "zh", "ja") if find_spec("pyopenjtalk") else ("en", "zh")

    def missing(self) -> dict[str, str]:
        """Why languages that Kokoro has voices for cannot be spoken here."""
        reasons = {
            "languages": "Its Spanish, French, Hindi, Italian and Portuguese need pronunciation rules "
            "that are not part of this program."
        }
        if "ja" not in self.languages():
            reasons["ja"] = "To speak Japanese, run `.venv/bin/pip install -r requirements-ja.txt` and start again."
        return reasons

    def load(self, language: str, british: bool = False) -> LanguageG2P:
        """The G2P of one of ``languages``."""
        key = "en-gb" if language == "en" and british else language
        with self._lock:
            if key not in self._loaded:
                self._loaded[key] = _make(key)
            return self._loaded[key]

    def __call__(self, text: str, hint: str = "auto", british: bool = False) -> Iterator[Said]:
        """Yield the pieces of ``text`` in order, block by block, so that a long text starts at once.

        A sign without a sound keeps its text and has no phonemes; so has what is in a language that is not spoken
        here, which is then named in ``unspoken``. A word with a reading (``text.marks``) is one piece, said like that.
        """
        hidden, readings = marks.hide(text)
        return _openers_forward(_signs_back(self._said(plain(hidden), readings, hint, british)))

    def _said(self, text: str, readings: Sequence[Reading], hint: str, british: bool) -> Iterator[Said]:
        main = language_of(marks.restore(text, readings, lambda reading: reading.shown), hint)
        for block in _BLOCK.findall(text):
            for part in marks.hidden(block, readings):
                if isinstance(part, Reading):
                    from webui.engines.g2p_readings import symbols

                    yield Said(part.shown, symbols(part, british) + " ", told=True)
                else:
                    yield from self._read(part, main, hint, british)

    def _read(self, text: str, main: str, hint: str, british: bool) -> Iterator[Said]:
        for language, group in groupby(_by_language(text, main, hint), key=lambda pair: pair[0]):
            pieces = [piece for _, piece in group]
            if language not in self.languages():
                yield from (Said(piece.written, "", unspoken=language) for piece in pieces)
                continue
            said = [_clean(piece) for piece in self.load(language, british)(pieces)]
            if not said[-1].phonemes.endswith(" "):
                said[-1] = replace(said[-1], phonemes=said[-1].phonemes + " ")
            yield from said


def _signs_back(said: Iterator[Said]) -> Iterator[Said]:
    """Signs behind a word with a reading go with it."""
    held: Said | None = None
    for piece in said:
        if held and not piece.voiced and not piece.unspoken:
            held = _clean(replace(held, text=held.text + piece.text, phonemes=tidy(held.phonemes + piece.phonemes)))
            continue
        if held:
            yield held
        held = piece if piece.told else None
        if not held:
            yield piece
    if held:
        yield held


def _by_language(text: str, main: str, hint: str) -> Iterator[tuple[str, Piece]]:
    """What is said, cut where its language changes; signs and digits go with what stands before them."""
    now = main
    for piece in spoken(text, main):
        written = piece.written
        for language, run in runs(piece.said, main if main in ("ja", *LATIN) else hint):
            now = language if any(map(str.isalpha, run)) or piece.said != written else now
            if piece.said != piece.written:
                yield now, Piece(written, run)
                written = ""  # the first run stands for it all
            elif now == "zh" != main:
                yield from ((now, part) for part in spoken(run, now))
            else:
                yield now, Piece(run, run)


def _openers_forward(said: Iterator[Said]) -> Iterator[Said]:
    """An opening quote or bracket goes with the piece behind it: no pause comes in between."""
    text = sound = ""
    for piece in said:
        piece = replace(piece, text=text + piece.text, phonemes=sound + piece.phonemes)
        text = sound = ""
        if opening := _OPENING.search(piece.text):
            at = _OPENING_SOUND.search(piece.phonemes)
            text, sound = opening[0], at[0].strip() if at else ""
            piece = replace(
                piece,
                text=piece.text[: opening.start()],
                phonemes=piece.phonemes[: at.start()] + " " if at else piece.phonemes,
            )
        if piece.text or piece.phonemes:
            yield piece
    if text:
        yield Said(text, "")


def _clean(piece: Said) -> Said:
    """Known symbols only, and a pause at the end of a line, with or without a mark."""
    phonemes = _UNKNOWN.sub("", piece.phonemes)
    if "\n" in piece.text and phonemes.strip(SILENT) and phonemes.strip()[-1] not in PAUSES:
        phonemes = phonemes.rstrip() + ". "
    return replace(piece, phonemes=phonemes)


def _make(key: str) -> LanguageG2P:
    if key == "zh":
        from webui.engines.g2p_zh import Chinese

        return Chinese()
    if key == "ja":
        from webui.engines.g2p_ja import Japanese

        return Japanese()
    from webui.engines.g2p_en import English

    return English(british=key == "en-gb")
