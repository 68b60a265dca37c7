"""A ``Transcript`` as text: plain words, words with emoji, or SenseVoice's tagged form."""

from __future__ import annotations

from webui.types import Emotion, Event, EventSpan, Segment, Transcript

EMOTION_EMOJI = {
    Emotion.HAPPY: "😊",
    Emotion.SAD: "😔",
    Emotion.ANGRY: "😡",
    Emotion.NEUTRAL: "😐",
    Emotion.FEARFUL: "😰",
    Emotion.DISGUSTED: "🤢",
    Emotion.SURPRISED: "😮",
    Emotion.OTHER: "🎭",
    Emotion.EMO_UNKNOWN: "❔",
}
EVENT_EMOJI = {
    Event.SPEECH: "🗣️",
    Event.BGM: "🎼",
    Event.LAUGHTER: "😀",
    Event.APPLAUSE: "👏",
    Event.CRY: "😭",
    Event.SNEEZE: "🤧",
    Event.BREATH: "💨",
    Event.COUGH: "😷",
    Event.SING: "🎤",
    Event.SPEECH_NOISE: "🔊",
    Event.EVENT_UNK: "❓",
    Event.GBG: "🗑️",
}
NOTHING = "🔇 (no speech)"
_UNSPACED = ("zh", "ja", "yue")


def plain(transcript: Transcript, nothing: str = NOTHING) -> str:
    """The words alone; ``nothing`` where nobody spoke."""
    return transcript.text or nothing


def rich(transcript: Transcript, nothing: str = NOTHING) -> str:
    """The words, each event's emoji where it begins, each emotion's emoji where it ends.

    Speech shows as its words and has no emoji of its own beside them. ``nothing`` where nothing at all was heard.
    """
    out = ""
    sounding: dict[Event, float] = {}  # when each event that was shown ends
    segments = transcript.segments
    for i, segment in enumerate(segments):
        fresh = [e for e in segment.events if e.start > sounding.get(e.event, -1.0) + 0.05]
        for event in segment.events:
            sounding[event.event] = max(event.end, sounding.get(event.event, 0.0))
        text = _with_events(segment, [e for e in fresh if not segment.text or e.event is not Event.SPEECH])
        following = segments[i + 1] if i + 1 < len(segments) else None
        if segment.text and not (following and following.text and following.emotion is segment.emotion):
            text += EMOTION_EMOJI[segment.emotion]
        if text:
            out += ("" if not out or segment.language in _UNSPACED else " ") + text
    return out or nothing


def tagged(transcript: Transcript, itn: bool = True) -> str:
    """SenseVoice's own form, four tags before every segment: ``<|en|><|HAPPY|><|Speech|><|withitn|>words``."""
    norm = "withitn" if itn else "woitn"
    if not transcript.segments:
        return f"<|nospeech|><|EMO_UNKNOWN|><|Event_UNK|><|{norm}|>"
    return " ".join(
        f"<|{s.language}|><|{s.emotion.value}|><|{main_event(s).value}|><|{norm}|>{s.text}" for s in transcript.segments
    )


def main_event(segment: Segment) -> Event:
    """The one event SenseVoice would name: the longest that is not speech; speech where there are words."""
    others = [e for e in segment.events if e.event is not Event.SPEECH]
    if others:
        return max(others, key=lambda e: e.end - e.start).event
    return Event.SPEECH if segment.text or segment.events else Event.EVENT_UNK


def _with_events(segment: Segment, events: list[EventSpan]) -> str:
    """The segment's text with emoji put before the word that an event begins with."""
    text = segment.text
    if not text:
        return "".join(dict.fromkeys(EVENT_EMOJI[e.event] for e in events))
    places: list[tuple[float, int]] = []  # start in seconds, position in the text, of each word
    at = 0
    for word in segment.words:
        found = text.find(word.text, at)
        if found >= 0:
            places.append((word.start, found))
            at = found + len(word.text)
    if not places:
        places = [(segment.start, 0)]
    for event in sorted(events, key=lambda e: e.start, reverse=True):
        later = [place for start, place in places if start >= event.start]
        where = later[0] if later else len(text)
        text = text[:where] + EVENT_EMOJI[event.event] + text[where:]
    return text
