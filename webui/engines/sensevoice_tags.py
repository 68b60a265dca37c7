"""SenseVoice's tagged text, ``<|en|><|HAPPY|><|Laughter|><|withitn|>words``, as types.

The model writes four tags before every stretch of speech it was given, so the text of a long recording has them many
times over. All of them are read; none is ever left in the words, and no word is taken for a tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from webui.types import Emotion, Event, EventSpan, Segment

LANGUAGES = ("zh", "en", "yue", "ja", "ko")
"""What SenseVoice-Small understands."""

CAPABILITIES: Mapping[str, bool | str] = {
    "words": True,
    "events": True,
    "emotion": True,
    "arousal": "SenseVoice names the emotion, but not how energetic it is.",
    "confidence": "SenseVoice gives no scores for what it hears.",
    "itn": True,
    "yue": True,
}
"""What it can do, whichever library runs it; a reason where it cannot."""

_TAG = re.compile(r"<\|([\w-]{0,40})\|>")
_LANGUAGES = {code.lower(): code for code in (*LANGUAGES, "nospeech")}
_EMOTIONS = {emotion.value.lower(): emotion for emotion in Emotion} | {"emo_unk": Emotion.EMO_UNKNOWN}
_EVENTS = {event.value.lower(): event for event in Event}
_STYLES = frozenset({"withitn", "woitn"})
_SPACE = re.compile(r"[\s▁]+")


@dataclass(frozen=True)
class Tagged:
    """One stretch: its words without tags, and what its tags say. ``None`` where there was no such tag."""

    text: str = ""
    language: str | None = None
    emotion: Emotion | None = None
    events: tuple[Event, ...] = ()
    itn: bool | None = None

    @property
    def heard(self) -> bool:
        """Whether there is anything to tell: words, or a sound that is known and no speech."""
        nothing = (Event.SPEECH, Event.SPEECH_NOISE, Event.EVENT_UNK, Event.GBG)
        return bool(self.text) or any(event not in nothing for event in self.events)


def read(text: str) -> tuple[Tagged, ...]:
    """Every stretch in ``text``, in order; empty for an empty text.

    A new one begins at each language tag, and at any tag that follows words. What looks like a tag but is none of
    SenseVoice's is dropped, as the model itself means nothing by it.
    """
    found: list[Tagged] = []
    now = Tagged()
    for tag, words in _pieces(text):
        if tag is not None:
            kind = _kind(tag)
            if now != Tagged() and (now.text or (kind == "language" and now.language is not None)):
                found.append(now)
                now = Tagged()
            now = _with(now, kind, tag)
        elif words:
            now = replace(now, text=f"{now.text} {words}".strip())
    if now != Tagged():
        found.append(now)
    return tuple(found)


def read_one(text: str) -> Tagged:
    """``text`` of a single stretch: its first tags and all of its words, whatever stray tags lie between them."""
    found = read(text)
    words = " ".join(one.text for one in found if one.text)
    return replace(found[0], text=words) if found else Tagged()


def segment(tagged: Tagged, start: float, end: float) -> Segment:
    """One stretch as a ``Segment`` from ``start`` to ``end`` seconds; its events span all of it.

    SenseVoice gives no scores: what it chose counts as 1, what it left open as 0. Without words there is no voice
    whose emotion could be told.
    """
    spoken = bool(tagged.text)
    emotion = (tagged.emotion if spoken else None) or Emotion.EMO_UNKNOWN
    start, end = round(start, 3), round(end, 3)
    return Segment(
        start=start,
        end=end,
        text=tagged.text,
        language=(tagged.language if spoken else None) or "nospeech",
        emotion=emotion,
        emotion_confidence=0.0 if emotion is Emotion.EMO_UNKNOWN else 1.0,
        events=tuple(EventSpan(e, start, end) for e in dict.fromkeys(tagged.events) if e is not Event.EVENT_UNK),
        confidence=float(spoken),
    )


def _pieces(text: str) -> Iterator[tuple[str | None, str]]:
    """Tags (name, "") and the words between them (None, words), in order; white space and "▁" are one space."""
    at = 0
    for match in _TAG.finditer(text):
        yield None, _SPACE.sub(" ", text[at : match.start()]).strip()
        yield match[1].lower(), ""
        at = match.end()
    yield None, _SPACE.sub(" ", text[at:]).strip()


def _kind(tag: str) -> str:
    tables = (("language", _LANGUAGES), ("emotion", _EMOTIONS), ("event", _EVENTS), ("itn", _STYLES))
    return next((kind for kind, table in tables if tag in table), "")


def _with(now: Tagged, kind: str, tag: str) -> Tagged:
    if kind == "language":
        return replace(now, language=_LANGUAGES[tag])
    if kind == "emotion":
        return replace(now, emotion=_EMOTIONS[tag])
    if kind == "event":
        return replace(now, events=(*now.events, _EVENTS[tag]))
    if kind == "itn":
        return replace(now, itn=tag == "withitn")
    return now
