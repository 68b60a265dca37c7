"""``python -m bench.understand --manifest FILE``: how well the recognizer understands a folder of recordings.

The manifest is a table with a header line, tabs or commas between columns: ``file`` (relative to the manifest),
``language``, ``transcript``, ``emotion``, ``event``; a column may be missing and any cell empty. Every recording is
read and recognised as the page would do it, with the language left open. Prints a table, then one JSON object:

clips             recordings that were read
wer, cer          insertions, deletions and substitutions over all clips with a transcript, divided by the length of
                  all transcripts: in words for languages written with spaces, in characters for zh, yue, ja, ko and
                  th (where foreign words count as one character each). Both sides are first made equal in case,
                  punctuation, width of characters, script (simplified) and digits.
emotion_uar       mean over the emotions of the share of each that was told right, over clips with a label that were
                  given one; a label that is not one of SenseVoice's emotions is left out
emotion_coverage  share of the labelled clips that were given an emotion at all
event_f1          micro F1 of (clip, event) pairs over clips whose ``event`` cell is filled (several by ``;``);
                  ``Speech``, ``none`` or any other word says that none of our events is there; speech is not counted
event_false       events heard, per hour of those clips, that their cells do not name
rtf               seconds of work per second of sound, model loading and the first clip's warm-up left out

A measure that no clip has a label for is null.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from webui.audio.decode import decode
from webui.config import Settings
from webui.engines.protocols import RecognitionRequest, Recognizer
from webui.engines.registry import Engines
from webui.engines.store import ModelStore
from webui.errors import AudioError
from webui.features.render import rich
from webui.text.script import language_of
from webui.text.written import written
from webui.types import Emotion, Event, Transcript

BY_CHARACTER = frozenset({"zh", "yue", "ja", "ko", "th"})
_EMOTIONS = {e.value: e for e in Emotion if e not in (Emotion.EMO_UNKNOWN, Emotion.OTHER)} | {
    "HAPPINESS": Emotion.HAPPY,
    "JOY": Emotion.HAPPY,
    "SADNESS": Emotion.SAD,
    "ANGER": Emotion.ANGRY,
    "FEAR": Emotion.FEARFUL,
    "DISGUST": Emotion.DISGUSTED,
    "SURPRISE": Emotion.SURPRISED,
}
_CHARACTER = re.compile(r"[a-z0-9\u00df-\u024f]+|\w")  # a foreign word, or one character
_EVENTS = {e.value.lower(): e for e in Event if e is not Event.SPEECH}


@dataclass(frozen=True)
class Clip:
    """One line of the manifest; None where it says nothing."""

    path: Path
    language: str | None = None
    transcript: str | None = None
    emotion: Emotion | None = None
    events: frozenset[Event] | None = None


@dataclass(frozen=True)
class Heard:
    """What the recognizer made of a clip."""

    clip: Clip
    transcript: Transcript
    seconds_of_work: float


@dataclass
class Errors:
    """Edit distance so far, and the length it is measured against."""

    wrong: int = 0
    length: int = 0

    @property
    def rate(self) -> float | None:
        """Errors per word or character."""
        return round(self.wrong / self.length, 4) if self.length else None


@dataclass
class Scores:
    """Everything that the last line says."""

    by_language: dict[str, Errors] = field(default_factory=lambda: defaultdict(Errors))
    told: dict[Emotion, list[bool]] = field(default_factory=lambda: defaultdict(list))
    with_emotion: int = 0
    hits: int = 0
    misses: int = 0
    false: int = 0
    judged_seconds: float = 0.0


def read_manifest(path: Path) -> list[Clip]:
    """The clips that a manifest names. Raises ``ValueError`` where it has no ``file`` column."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    delimiter = "\t" if lines and "\t" in lines[0] else ","
    rows = list(
        csv.DictReader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL)
    )
    if not rows or "file" not in rows[0]:
        raise ValueError("the manifest needs a header line with a column named file, and a line for each clip")
    clips = []
    for row in rows:
        cell = {k: (v or "").strip() for k, v in row.items() if k}
        transcript = re.sub(r"\s*\[[^]]*\]$", "", cell.get("transcript", ""))  # "[who wrote it]" is not spoken
        events = cell.get("event", "")
        clips.append(
            Clip(
                path.parent / cell["file"],
                cell.get("language") or None,
                transcript if transcript and not transcript.startswith("unknown") else None,
                _EMOTIONS.get(cell.get("emotion", "").upper()),
                _events(events.split(";")) if events else None,
            )
        )
    return clips


def _events(names: Iterable[str]) -> frozenset[Event]:
    return frozenset(_EVENTS[n.strip().lower()] for n in names if n.strip().lower() in _EVENTS)


