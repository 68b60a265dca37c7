"""Sounds that are not words: YAMNet (AudioSet, 521 classes) heard as SenseVoice's events, with onset and offset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from webui.errors import ModelError
from webui.types import Event, EventSpan, Samples

RATE = 16_000
WINDOW, HOP, MELS = 400, 160, 64  # 25 ms, 10 ms
PATCH = 96  # mel frames that YAMNet looks at together: 0.96 s
CELL = 24  # mel frames that one score stands for: 0.24 s
CELL_SECONDS = CELL * HOP / RATE
PATCH_SAMPLES = (PATCH - 1) * HOP + WINDOW
CELL_SAMPLES = CELL * HOP

# Quantisation of this w8a8 export, from its own graph: real = scale * (value - zero).
_IN_SCALE, _IN_ZERO = 0.04793788, 144
_OUT_SCALE, _OUT_ZERO = 0.75654173, 190


@dataclass(frozen=True)
class Rule:
    """How one event is told: from the loudest of these AudioSet classes (numbers of YAMNet's class map).

    It begins when the score reaches ``on``, goes on while it is at least ``off``, and is nothing when shorter than
    ``shortest`` seconds. The model's scores are coarse steps: .18 .32 .50 .68 .82 .91 .95 .98.
    """

    classes: tuple[int, ...]
    on: float = 0.5
    off: float = 0.3
    shortest: float = 0.0
    weight: float = 1.0


# Speech, cry and sneeze were set on recordings with and without them; the rest so that none is heard in clean speech.
RULES: Mapping[Event, Rule] = {
    Event.SPEECH: Rule((0, 1, 2, 3, 5, 12)),
    Event.LAUGHTER: Rule((13, 14, 15, 16, 17, 18), on=0.6),
    Event.CRY: Rule((19, 20, 21, 22)),
    Event.SING: Rule((24, 25, 26, 27, 29, 30, 31, 32), shortest=0.5),
    Event.BREATH: Rule((23, 36, 37, 39, 40), on=0.6),
    Event.COUGH: Rule((42, 43)),
    # YAMNet hears a cough, too, in half of all sneezes, and a sigh before them; what it calls a sneeze is rarely else.
    Event.SNEEZE: Rule((44,), on=0.3, weight=4.0),
    Event.APPLAUSE: Rule((58, 62)),
    Event.BGM: Rule((132, 262, 263, 265), on=0.6, shortest=1.0),
}
EVENTS = tuple(RULES)
# One throat makes one of these at a time: the strongest stays.
_RIVALS = frozenset({Event.LAUGHTER, Event.CRY, Event.BREATH, Event.COUGH, Event.SNEEZE})
_BESIDE = 0.5  # seconds


class YamNet:
    """The model: patches of sound in, a score for each of ``EVENTS`` out. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises types of its own that share no base
            raise ModelError("model_broken", "The sound event model cannot be loaded: fetch it again.") from error

    def scores(self, samples: Samples) -> npt.NDArray[np.float32]:
        """Scores (patches, events), 0 to 1, of 16 kHz samples; patch k begins 0.24 k seconds into them."""
        count = (len(samples) - PATCH_SAMPLES) // CELL_SAMPLES + 1
        if count < 1:
            return np.zeros((0, len(EVENTS)), np.float32)
        mel = _log_mel(samples[: (count - 1) * CELL_SAMPLES + PATCH_SAMPLES])
        quantised = np.clip(np.rint(mel / _IN_SCALE + _IN_ZERO), 0, 255).astype(np.uint8)
        out = np.empty((count, len(EVENTS)), np.float32)
        for k in range(count):
            patch = quantised[None, None, k * CELL : k * CELL + PATCH]
            logits = _OUT_SCALE * (self._session.run(None, {"audio": patch})[0][0].astype(np.float32) - _OUT_ZERO)
            chances = 1 / (1 + np.exp(np.minimum(-logits, 80)))
            out[k] = [chances[list(rule.classes)].max() for rule in RULES.values()]
        return out


class EventTracker:
    """Listens to one stream of 16 kHz sound and tells its events; each stream has a tracker of its own."""

    def __init__(self, model: YamNet) -> None:
        self._model = model
        self._rest: Samples = np.zeros((PATCH // CELL - 1) * CELL_SAMPLES, np.float32)  # so that patch k ends in cell k
        self._scores = np.zeros((0, len(EVENTS)), np.float32)
        self._first = 0  # patch that ``_scores`` begins with

    @property
    def heard(self) -> float:
        """Seconds of the stream whose events are known."""
        return max(0, self._first + len(self._scores) - PATCH // CELL + 1) * CELL_SECONDS

    def feed(self, samples: Samples) -> None:
        """Take the next samples (n,), of any number."""
        self._rest = np.concatenate((self._rest, samples))
        new = self._model.scores(self._rest)
        self._scores = np.concatenate((self._scores, new))
        self._rest = self._rest[len(new) * CELL_SAMPLES :].copy()

    def finish(self) -> None:
        """The stream has ended."""
        self.feed(np.zeros(PATCH_SAMPLES + CELL_SAMPLES, np.float32))

    def speech(self, start: float, end: float) -> float:
        """How sure YAMNet is, 0 to 1, that somebody speaks between these seconds."""
        part = self._scores[self._patch(start) : self._patch(end) + 1, EVENTS.index(Event.SPEECH)]
        return float(part.max()) if len(part) else 0.0

    def take(self, start: float, end: float) -> tuple[EventSpan, ...]:
        """Events between these seconds, cut to them; of one that lies mostly elsewhere, half a second must be here."""
        found = []
        for span in _settle_rivals(self._spans()):
            a, b = max(span.start, start), min(span.end, end)
            if b - a >= min(0.5, (span.end - span.start) / 2) and b > a:
                found.append(EventSpan(span.event, round(a, 2), round(b, 2), span.confidence))
        return tuple(sorted(found, key=lambda e: (e.start, e.end)))

    def forget(self, before: float) -> None:
        """Drop what is known of the stream more than a patch before this second."""
        drop = max(0, self._patch(before) - PATCH // CELL)
        self._scores = self._scores[drop:]
        self._first += drop

    def _patch(self, seconds: float) -> int:
        return max(0, int(seconds / CELL_SECONDS) - self._first)

    def _spans(self) -> list[EventSpan]:
        spans = []
        for column, (event, rule) in enumerate(RULES.items()):
            scores = self._scores[:, column]
            for first, last in _runs(scores >= rule.off):
                best = float(scores[first : last + 1].max())
                if best < rule.on:
                    continue
                # The first patch to hear it has it in its last cell, the last one in its first cell.
                onset, offset = first, last - PATCH // CELL + 1
                if offset < onset:
                    onset = offset = max(0, (first + last - PATCH // CELL + 2) // 2)
                a, b = (onset + self._first) * CELL_SECONDS, (offset + 1 + self._first) * CELL_SECONDS
                if b - a >= rule.shortest:
                    spans.append(EventSpan(event, a, b, best))
        return spans


def _runs(active: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], active.astype(np.int8), [0]))))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]


def _settle_rivals(spans: list[EventSpan]) -> list[EventSpan]:
    """The spans without those that a stronger rival covers by half, or a much stronger one stands right beside."""

    def strength(span: EventSpan) -> float:
        return span.confidence * (span.end - span.start) * RULES[span.event].weight

    def beaten(span: EventSpan, other: EventSpan) -> bool:
        common = min(span.end, other.end) - max(span.start, other.start)
        beside = common > -_BESIDE and strength(other) >= 2 * strength(span)
        return span.event is not other.event and (common >= (span.end - span.start) / 2 or beside)

    kept: list[EventSpan] = []
    for span in sorted(spans, key=strength, reverse=True):
        rivals = [other for other in kept if {span.event, other.event} <= _RIVALS]
        if not any(beaten(span, other) for other in rivals):
            kept.append(span)
    return kept


@lru_cache(maxsize=1)
def _mel_filters() -> npt.NDArray[np.float32]:
    """Triangles on the HTK mel scale from 125 to 7,500 Hz: (257 bins, 64)."""

    def mel(hertz: float) -> float:
        return 2595.0 * float(np.log10(1 + hertz / 700))

    edges = 700 * (10 ** (np.linspace(mel(125), mel(7500), MELS + 2) / 2595) - 1)
    bins = np.linspace(0, RATE / 2, 257)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)


def _log_mel(samples: Samples) -> npt.NDArray[np.float32]:
    """Log mel spectrum (frames, 64) as YAMNet was trained on it."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
    spectrum = np.abs(np.fft.rfft(frames * hann, 512)).astype(np.float32)
    logs: npt.NDArray[np.float32] = np.log(spectrum @ _mel_filters() + 1e-3)
    return logs
