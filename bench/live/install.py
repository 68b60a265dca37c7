"""Other pipelines, each in an environment of its own under .cache/peers, made when it is first wanted."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from bench.live.programs import NotRunning, last_line, log_of
from webui.config import ROOT

PEERS = ROOT / ".cache" / "peers"


@dataclass(frozen=True)
class Environment:
    """``steps`` are the arguments of one ``pip install`` after the other."""

    name: str
    steps: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it is."""
        return PEERS / self.name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"


PIPECAT = Environment("pipecat", ("pipecat-ai[openai,silero]==1.14.0",))
# Its own requirements want torchaudio, and as plain `torch` one for CUDA: several gigabytes that are not used.
S2S = Environment(
    "s2s",
    (
        "torch==2.13.0 transformers==5.23.0 openai==2.28.0 fastapi uvicorn websockets nltk==3.10.3 rich librosa "
        "sounddevice soundfile soxr lingua-language-detector onnxruntime scipy jsonschema pillow",
        "--no-deps silero-vad==6.2.3 speech-to-speech==1.1.0",
    ),
)


_LOCK = threading.Lock()


def install(environment: Environment) -> None:
    """Make it where it is not there or was not finished: minutes. Raises ``NotRunning``."""
    with _LOCK:
        _install(environment)


def _install(environment: Environment) -> None:
    finished = environment.folder / "installed.txt"
    wanted = "\n".join(environment.steps)
    if finished.exists() and finished.read_text() == wanted:
        return
    print(f"installing {environment.name} into {environment.folder} …", flush=True)
    name = f"install-{environment.name}"
    commands = [[sys.executable, "-m", "venv", "--clear", str(environment.folder)]]
    pip = [str(environment.python), "-m", "pip", "install", "--quiet", "--no-input"]
    commands += [[*pip, *step.split()] for step in environment.steps]
    with log_of(name).open("wb") as log:
        for command in commands:
            if subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ}).returncode:
                raise NotRunning(f"it could not be installed: {last_line(name)}")
    finished.write_text(wanted)


def smart_turn() -> Path | None:
    """The turn detector's weights, which pipecat's package brings and speech-to-speech would fetch."""
    return next(PIPECAT.folder.glob("lib/python3*/site-packages/pipecat/**/smart-turn*.onnx"), None)
