"""Latency marks of one turn: when each stage was first reached, on one monotonic clock."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

TRANSCRIPT, FIRST_TOKEN, FIRST_AUDIO = "transcript", "first_token", "first_audio"


@dataclass
class LatencyMarks:
    """Seconds since the person stopped speaking, by stage. The first mark of a stage counts."""

    started: float = field(default_factory=time.monotonic)
    marks: dict[str, float] = field(default_factory=dict)

    def mark(self, stage: str) -> None:
        """Note that ``stage`` was reached now."""
        self.marks.setdefault(stage, time.monotonic() - self.started)

    def summary(self) -> dict[str, float]:
        """How long the stages took: ``heard_s``, ``thought_s``, ``first_sound_s`` and their sum ``total_s``.

        Heard: speech end to transcript. Thought: to the first token. First sound: to the first audio. Stages that
        were not reached are left out.
        """
        out: dict[str, float] = {}
        before = 0.0
        for name, stage in (
            ("heard_s", TRANSCRIPT),
            ("thought_s", FIRST_TOKEN),
            ("first_sound_s", FIRST_AUDIO),
        ):
            if stage in self.marks:
                out[name] = round(self.marks[stage] - before, 3)
                out["total_s"] = round(self.marks[stage], 3)
                before = self.marks[stage]
        return out