def units(text: str, language: str) -> list[str]:
    """What error rates count: normalised words, or characters where words are not divided."""
    text = unicodedata.normalize("NFKC", text).lower()
    text = re.sub(r"(?<=[a-z])['’.](?=\W|$|[a-z])", "", text)  # don't and p.m. and Mr. as one word
    text = unicodedata.normalize("NFKC", written(text, "zh" if language == "yue" else language, itn=False)).lower()
    text = re.sub(r"[\W_]+", " ", text).strip()
    return _CHARACTER.findall(text) if language in BY_CHARACTER else text.split()


def edits(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Insertions, deletions and substitutions between two sequences."""
    import jiwer

    if not reference:
        return len(heard)
    out = jiwer.process_words(" ".join(reference), " ".join(heard))
    return int(out.substitutions + out.deletions + out.insertions)


def measure(heard: Iterable[Heard]) -> Scores:
    """Compare what was heard with what the manifest says."""
    scores = Scores()
    for h in heard:
        clip, transcript = h.clip, h.transcript
        if clip.transcript is not None:
            language = clip.language or language_of(clip.transcript)
            language = language if language in BY_CHARACTER or len(language) == 2 else language_of(clip.transcript)
            reference = units(clip.transcript, language)
            errors = scores.by_language[language]
            errors.wrong += edits(reference, units(transcript.text, language))
            errors.length += len(reference)
        if clip.emotion is not None:
            scores.with_emotion += 1
            if transcript.emotion is not Emotion.EMO_UNKNOWN:
                scores.told[clip.emotion].append(transcript.emotion is clip.emotion)
        if clip.events is not None:
            found = [e.event for e in transcript.events if e.event is not Event.SPEECH]
            scores.hits += len(clip.events & set(found))
            scores.misses += len(clip.events - set(found))
            scores.false += sum(e not in clip.events for e in found)
            scores.judged_seconds += transcript.duration
    return scores


def summary(scores: Scores, clips: int, work: float, sound: float) -> dict[str, float | int | None]:
    """The JSON object of the last line."""
    words = [e for code, e in scores.by_language.items() if code not in BY_CHARACTER]
    characters = [e for code, e in scores.by_language.items() if code in BY_CHARACTER]
    recalls = [sum(told) / len(told) for told in scores.told.values() if told]
    labelled = sum(len(told) for told in scores.told.values())
    pairs = 2 * scores.hits + scores.misses + scores.false
    return {
        "clips": clips,
        "wer": _together(words).rate,
        "cer": _together(characters).rate,
        "emotion_uar": round(sum(recalls) / len(recalls), 4) if recalls else None,
        "emotion_coverage": round(labelled / scores.with_emotion, 4) if scores.with_emotion else None,
        "event_f1": round(2 * scores.hits / pairs, 4) if pairs else None,
        "event_false": round(scores.false / scores.judged_seconds * 3600, 2) if scores.judged_seconds else None,
        "rtf": round(work / sound, 4) if sound else None,
    }


def _together(errors: Iterable[Errors]) -> Errors:
    total = Errors()
    for e in errors:
        total.wrong += e.wrong
        total.length += e.length
    return total


def understand(recognizer: Recognizer, clips: Sequence[Clip], console: Console) -> list[Heard]:
    """Recognise every clip, printing what was heard. A file that cannot be read is named and left out."""
    heard = []
    for clip in clips:
        started = time.perf_counter()
        try:
            audio = decode(clip.path)
            transcript = Transcript(tuple(recognizer.transcribe(RecognitionRequest(audio))), audio.duration)
        except AudioError as error:
            console.print(f"{clip.path.name}: {error.message}", style="red", markup=False)
            continue
        heard.append(Heard(clip, transcript, time.perf_counter() - started))
        console.print(f"{clip.path.name}  {transcript.language}  {rich(transcript)}", markup=False, highlight=False)
    return heard


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How well the recognizer understands a folder of recordings.")
    parser.add_argument("--manifest", type=Path, required=True, help="table with a column file and any labels")
    args = parser.parse_args()
    console = Console()
    try:
        clips = read_manifest(args.manifest)
    except (OSError, ValueError, csv.Error) as error:
        parser.error(str(error))
    settings = Settings()
    recognizer = Engines(settings, ModelStore(settings.models_dir)).recognizer
    recognizer.load()
    understand(recognizer, clips[:1], Console(quiet=True))  # warm-up
    heard = understand(recognizer, clips, console)
    scores = measure(heard)
    table = Table("language", "errors", "of", "rate")
    for code, errors in sorted(scores.by_language.items()):
        table.add_row(code, str(errors.wrong), str(errors.length), str(errors.rate))
    console.print(table)
    table = Table("emotion", "labelled and told", "right")
    for emotion, told in sorted(scores.told.items()):
        table.add_row(emotion.value, str(len(told)), str(sum(told)))
    console.print(table)
    work, sound = sum(h.seconds_of_work for h in heard), sum(h.transcript.duration for h in heard)
    print(json.dumps(summary(scores, len(heard), work, sound)))


if __name__ == "__main__":
    main()
