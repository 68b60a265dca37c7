"""The sums, the table, and the last line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table


@dataclass
class Taken:
    """What one system took, in seconds from the end of a question to the first sound; below 0 it did not wait for it.

    ``failures`` are the rounds without an answer, and ``missing`` is why the system could not be asked at all.
    """

    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    missing: str = ""


@dataclass
class Talks:
    """What our program did in conversations held at once. ``following`` and ``plain`` are seconds to silence."""

    sessions: int
    latencies: list[float] = field(default_factory=list)
    following: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    stale: int = 0
    underruns: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass
class Embedded:
    """With the embedded engines: seconds as in ``Taken``, and the characters of each reply."""

    ours: Taken = field(default_factory=Taken)
    serial: Taken = field(default_factory=Taken)
    ours_characters: list[int] = field(default_factory=list)
    serial_characters: list[int] = field(default_factory=list)

    @property
    def ratio(self) -> float | None:
        """Our median to the serial way's."""
        ours, serial = percentile(self.ours.latencies, 50), percentile(self.serial.latencies, 50)
        return ours / serial if ours is not None and serial is not None else None


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Between the two values that lie beside it where it falls between; None of nothing."""
    return float(np.percentile(values, percent)) if values else None


def summary(compared: dict[str, Taken], talks: Sequence[Talks], embedded: Embedded) -> dict[str, Any]:
    """The last line: ``ours`` and ``serial`` among those ``compared`` are no peers."""
    peers = {
        name: percentile(taken.latencies, 50) for name, taken in compared.items() if name not in ("ours", "serial")
    }
    ours = compared["ours"].latencies
    best = min((p50 for p50 in peers.values() if p50 is not None), default=None)
    p50 = percentile(ours, 50)
    cuts = [seconds for talk in talks for seconds in talk.following]
    barge_in = percentile(cuts, 95)
    return {
        "ours_p50_s": rounded(p50),
        "ours_p95_s": rounded(percentile(ours, 95)),
        "peers": {name: rounded(value) for name, value in peers.items()},
        "ratio_to_best_peer": rounded(p50 / best if p50 is not None and best is not None else None),
        "barge_in_p95_ms": None if barge_in is None else round(barge_in * 1000),
        "underruns": sum(len(talk.underruns) for talk in talks),
        "stale": sum(talk.stale for talk in talks),
        "embedded_ratio_to_serial": rounded(embedded.ratio),
    }


def rounded(value: float | None) -> float | None:
    """To milliseconds."""
    return None if value is None else round(value, 3)


def show(compared: dict[str, Taken], talks: Sequence[Talks], embedded: Embedded) -> None:
    """The tables, on the terminal, and below them what went wrong."""
    console = Console(width=100, highlight=False)
    one = Table(title="one conversation: seconds from the end of speech to the first sound")
    for column in ("", "p50", "p95", "least", "most", "answers"):
        one.add_column(column, justify="right" if column else "left")
    rows = {**compared, "ours, embedded engines": embedded.ours, "serial, embedded engines": embedded.serial}
    for name, taken in rows.items():
        values = taken.latencies
        least, most = (min(values), max(values)) if values else (None, None)
        figures = (percentile(values, 50), percentile(values, 95), least, most)
        one.add_row(name, *map(_seconds, figures), str(len(values)))
    console.print(one)
    many = Table(
        title="our program, several conversations: seconds to sound; ms until a listener is silent, and a plain one"
    )
    for column in ("at once", "p50", "p95", "silent p50", "p95", "plain p50", "p95", "stale", "underruns", "most"):
        many.add_column(column, justify="right")
    for talk in talks:
        many.add_row(
            str(talk.sessions),
            *(_seconds(percentile(talk.latencies, p)) for p in (50, 95)),
            *(_milliseconds(percentile(values, p)) for values in (talk.following, talk.plain) for p in (50, 95)),
            str(talk.stale),
            str(len(talk.underruns)),
            _milliseconds(max(talk.underruns, default=None)),
        )
    console.print(many)
    lengths = [f"{round(np.median(n))}" if n else "–" for n in (embedded.ours_characters, embedded.serial_characters)]
    console.print(f"characters in a reply of the embedded engines, median: ours {lengths[0]}, serial {lengths[1]}")
    notes = {name: _note(taken) for name, taken in rows.items()}
    notes |= {f"{talk.sessions} at once": "; ".join(dict.fromkeys(talk.failures)) for talk in talks}
    for name, note in notes.items():
        if note:
            console.print(f"{name}: {note}")


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value * 1000:.0f}"


def _note(taken: Taken) -> str:
    early = sum(latency < 0 for latency in taken.latencies)
    notes = [taken.missing, f"{early} before the question was over" if early else "", *dict.fromkeys(taken.failures)]
    return "; ".join(note for note in notes if note)
