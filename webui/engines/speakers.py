"""Who speaks: CAM++ voice prints of a recording's speech, sorted into speakers when all of it was heard."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from webui.audio.vad import RATE
from webui.engines.listening import Stretch
from webui.types import EventSpan, Segment, Word

WINDOW, STEP = 1.5, 0.75  # seconds that one voice print is taken from, and from one to the next
_ENDS = "。？！.?!…"
_PUNCTUATION_ENDS = frozenset({3, 4})  # what ct-punc calls a full stop and a question mark
Turn = tuple[float, float, int]
"""Start and end in seconds, and whose turn it is."""


@dataclass(frozen=True)
class SpeakerModels:
    """funasr's models of CAM++ and, where it is to be had, ct-punc, which finds the sentences in plain words."""

    voice: Any
    punctuation: Any | None


class SpeakerTurns:
    """The speakers of one recording. ``lock`` is held around each use of a model."""

    def __init__(self, models: SpeakerModels, lock: threading.Lock) -> None:
        self._models = models
        self._lock = lock
        self._windows: list[tuple[float, float]] = []
        self._prints: list[npt.NDArray[np.float32]] = []
        self._names: dict[int, str] = {}

    def add(self, stretch: Stretch) -> None:
        """Take the voice prints of one stretch of speech."""
        from funasr.models.campplus.utils import sv_chunk

        chunks = sv_chunk([[stretch.start, stretch.end, stretch.audio.samples]], fs=RATE)
        with self._lock:
            found = self._models.voice.generate(input=[samples for _, _, samples in chunks], batch_size=len(chunks))
        self._windows += [(start, end) for start, end, _ in chunks]
        self._prints += [np.asarray(row.cpu(), np.float32) for result in found for row in result["spk_embedding"]]

    def name(self, segments: Sequence[Segment]) -> Iterator[Segment]:
        """The segments with their speakers, "1" for the first to be heard; one in which several speak is cut."""
        turns = self._turns()
        for segment in segments:
            if segment.text and turns:
                yield from self._split(segment, turns)
            else:
                yield segment

    def _turns(self) -> list[Turn]:
        if not self._prints:
            return []
        import torch
        from funasr.models.campplus.cluster_backend import ClusterBackend
        from funasr.models.campplus.utils import postprocess

        prints = np.stack(self._prints)
        labels = ClusterBackend()(torch.from_numpy(prints), oracle_num=None)
        windows = [[start, end, None] for start, end in self._windows]
        return [(float(a), float(b), int(who)) for a, b, who in postprocess(windows, None, labels, prints)]

    def _split(self, segment: Segment, turns: Sequence[Turn]) -> Iterator[Segment]:
        """A speaker for each sentence; sentences of one speaker that follow each other stay together."""
        groups: list[tuple[int, list[Word]]] = []
        for sentence in self._sentences(segment.words):
            who = _who(sentence[0].start, sentence[-1].end, turns)
            if groups and groups[-1][0] == who:
                groups[-1][1].extend(sentence)
            else:
                groups.append((who, list(sentence)))
        if len(groups) < 2:
            who = groups[0][0] if groups else _who(segment.start, segment.end, turns)
            yield replace(segment, speaker=self._name(who))
            return
        at = 0
        for number, (who, words) in enumerate(groups):
            start = segment.start if not number else words[0].start
            end = segment.end if number == len(groups) - 1 else groups[number + 1][1][0].start
            until = len(segment.text) if number == len(groups) - 1 else _after(segment.text, at, words)
            events = tuple(EventSpan(e.event, start, end, e.confidence) for e in segment.events)
            text, at = segment.text[at:until].strip(), until
            named = replace(segment, text=text, events=events, words=tuple(words), speaker=self._name(who))
            yield replace(named, start=start, end=end)

    def _name(self, who: int) -> str:
        return self._names.setdefault(who, str(len(self._names) + 1))

    def _sentences(self, words: Sequence[Word]) -> Iterator[list[Word]]:
        ends = [word.text[-1] in _ENDS for word in words]
        if words and not any(ends) and self._models.punctuation is not None:
            ends = self._guessed_ends(self._models.punctuation, words)
        sentence: list[Word] = []
        for word, last in zip(words, ends, strict=True):
            sentence.append(word)
            if last:
                yield sentence
                sentence = []
        if sentence:
            yield sentence

    def _guessed_ends(self, model: Any, words: Sequence[Word]) -> list[bool]:
        """Which words ct-punc would end a sentence with; none where it counts the words differently."""
        with self._lock:
            (result,) = model.generate(input=" ".join(word.text for word in words))
        marks = [int(mark) for mark in result.get("punc_array", ())]
        return [mark in _PUNCTUATION_ENDS for mark in marks] if len(marks) == len(words) else [False] * len(words)


def _who(start: float, end: float, turns: Sequence[Turn]) -> int:
    """Whose turns share most time with this part; where none does, whose is nearest."""
    shared: dict[int, float] = {}
    for a, b, who in turns:
        shared[who] = shared.get(who, 0.0) + max(0.0, min(b, end) - max(a, start))
    best = max(shared, key=lambda who: shared[who])
    if shared[best]:
        return best
    return min(turns, key=lambda turn: max(turn[0] - end, start - turn[1]))[2]


def _after(text: str, at: int, words: Sequence[Word]) -> int:
    """Where in ``text`` these words end that follow each other from ``at`` on."""
    for word in words:
        found = text.find(word.text, at)
        at = found + len(word.text) if found >= 0 else at
    return at
