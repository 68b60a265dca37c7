"""The marks of a text: what in it is not said as it is written. They are read here and nowhere else.

=========================================  ===========================================================================
``[pause 0.5]``                            silence for so many seconds
``{重庆|chong2 qing4}``, ``{read|R EH1 D}``  a reading: a word, and how it is said, in pinyin or in CMU's phones
``[breath]``, ``[laughter]`` …             a sound that a speaker makes
``<strong>…</strong>``                     words that are stressed; within ``<laughter>`` they are said laughing
=========================================  ===========================================================================

What only looks like a mark is text like any other; ``check`` tells whoever wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from webui.errors import UserError
from webui.text.phones import is_phone, is_syllable

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
PAUSES_S = 600.0  # all pauses of a text together
SHOWN_MOST, SAID_MOST = 40, 120  # characters of a reading, before its stroke and behind it

SOUNDS = tuple(
    "breath quick_breath laughter cough sigh noise clucking accent hissing vocalized-noise lipsmack mn".split()
)
STRETCHES = ("strong", "laughter")
TOKENS = (*(f"[{name}]" for name in SOUNDS), *(f"<{name}>" for name in STRETCHES))


@dataclass(frozen=True)
class Pause:
    """Silence, in seconds."""

    seconds: float


@dataclass(frozen=True)
class Reading:
    """A word as ``shown``, and how it is said: syllables as ``chong2`` or phones as ``EH1``, see ``phones``."""

    shown: str
    said: tuple[str, ...]


@dataclass(frozen=True)
class Token:
    """A sound, or the begin or end of a stretch, as ``written``: ``[breath]``, ``<strong>``, ``</strong>``."""

    written: str

    @property
    def name(self) -> str:
        """``breath``, ``strong`` …: what an engine's capability for it is called, behind ``token_``."""
        return self.written.strip("[]</>")


_TOKEN = rf"\[(?:{'|'.join(SOUNDS)})\]|</?(?:{'|'.join(STRETCHES)})>"
_MARK = re.compile(
    rf"\[pause (?P<pause>\d(?:\.\d{{1,3}})?)\]|(?P<token>{_TOKEN})"
    rf"|\{{(?P<shown>[^{{}}|\n]{{1,{SHOWN_MOST}}})\|(?P<said>[^{{}}|\n]{{1,{SAID_MOST}}})\}}"
)
_MEANT_AS_PAUSE = re.compile(r"\[\s{0,9}pause\b[^\[\]\n]{0,40}\]", re.IGNORECASE)
_MEANT_AS_READING = re.compile(r"\{[^{}|\n]{0,200}\|[^{}\n]{0,400}\}")
_QUOTED = 40  # characters of what somebody wrote, in a complaint about it

