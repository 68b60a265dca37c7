"""What transcription servers answer, as segments: our own with every tag, others with whatever they tell."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from webui.engines.sensevoice_tags import Tagged, read, segment
from webui.text.script import language_of
from webui.text.written import respell, written
from webui.types import Emotion, Event, EventSpan, Segment, Word

Answer = Mapping[str, Any]

_CODE = re.compile(r"[a-z]{2,3}")
# OpenAI's servers name the language in English.
_NAMES = dict(
    zip(
        "english chinese cantonese japanese korean german french spanish italian portuguese russian dutch polish "
        "turkish ukrainian swedish indonesian vietnamese arabic hindi thai".split(),
        "en zh yue ja ko de fr es it pt ru nl pl tr uk sv id vi ar hi th".split(),
        strict=True,
    )
)


def is_ours(answer: Answer) -> bool:
    """Whether the answer comes from a program like this one, and so has all tags in its segments."""
    return isinstance(answer.get("funaudio"), Mapping)


def our_segments(answer: Answer) -> list[Segment]:
    """The segments as the other program heard them, times in seconds from the start of what was sent.

    Raises ``KeyError``, ``TypeError`` or ``ValueError`` where the answer is not of that form.
    """
    return [_our_segment(s) for s in answer["segments"]]


def foreign_segments(answer: Answer, seconds: float, language: str, itn: bool) -> list[Segment]:
    """The whole answer, from 0 to ``seconds``, as one segment, or as one for each of SenseVoice's sets of tags in it.

    Servers that know no pauses make up times for their segments, so only those of words are taken. ``language`` is
    what was asked for (``auto`` leaves it to the server, and where that is silent to the script of the text). No words
    and no tags are no segment. Raises as ``our_segments`` does.
    """
    text = answer["text"].strip()
    if "<|" in text:
        return _tagged_segments([t for t in read(text) if t.heard], seconds, itn)
    if not text:
        return []
    code = _language(answer.get("language"), text) if language == "auto" else language
    text = written(text, code, itn)
    words = [_word(w, "word") for w in _all_words(answer)]
    return [
        Segment(
            start=0.0,
            end=seconds,
            text=text,
            language=code,
            words=_in_order(respell(words, text, code), seconds),
            confidence=_confidence(answer.get("segments") or ()),
        )
    ]


def _tagged_segments(stretches: Sequence[Tagged], seconds: float, itn: bool) -> list[Segment]:
    """Where there are several, nobody told where one ends: they share the time by the length of their texts."""
    lengths = [1 + len(t.text) for t in stretches]
    ends = [seconds * sum(lengths[: i + 1]) / sum(lengths) for i in range(len(lengths))]
    found = []
    for tagged, start, end in zip(stretches, [0.0, *ends], ends, strict=False):
        heard = segment(tagged, start, end)
        if heard.text and tagged.itn is not itn:
            heard = replace(heard, text=written(heard.text, heard.language, itn))
        found.append(heard)
    return found


def _our_segment(s: Answer) -> Segment:
    arousal = s.get("arousal")
    return Segment(
        start=float(s["start"]),
        end=float(s["end"]),
        text=str(s["text"]),
        language=str(s["language"]),
        emotion=_named(Emotion, s["emotion"], Emotion.EMO_UNKNOWN),
        emotion_confidence=_share(s["emotion_confidence"]),
        arousal=None if arousal is None else _share(arousal),
        events=tuple(
            EventSpan(
                _named(Event, e["event"], Event.EVENT_UNK), float(e["start"]), float(e["end"]), _share(e["confidence"])
            )
            for e in s["events"]
        ),
        speaker=None if s.get("speaker") is None else str(s["speaker"]),
        words=tuple(_word(w, "text") for w in s["words"]),
        confidence=_share(s["confidence"]),
    )


def _word(word: Answer, name: str) -> Word:
    return Word(str(word[name]).strip(), float(word["start"]), float(word["end"]), _share(word.get("confidence", 1.0)))


def _all_words(answer: Answer) -> Iterable[Answer]:
    """Words stand beside the segments (OpenAI) or inside them (FunASR)."""
    beside = answer.get("words")
    return beside or [w for s in answer.get("segments") or () for w in s.get("words") or ()]


def _in_order(words: Sequence[Word], seconds: float) -> tuple[Word, ...]:
    """The words with their times inside what was sent, none before the one before it."""
    out: list[Word] = []
    at = 0.0
    for word in words:
        start = min(max(at, word.start), seconds)
        at = min(max(start, word.end), seconds)
        out.append(Word(word.text, start, at, word.confidence))
    return tuple(out)


def _confidence(segments: Iterable[Answer]) -> float:
    """Mean probability of a token where the server tells it; 0 where it does not."""
    told = [float(s["avg_logprob"]) for s in segments if s.get("avg_logprob") is not None]
    return _share(math.exp(min(0.0, sum(told) / len(told)))) if told else 0.0


def _language(said: object, text: str) -> str:
    name = said.lower() if isinstance(said, str) else ""
    name = _NAMES.get(name, name)
    return name if _CODE.fullmatch(name) else language_of(text)


def _named(kind: Any, name: object, unknown: Any) -> Any:
    return kind(name) if name in {member.value for member in kind} else unknown


def _share(value: Any) -> float:
    number = float(value)
    return min(1.0, max(0.0, number)) if math.isfinite(number) else 0.0
