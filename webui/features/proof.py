"""Proof-listening: speech is recognised again and compared, as it sounds, with what was to be said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import islice

from webui.audio.stretch import FASTEST, SLOWEST
from webui.conversation.scope import TurnScope
from webui.engines.protocols import RecognitionRequest, Recognizer, SpeechRequest
from webui.text.marks import Reading, parse, shown
from webui.text.script import language_of, runs
from webui.text.spoken import plain, spoken
from webui.text.written import written
from webui.types import Audio, Transcript

LANGUAGES = ("en", "zh")  # in which two writings can be told to sound alike
TRIES = 3
WRONG = 0.12  # of what was to be said: with more, it is said again
DOUBT = 0.5  # of the recognizer, 0 to 1: with more, it was mumbled
DOUBT_WEIGHT = 0.1  # of two tries with the same words, the clearer one is better
ALIKE = 0.5  # words whose letters have less in common are other words, not other spellings
OTHER_RATES = (0.94, 1.06, 0.88, 1.12)  # those that are in range

_CLAUSE = re.compile(r"(?<=[，；：、])|(?<=[,;:—])\s+")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_APOSTROPHE = re.compile("['’]")


@dataclass(frozen=True)
class Check:
    """What was heard. ``wrong`` is the share of what was to be said that was not, 0 to 1.

    ``dropped`` and ``repeated`` count words (in Chinese, syllables); ``doubt`` is the recognizer's, 0 to 1.
    """

    heard: str
    wrong: float
    dropped: int
    repeated: int
    doubt: float

    @property
    def good(self) -> bool:
        """Whether it need not be said again."""
        return self.wrong <= WRONG and not self.dropped and not self.repeated and self.doubt <= DOUBT

    @property
    def badness(self) -> float:
        """The lower, the better."""
        return self.wrong + DOUBT_WEIGHT * self.doubt


def listen(recognizer: Recognizer, audio: Audio, text: str, language: str, scope: TurnScope) -> Check:
    """Recognise ``audio`` and compare it with ``text``, whose ``language`` is one of ``LANGUAGES``.

    Raises what the recognizer raises, and ``Cancelled``.
    """
    with scope.stopping(recognizer.transcribe(RecognitionRequest(audio, language, itn=False))) as segments:
        heard = Transcript(tuple(segments), audio.duration)
    scope.check()
    confidence = [word.confidence for segment in heard.segments for word in segment.words]
    confidence = confidence or [segment.confidence for segment in heard.segments if segment.text.strip()]
    wrong, dropped, repeated = compare(units(text, language), units(heard.text, language))
    return Check(heard.text, wrong, dropped, repeated, 1 - sum(confidence) / len(confidence) if confidence else 1.0)


def ways(request: SpeechRequest, seeded: bool) -> Iterator[tuple[SpeechRequest, ...]]:
    """How ``request`` can be said, at most ``TRIES`` times, each time with another sound.

    An engine that is not ``seeded`` says the same request always alike: it is given clauses, then other rates.
    """
    yield from islice(_seeds(request) if seeded else _unseeded(request), TRIES)


def _seeds(request: SpeechRequest) -> Iterator[tuple[SpeechRequest, ...]]:
    for more in range(TRIES):
        yield (replace(request, seed=(request.seed or 0) + more),)


def _unseeded(request: SpeechRequest) -> Iterator[tuple[SpeechRequest, ...]]:
    yield (request,)
    clauses = [clause for clause in _CLAUSE.split(request.text) if _WORD.search(clause)]
    if len(clauses) > 1:
        yield tuple(replace(request, text=clause, eager=False) for clause in clauses)
    for factor in OTHER_RATES:
        if SLOWEST <= request.speed * request.style.rate * factor <= FASTEST:
            yield (replace(request, speed=request.speed * factor),)


def units(text: str, language: str) -> list[str]:
    """``text`` as it sounds: words in small letters, Chinese as syllables without tones, numbers as they are read.

    A reading given in the text counts as it is said.
    """
    out: list[str] = []
    for part in parse(text):
        if isinstance(part, Reading):
            pinyin = all(sound.islower() for sound in part.said)
            out += [_toneless(sound) for sound in part.said] if pinyin else _words(part.shown)
        elif isinstance(part, str):
            for code, run in runs(_read(plain(part), language), language):
                out += _syllables(run) if code == "zh" else _words(run)
    return out


def _read(text: str, language: str) -> str:
    """``text`` with its numbers in words, the same whether they were written as digits or as words."""
    if language == "zh":
        return "".join(piece.said for piece in spoken(text, "zh"))
    digits = written(text, "en", itn=True)
    return written("".join(piece.said for piece in spoken(digits, "en")), "en", itn=False)


def _words(text: str) -> list[str]:
    return [_APOSTROPHE.sub("", word) for word in _WORD.findall(text.lower())]


def _syllables(text: str) -> list[str]:
    from pypinyin import lazy_pinyin

    return [_toneless(sound) for sound in lazy_pinyin(text, errors="ignore")]


def _toneless(syllable: str) -> str:
    return syllable.rstrip("12345").replace("ü", "v")


def compare(said: Sequence[str], heard: Sequence[str]) -> tuple[float, int, int]:
    """How much of ``said`` was not ``heard`` (0 to 1), how many units were dropped, and how many were repeated.

    Words that are spelled much alike count only as far as they differ.
    """
    cost = 0.0
    dropped = repeated = 0
    for kind, a, b, c, d in SequenceMatcher(None, said, heard, autojunk=False).get_opcodes():
        if kind == "delete":
            cost += b - a
            dropped += b - a
        elif kind == "insert":
            again = heard[c:d] in (heard[2 * c - d : c], heard[d : 2 * d - c])
            cost += d - c
            repeated += d - c if again else 0
        elif kind == "replace":
            alike = SequenceMatcher(None, "".join(said[a:b]), "".join(heard[c:d]), autojunk=False).ratio()
            cost += max(b - a, d - c) * (1 - alike)
            dropped += max(0, (b - a) - (d - c)) if alike < ALIKE else 0
    return min(1.0, cost / max(1, len(said))), dropped, repeated


def checkable(text: str, language: str) -> str:
    """The language, one of ``LANGUAGES``, that ``text`` can be checked in, or nothing."""
    code = language_of(shown(text), language)
    return code if code in LANGUAGES else ""
