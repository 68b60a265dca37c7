"""A text read aloud: cut into parts, each spoken in one go, one after the other.

Parts begin and end in silence, so that any two of them can follow each other, also where the reading was stopped
between them and went on later.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from webui.audio.join import FADE_S, Joiner
from webui.conversation.scope import TurnScope
from webui.engines.protocols import EngineInfo, SpeechRequest
from webui.engines.registry import Engines
from webui.errors import UserError
from webui.features.proof import Check, checkable, listen, ways
from webui.text import marks
from webui.text.pieces import LONGEST, pieces
from webui.types import Audio, Samples, SpeechChunk, Style, Voice, Word

MAX_CHARACTERS = 20_000
FIRST = 20  # width of a first sentence that is not cut at a clause: while it is made, nothing is playing
PARAGRAPH_S = 0.4  # of silence between two paragraphs, besides what the engine leaves after a sentence
SILENT_RATE = 24_000  # Hz, of a part without speech
KNEE = 0.97  # sound that an engine gives louder is bent to stay below full scale

_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)  # code, which may have empty lines, is not read aloud


@dataclass(frozen=True)
class Script:
    """What is to be read, and how.

    ``seed`` is 0 or more. With ``proof`` each part is listened to, and said again where it came out wrong.
    """

    text: str
    voice: Voice
    style: Style = Style()
    speed: float = 1.0
    language: str = "auto"
    seed: int = 0
    proof: bool = False


@dataclass(frozen=True)
class Part:
    """``pause`` seconds of silence, then ``text``, which may be empty, of the ``paragraph`` of that number."""

    text: str
    paragraph: int
    pause: float = 0.0


@dataclass(frozen=True, eq=False)
class Said:
    """A stretch of a part's sound, which says ``text``, ``start`` seconds from the part's beginning.

    The words' times are seconds from the stretch's own beginning. ``last`` ends the part.
    """

    part: int
    start: float
    audio: Audio
    text: str = ""
    words: tuple[Word, ...] = ()
    last: bool = False


@dataclass(frozen=True)
class Checked:
    """What was heard in a part, the share of it that was wrong (0 to 1), and how often it was spoken."""

    part: int
    heard: str
    wrong: float
    tries: int


@dataclass(frozen=True)
class Note:
    """Something that the listener should know, as a label's key, the same in English, and what fills its blanks."""

    key: str
    message: str
    values: dict[str, object]


def plan(script: Script) -> tuple[Part, ...]:
    """The parts of ``script.text``: sentences together up to a length, never across a paragraph or a pause.

    Raises ``UserError`` for a text that is too long, says nothing, or has a mark in it that is wrong.
    """
    if len(script.text) > MAX_CHARACTERS:
        raise UserError("text_too_long", f"Keep it under {MAX_CHARACTERS} characters.", limit=MAX_CHARACTERS)
    marks.check(script.text)
    parts: list[Part] = []
    pause, paragraph = 0.0, -1
    for line in _FENCED.sub("\n", script.text).splitlines():
        begun = False
        for stretch in marks.cut(line):
            if isinstance(stretch, marks.Pause):
                pause += stretch.seconds
                continue
            for piece in pieces(stretch, min(FIRST << len(parts), LONGEST)):
                if not begun:
                    begun, paragraph = True, paragraph + 1
                    pause = max(pause, PARAGRAPH_S if parts else 0.0)
                parts.append(Part(piece, paragraph, pause))
                pause = 0.0
    if not parts:
        raise UserError("nothing_to_say", "There is nothing to say yet: write something first.")
    return (*parts, Part("", paragraph, pause)) if pause else tuple(parts)


