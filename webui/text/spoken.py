"""What of a text is said aloud, and how: marks of writing go, numbers become words.

``plain`` takes away what no voice should say (marks, tags, markdown, emoji). ``spoken`` then gives readings. English
numbers and dates are left to the English G2P, which reads them in their context, where it reads them right, and
Japanese numbers to OpenJTalk; Chinese ones, and addresses in any language, are read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from webui.text import marks
from webui.text.spoken_en import RULES as EN_RULES
from webui.text.spoken_ja import RULES as JA_RULES
from webui.text.spoken_zh import RULES as ZH_RULES
from webui.text.spoken_zh import Rule


@dataclass(frozen=True)
class Piece:
    """A stretch of text as ``written`` and as ``said`` (the same for most)."""

    written: str
    said: str


_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffd]"
)
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2300-\u23ff\u2b00-\u2bff\u2190-\u21ff\u25a0-\u25ff"
    "\ufe00-\ufe0f\u20e3\u3030\u303d\U000e0000-\U000e007f\ue000-\uf8ff]+"
)
_MARKS = [
    (re.compile(r"```.*?(?:```|\Z)", re.S), " "),  # code is not read aloud
    (re.compile(r"<\|[^|<>]{0,64}\|>"), " "),  # <|zh|>, <|HAPPY|>
    (re.compile(r"</?[A-Za-z][^<>\n]{0,200}>"), " "),  # <strong>, <br/>
    (re.compile(r"!?\[([^\[\]\n]{0,500})\]\([^()\n]{0,2000}\)"), r"\1"),  # links and images
    (re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?(?!\d)|[-*+•][ \t]+)", re.M), ""),  # headings, quotations, lists
    (re.compile(r"^[ \t]*(?:[-*_=|:][ \t]*){3,}$", re.M), ""),  # rules
    (re.compile(r"[ \t]*\|[ \t]*"), ", "),  # table cells
    (re.compile(r"(?<![\w*])(\*{1,3})(?=\S)([^*\n]{1,1000}?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<!\w)(_{1,3})(?=\S)([^_\n]{1,1000}?)(?<=\S)\1(?!\w)"), r"\2"),
    (re.compile(r"~~([^~\n]{1,1000})~~"), r"\1"),
    (re.compile(r"[`*]+"), " "),
    (re.compile(r"([^\w\s])\1{3,}"), r"\1\1\1"),
]
_HALF = {ord(c) + 0xFEE0: c for c in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"}
_BEFORE_SIGN = re.compile(r"(?<=[^\s]) (?=[，。！？、；：])")
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" *\n[\n ]*")

_STOP = "\\s<>\"'，。！？、；：）)\\]】》」\u4e00-\u9fff"  # what no address has in it
_URL = re.compile(rf"(?:https?://|www\.)[^{_STOP}]+[^{_STOP}.,;:!?]", re.I)
_ENDINGS = "com|org|net|edu|gov|info|io|ai|app|dev|cn|uk|de|fr|jp|eu|co|tv"
_BARE_HOST = re.compile(
    rf"(?<![\w@.-])(?:[a-z0-9-]{{1,63}}\.){{1,4}}(?:{_ENDINGS})(?![\w-]|\.\w)(?:/[^{_STOP}]*[^{_STOP}.,;:!?])?", re.I
)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}")
_HOST = re.compile(r"^(?:https?://)?(?:www\.)?([^/?#:]*)", re.I)


# Seventeen digits and more are no quantity: they are read one by one.
_LONG_NUMBER: tuple[re.Pattern[str], Rule] = (
    re.compile(r"\d[\d,]{15,}\d"),
    lambda match: " ".join(re.findall(r"\d", match[0])),
)

_RULES = {"en": [_LONG_NUMBER, *EN_RULES], "zh": ZH_RULES, "ja": [_LONG_NUMBER, *JA_RULES]}
_DOT_AND_AT = {"zh": ("点", "艾特"), "ja": ("ドット", "アットマーク")}


def plain(text: str) -> str:
    """``text`` without marks, tags, markdown, code blocks, emoji and invisible characters; lines are kept."""
    text = marks.shown(text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _INVISIBLE.sub("", text).translate(_HALF)
    for pattern, replacement in _MARKS:
        text = pattern.sub(replacement, text)
    text = _BEFORE_SIGN.sub("", _EMOJI.sub(" ", text))
    return _LINES.sub("\n", _SPACES.sub(" ", text)).strip()


def spoken(text: str, language: str) -> list[Piece]:
    """``text`` (plain) in pieces whose ``written`` parts join to it, each with the words that are said for it.

    A web address is said by its host alone. ``language`` is the one the words are in, such as ``en`` or ``zh``.
    """
    rules = [*_address_rules(language), *_RULES.get(language, [_LONG_NUMBER])]
    pieces = [Piece(text, text)]
    for pattern, say in rules:
        pieces = [new for piece in pieces for new in _apply(piece, pattern, say)]
    return pieces


def in_words(text: str, language: str) -> str:
    """``text`` (plain) with the readings of ``spoken``, for a synthesizer that brings its own rules for the rest."""
    return "".join(piece.said for piece in spoken(text, language))


def _apply(piece: Piece, pattern: re.Pattern[str], say: Rule) -> list[Piece]:
    if piece.said != piece.written:  # already read by an earlier rule
        return [piece]
    out: list[Piece] = []
    start = 0
    for match in pattern.finditer(piece.written):
        said = say(match)
        if said is None:
            continue
        if match.start() > start:
            out.append(Piece(piece.written[start : match.start()], piece.written[start : match.start()]))
        out.append(Piece(match[0], said))
        start = match.end()
    if start < len(piece.written):
        out.append(Piece(piece.written[start:], piece.written[start:]))
    return out


def _address_rules(language: str) -> list[tuple[re.Pattern[str], Rule]]:
    dot, at = _DOT_AND_AT.get(language, (" dot ", " at "))

    def host(match: re.Match[str]) -> str | None:
        found = _HOST.match(match[0])
        return found[1].replace(".", dot) if found and found[1] else None

    return [(_URL, host), (_BARE_HOST, host), (_EMAIL, lambda match: match[0].replace("@", at).replace(".", dot))]