# Signs of planes 15 and 16, which mean nothing to anybody: for readings while a text is worked on, for what is gone.
_HIDDEN_FIRST = 0xF0000
_HIDDEN = re.compile("[\U000f0000-\U000ffffd]")
_GONE = "\U0010fffd"
_GAP = re.compile(rf"[ \t]{{0,4}}{_GONE}(?:[ \t]{{0,4}}{_GONE})*[ \t]{{0,4}}")
_UNSPACED = re.compile(r"[,.;:!?…)\]}”’»、。，！？；：）】》」』\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def parse(text: str) -> list[str | Pause | Reading | Token]:
    """``text`` and its marks, in order; stretches of text are never empty."""
    out: list[str | Pause | Reading | Token] = []
    start = 0
    for match in _MARK.finditer(text):
        mark = _read(match)
        if mark is None:
            continue
        if match.start() > start:
            out.append(text[start : match.start()])
        out.append(mark)
        start = match.end()
    return [*out, text[start:]] if start < len(text) else out


def _read(match: re.Match[str]) -> Pause | Reading | Token | None:
    if match["pause"]:
        seconds = float(match["pause"])
        return Pause(seconds) if SHORTEST_PAUSE_S <= seconds <= LONGEST_PAUSE_S else None
    if match["token"]:
        return Token(match["token"])
    shown = match["shown"].strip()
    said = tuple(sound.replace("v", "ü") if sound.islower() else sound for sound in match["said"].split())
    right = shown and said and all(is_phone(sound) or is_syllable(sound) for sound in said)
    return Reading(shown, said) if right else None


def check(text: str) -> None:
    """Raise ``UserError`` for a pause or a reading that is not written as it has to be, and for too many pauses."""
    marks = parse(text)
    if sum(mark.seconds for mark in marks if isinstance(mark, Pause)) > PAUSES_S:
        raise UserError(
            "pauses_long", f"The pauses add up to more than {PAUSES_S:g} seconds: take some out.", most=PAUSES_S
        )
    for part in marks:
        if not isinstance(part, str):
            continue
        if found := _MEANT_AS_PAUSE.search(part):
            mark = found[0][:_QUOTED]
            raise UserError(
                "pause_wrong",
                f"{mark} is no pause: write [pause 0.5], from {SHORTEST_PAUSE_S} to {LONGEST_PAUSE_S:g} seconds.",
                mark=mark,
                shortest=SHORTEST_PAUSE_S,
                longest=LONGEST_PAUSE_S,
            )
        if found := _MEANT_AS_READING.search(part):
            mark = found[0][:_QUOTED]
            raise UserError(
                "reading_wrong",
                f"{mark} is no reading: write pinyin with tones, as chong2 qing4, or CMU phones, as R EH1 D.",
                mark=mark,
            )


def cut(text: str) -> list[str | Pause]:
    """``text`` between its pauses, and the pauses; other marks stay, and what is blank is left out."""
    out: list[str | Pause] = []
    start = 0
    for match in _MARK.finditer(text):
        if isinstance(mark := _read(match), Pause):
            out += [text[start : match.start()], mark]
            start = match.end()
    out.append(text[start:])
    return [part for part in out if isinstance(part, Pause) or part.strip()]


def shown(text: str) -> str:
    """``text`` as it is read by eye: without marks, each reading by its word."""
    return _rendered(text, lambda mark: mark.shown if isinstance(mark, Reading) else None)


def without(text: str, kept: Collection[str] = ()) -> str:
    """``text`` without its pauses, and without the tokens whose names are not among ``kept``; readings stay."""

    def said(mark: Pause | Reading | Token) -> str | None:
        return written(mark) if isinstance(mark, Reading) or (isinstance(mark, Token) and mark.name in kept) else None

    return _rendered(text, said)


def _rendered(text: str, say: Callable[[Pause | Reading | Token], str | None]) -> str:
    """``text`` with each mark as ``say`` has it; where that is nothing, the gap is closed."""
    out = ""
    for part in parse(text.replace(_GONE, "")):
        if isinstance(part, str):
            out += part
            continue
        said = say(part)
        ends_nothing = isinstance(part, Token) and part.written.startswith("<")
        out += said if said is not None else "" if ends_nothing else _GONE
    return _GAP.sub(_closed_up, out)


def _closed_up(gap: re.Match[str]) -> str:
    before, after = gap.string[: gap.start()][-1:], gap.string[gap.end() : gap.end() + 1]
    if not before.strip() or not after.strip() or _UNSPACED.match(after):
        return ""
    return "" if _UNSPACED.match(before) and " " not in gap[0] else " "


def tokens(text: str) -> tuple[str, ...]:
    """The names of the sounds and stretches in ``text``, each once."""
    return tuple(dict.fromkeys(part.name for part in parse(text) if isinstance(part, Token)))


def written(mark: Pause | Reading | Token) -> str:
    """A mark as it stands in a text."""
    if isinstance(mark, Pause):
        return f"[pause {mark.seconds:g}]"
    return f"{{{mark.shown}|{' '.join(mark.said)}}}" if isinstance(mark, Reading) else mark.written


def hide(text: str) -> tuple[str, tuple[Reading, ...]]:
    """``text`` with one sign in place of each reading, so that whatever is done to it leaves them whole."""
    found: list[Reading] = []
    out = ""
    for part in parse(_HIDDEN.sub("", text)):
        if isinstance(part, Reading):
            out += chr(_HIDDEN_FIRST + len(found))
            found.append(part)
        else:
            out += part if isinstance(part, str) else written(part)
    return out, tuple(found)


def is_hidden(sign: str) -> bool:
    """Whether one sign of a text that ``hide`` gave stands for a reading."""
    return _HIDDEN.match(sign) is not None


def hidden(text: str, readings: Sequence[Reading]) -> list[str | Reading]:
    """A text that ``hide`` gave, or a part of it, and its readings, in order."""
    out: list[str | Reading] = []
    start = 0
    for match in _HIDDEN.finditer(text):
        out += [text[start : match.start()], readings[ord(match[0]) - _HIDDEN_FIRST]]
        start = match.end()
    return [part for part in (*out, text[start:]) if part]


def restore(text: str, readings: Sequence[Reading], say: Callable[[Reading], str] = written) -> str:
    """A text that ``hide`` gave, or a part of it, with each reading as ``say`` has it."""
    return "".join(part if isinstance(part, str) else say(part) for part in hidden(text, readings))


def closed(pieces: Iterable[str]) -> Iterator[str]:
    """``pieces`` of one text with every stretch ended in the piece where it begins, and begun anew in the next."""
    inside: list[str] = []
    for piece in pieces:
        out = "".join(f"<{name}>" for name in inside)
        for part in parse(piece):
            if isinstance(part, Token) and part.written.startswith("<"):
                ends = part.written.startswith("</")
                if ends != (part.name in inside):  # ends what never began, or begins what is going on
                    continue
                (inside.remove if ends else inside.append)(part.name)
            out += part if isinstance(part, str) else written(part)
        yield out + "".join(f"</{name}>" for name in reversed(inside))
