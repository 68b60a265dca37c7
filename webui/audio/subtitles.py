"""A ``Transcript`` as files: SRT and WebVTT subtitles, JSON, and text with times."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from webui.types import Emotion, Event, Segment, Transcript, Word

MAX_WIDTH = 42  # columns of a subtitle; a Chinese character takes two
MAX_SECONDS = 7.0  # that one subtitle stays
SHORTEST_PAUSE = 0.5  # seconds: a good place to begin another subtitle
_UNSPACED = ("zh", "ja", "yue", "th")
_WIDE = re.compile("[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uff60]")


def to_srt(transcript: Transcript) -> str:
    """SubRip subtitles; emotion and sound events stand in brackets as notes."""
    return _subtitles(transcript, "srt")


def to_vtt(transcript: Transcript) -> str:
    """The same as WebVTT."""
    return _subtitles(transcript, "vtt")


def to_txt(transcript: Transcript) -> str:
    """One line a segment: its time, its notes, its words."""
    lines = []
    for s in transcript.segments:
        who = f"{s.speaker}: " if s.speaker else ""
        lines.append(f"[{_clock(s.start)}] {who}{' '.join(filter(None, (_notes(s), s.text)))}")
    return "\n".join(lines) + ("\n" if lines else "")


def to_json(transcript: Transcript) -> str:
    """Everything that is known, times in seconds, emotions and events by their SenseVoice names."""
    return json.dumps(
        {
            "duration": round(transcript.duration, 3),
            "language": transcript.language,
            "emotion": transcript.emotion.value,
            "text": transcript.text,
            "segments": [
                {
                    "start": s.start,
                    "end": s.end,
                    "text": s.text,
                    "language": s.language,
                    "emotion": s.emotion.value,
                    "emotion_confidence": round(s.emotion_confidence, 3),
                    "arousal": None if s.arousal is None else round(s.arousal, 3),
                    "speaker": s.speaker,
                    "confidence": round(s.confidence, 3),
                    "events": [
                        {"event": e.event.value, "start": e.start, "end": e.end, "confidence": round(e.confidence, 3)}
                        for e in s.events
                    ],
                    "words": [
                        {"text": w.text, "start": w.start, "end": w.end, "confidence": w.confidence} for w in s.words
                    ],
                }
                for s in transcript.segments
            ],
        },
        ensure_ascii=False,
        indent=2,
    )


def _subtitles(transcript: Transcript, form: str) -> str:
    import pysubs2

    file = pysubs2.SSAFile()
    for segment in transcript.segments:
        note = _notes(segment)
        for i, (start, end, text) in enumerate(_lines(segment)):
            shown = " ".join(filter(None, (note if i == 0 else "", text)))
            event = pysubs2.SSAEvent(start=round(start * 1000), end=round(end * 1000))
            event.plaintext = _harmless(shown, form)
            file.append(event)
    return str(file.to_string(form))


def _harmless(text: str, form: str) -> str:
    """Recognised words are words, never markup or a time line of the file they stand in."""
    text = text.replace("{", "(").replace("}", ")").replace("\\", "/").replace("-->", "→")
    if form == "vtt":
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("<", "‹").replace(">", "›")


def _notes(segment: Segment) -> str:
    names = [] if segment.emotion is Emotion.EMO_UNKNOWN else [segment.emotion.value.lower()]
    names += dict.fromkeys(e.event.value.lower() for e in segment.events if e.event is not Event.SPEECH)
    return f"[{', '.join(names)}]" if names else ""


def _lines(segment: Segment) -> Iterator[tuple[float, float, str]]:
    """The segment in pieces that can be read at a glance: start and end in seconds, and text."""
    if not segment.words:
        yield segment.start, segment.end, segment.text
        return
    line: list[Word] = []
    for word in segment.words:
        if line and _full(line, word, segment.language):
            yield line[0].start, word.start, _join(line, segment.language)
            line = []
        line.append(word)
    yield line[0].start, max(line[-1].end, line[0].start + 0.1), _join(line, segment.language)


def _full(line: Sequence[Word], word: Word, language: str) -> bool:
    """Whether ``word`` should begin another subtitle."""
    width = _width(_join([*line, word], language))
    sentence_over = line[-1].text[-1] in ".!?。！？" and width > MAX_WIDTH / 3
    paused = word.start - line[-1].end >= SHORTEST_PAUSE
    return width > MAX_WIDTH or word.end - line[0].start > MAX_SECONDS or sentence_over or paused


def _join(words: Sequence[Word], language: str) -> str:
    """Words as they are written: spaces between them, none beside Chinese or Japanese characters."""
    out = ""
    for word in words:
        tight = language in _UNSPACED and (not out or _WIDE.match(out[-1]) or _WIDE.match(word.text[0]))
        out += word.text if tight or not out else " " + word.text
    return out


def _width(text: str) -> int:
    return sum(2 if _WIDE.match(c) else 1 for c in text)


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