def speak(
    engines: Engines, script: Script, parts: Sequence[Part], start: int = 0, scope: TurnScope | None = None
) -> Generator[Said | Checked | Note, None, None]:
    """Speak ``parts`` from number ``start`` on. Closing the iterator stops the work; so does cancelling ``scope``,
    from any thread and at once.

    A part comes as several ``Said``, and its ``Checked`` behind them. Raises ``UserError`` where the engine fails,
    and ``Cancelled``.
    """
    scope = scope or TurnScope(0)
    synthesizer = engines.synthesizer
    synthesizer.load()  # only then is it known what it can do
    yield from _notes(synthesizer.info, script, parts[start:])
    seeded = synthesizer.info.capabilities.get("seed") is True
    for number, part in enumerate(parts[start:], start):
        request = SpeechRequest(
            part.text, script.voice, script.style, script.speed, script.language, script.seed, eager=number == start
        )
        language = checkable(part.text, script.language) if script.proof else ""
        if not language:
            speeches = (synthesizer.synthesize(request),) if part.text else ()
            yield from said(number, part.pause, speeches, scope)
            continue
        tried: list[tuple[list[Said], Check]] = []
        for requests in ways(request, seeded):
            sound = list(said(number, part.pause, map(synthesizer.synthesize, requests), scope))
            tried.append((sound, listen(engines.recognizer, _whole(sound), part.text, language, scope)))
            if tried[-1][1].good:
                break
        sound, check = min(tried, key=lambda one: one[1].badness)
        yield from sound
        yield Checked(number, check.heard, check.wrong, len(tried))


def said(number: int, pause: float, speeches: Iterable[Iterator[SpeechChunk]], scope: TurnScope) -> Iterator[Said]:
    """Part ``number``: ``pause`` seconds of silence, then ``speeches`` as one sound, each begun when it is its turn.

    Raises ``Cancelled`` as soon as ``scope`` is cancelled, and what the engine raises.
    """
    joiner: Joiner | None = None
    rate, lead = SILENT_RATE, np.zeros(0, np.float32)
    fed = given = 0  # samples
    for speech in speeches:
        if joiner is not None:
            joiner.seam()
            fed -= round(FADE_S * rate)
        with scope.stopping(speech) as chunks:
            for chunk in chunks:
                scope.check()
                if joiner is None:
                    rate = chunk.audio.rate
                    joiner, lead = Joiner(rate), _silence(pause, rate)
                    fed = len(lead)
                sound = np.concatenate([lead, joiner.feed(_bounded(chunk.audio.samples))])
                text, words = marks.shown(chunk.text), later(chunk.words, (fed - given) / rate)
                yield Said(number, given / rate, Audio(sound, rate), text, words)
                fed += len(chunk.audio.samples)
                given += len(sound)
                lead = lead[:0]
        scope.check()
    tail = _silence(pause, rate) if joiner is None else joiner.finish()
    yield Said(number, given / rate, Audio(tail, rate), last=True)


def _notes(info: EngineInfo, script: Script, parts: Sequence[Part]) -> Iterator[Note]:
    able = info.capabilities
    names = dict.fromkeys(name for part in parts for name in marks.tokens(part.text))
    lacking = ", ".join(name for name in names if able.get(f"token_{name}", able.get("tokens")) is not True)
    if lacking:
        yield Note("tokens_left_out", f"{info.name} leaves out: {lacking}.", {"engine": info.name, "tokens": lacking})
    if script.proof and not all(checkable(part.text, script.language) for part in parts if part.text):
        yield Note("proof_unchecked", "Only English and Chinese are proof-listened; the rest is spoken unchecked.", {})


def _whole(pieces: Sequence[Said]) -> Audio:
    return Audio(np.concatenate([piece.audio.samples for piece in pieces]), pieces[0].audio.rate)


def _silence(seconds: float, rate: int) -> Samples:
    return np.zeros(round(seconds * rate), np.float32)


def _bounded(samples: Samples) -> Samples:
    """``samples`` without NaN, and with what is beyond full scale bent to stay below it."""
    clean = np.nan_to_num(samples, posinf=0.0, neginf=0.0)
    over = np.abs(clean) > KNEE
    if over.any():
        clean[over] = np.sign(clean[over]) * (KNEE + (1 - KNEE) * np.tanh((np.abs(clean[over]) - KNEE) / (1 - KNEE)))
    return clean


def later(words: Iterable[Word], seconds: float) -> tuple[Word, ...]:
    """The same words, ``seconds`` later."""
    return tuple(replace(word, start=word.start + seconds, end=word.end + seconds) for word in words)
