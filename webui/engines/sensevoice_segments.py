"""What SenseVoice said of one stretch, as a segment: the same rules for words and silence, whichever library ran it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from webui.audio.convert import is_silent
from webui.audio.vad import find_speech
from webui.engines.listening import Stretch
from webui.engines.protocols import RecognitionRequest
from webui.engines.sensevoice_tags import LANGUAGES, Tagged, segment
from webui.errors import EngineError
from webui.types import Event, Segment, Word

DOUBTED_WORDS = 2  # in noise SenseVoice writes "The.", "Yeah.", "嗯。": so few words are believed only of a voice
LONGEST_SOUND = 0.3  # seconds that the last piece of a word lasts at most; only its onset is known
SHORTEST = 0.1
"""Seconds of sound with which SenseVoice's front end can do anything."""

Piece = tuple[str, float, float]
"""A part of a word, and its start and end in seconds from the beginning of the stretch."""


@dataclass(frozen=True)
class Heard:
    """What a library gave for one stretch: the tags and words, and where each piece of them begins and ends."""

    tagged: Tagged
    pieces: Sequence[Piece] = ()


def check_language(request: RecognitionRequest) -> None:
    """Raise ``EngineError`` for a language that SenseVoice does not know."""
    if request.language not in ("auto", *LANGUAGES):
        raise EngineError(
            "language_unknown",
            f"This recognizer does not know the language {request.language[:20]!r}: choose another or auto.",
            language=request.language[:20],
        )


def worth_hearing(stretch: Stretch) -> bool:
    """Whether there is anything in it to be heard."""
    return stretch.audio.duration >= SHORTEST and not is_silent(stretch.audio)


def tell(heard: Heard, stretch: Stretch, words: bool) -> Segment | None:
    """The segment of one stretch, with word times where ``words`` asks for them; None where there is nothing in it."""
    tagged = heard.tagged
    timed = words_of(tagged.text, heard.pieces)
    if tagged.text and _invented(stretch, len(timed) or len(tagged.text.split())):
        tagged = replace(tagged, text="", events=tuple(e for e in tagged.events if e is not Event.SPEECH))
    if not tagged.heard:
        return None
    told = segment(tagged, stretch.start, stretch.end)
    if not words or not tagged.text:
        return told
    return replace(told, words=tuple(_later(word, stretch) for word in timed))


def words_of(text: str, pieces: Sequence[Piece]) -> tuple[Word, ...]:
    """Words with their times, put together from ``pieces`` as they stand in ``text``.

    Chinese and Japanese characters are a word each, punctuation belongs to the word before it. Whether a piece carries
    the sign of a word's beginning differs from library to library, so the text says where words begin.
    """
    found: list[Word] = []
    at = 0
    for piece, start, end in pieces:
        plain = piece.replace("▁", "").strip()
        if not plain:
            continue
        place = text.find(plain, at)
        if place < 0 or text[at:place].strip():  # the library wrote it in another way: the piece's own sign must do
            begins = piece.startswith(("▁", " "))
        else:
            begins, at = place > at, place + len(plain)
        begins = begins or not found or _ideographic(plain[0]) or _ideographic(found[-1].text[0])
        if begins and not (found and _punctuation(plain)):
            found.append(Word(plain, start, end))
        else:
            found[-1] = Word(found[-1].text + plain, found[-1].start, max(found[-1].end, end))
    following = [*(word.start for word in found[1:]), float("inf")]
    return tuple(
        replace(word, end=max(word.end, min(then, word.end + LONGEST_SOUND)))
        for word, then in zip(found, following, strict=False)  # without words nothing follows
    )


def _invented(stretch: Stretch, count: int) -> bool:
    """Whether these few words are more likely the model's own than somebody's."""
    if stretch.speech is not None:
        return not stretch.speech
    return count <= DOUBTED_WORDS and not find_speech(stretch.audio)


def _later(word: Word, stretch: Stretch) -> Word:
    start, end = (round(min(stretch.start + at, stretch.end), 3) for at in (word.start, word.end))
    return replace(word, start=start, end=end)


def _ideographic(character: str) -> bool:
    name = unicodedata.name(character, "")
    return name.startswith(("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA"))


def _punctuation(text: str) -> bool:
    return all(unicodedata.category(character)[0] in "PS" for character in text)
