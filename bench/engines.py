"""``python -m bench.engines``: what SenseVoice costs on this CPU, beside Whisper base, and what its adapter adds.

SenseVoice's graph has its true size and random weights (the cost does not depend on them), int8, in sherpa-onnx; it is
made once, by the environment of ``bash scripts/engine_envs.sh funasr``, and kept under .cache/bench. Whisper base
runs as faster-whisper runs it when nothing is asked of it (beam of 5, language detected), and as this program does, in
shorter windows and with sound events, emotion and word times. All hear the same speech, 10 s and 60 s of the example
clips, with the same number of threads, in turns. What is measured is processor time, which depends least on whatever
else the machine does, and of all rounds the median counts: Whisper draws anew where it doubts itself, so that the same
speech costs it now more, now less. Prints a table, then one JSON object:

sensevoice_speedup_over_whisper  how many times less SherpaSenseVoice takes than faster-whisper, in the worse length
adapter_overhead                 share that SherpaSenseVoice.transcribe adds to sherpa-onnx's own calls, for the 10 s
peak_rss_mb                      most memory that SenseVoice's process ever had, in MB
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from webui.audio.decode import decode
from webui.config import ROOT, Settings
from webui.engines.protocols import RecognitionRequest, Recognizer
from webui.engines.sensevoice_export import EXPORTED, MODEL
from webui.engines.sensevoice_onnx import SherpaSenseVoice
from webui.engines.store import ModelStore
from webui.engines.whisper import WhisperRecognizer
from webui.types import Audio

CACHE = ROOT / ".cache" / "bench"
ENVIRONMENT = ROOT / ".cache" / "env-funasr" / "bin" / "python"
RATE = 16_000
SHORT, LONG = 10, 60  # seconds
Job = tuple[str, int]
"""What is run, and over how many seconds of speech."""
_SENSEVOICE_JOBS: list[Job] = [*[("SenseVoice", SHORT), ("SenseVoice, library alone", SHORT)] * 3, ("SenseVoice", LONG)]
_WHISPER_JOBS: list[Job] = [(name, s) for name in ("Whisper base", "Whisper base, as here") for s in (SHORT, LONG)]


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.engines", description="SenseVoice beside Whisper base, on the CPU."
    )
    parser.add_argument("--rounds", type=int, default=9, help="how often each is run (default 9)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads for each model (default 1)")
    asked = parser.parse_args()
    make_graph()
    found, peak = measure(asked.rounds, asked.threads)
    show(found, asked.threads)
    print(json.dumps(compare(found, peak)))


def compare(found: dict[Job, list[float]], peak: float) -> dict[str, float]:
    """The JSON object of the seconds of every run, and of the peak memory in MB."""

    def times_as_much(job: Job, other: Job) -> float:
        return float(np.median(found[job]) / np.median(found[other]))

    speedup = min(times_as_much(("Whisper base", s), ("SenseVoice", s)) for s in (SHORT, LONG))
    overhead = times_as_much(("SenseVoice", SHORT), ("SenseVoice, library alone", SHORT)) - 1
    return {
        "sensevoice_speedup_over_whisper": round(speedup, 2),
        "adapter_overhead": round(overhead, 4),
        "peak_rss_mb": round(peak),
    }


def make_graph() -> None:
    """Make the graph, where it is not here yet: some minutes and, for that time, 3 GB of disk."""
    if (CACHE / EXPORTED / MODEL).exists():
        return
    if not ENVIRONMENT.exists():
        raise SystemExit("This needs the environment of funasr: run `bash scripts/engine_envs.sh funasr` first.")
    print("making SenseVoice's graph with random weights, some minutes …", flush=True)
    checkpoint = CACHE / "checkpoint"
    for module, *folders in (
        ("bench.random_sensevoice", checkpoint),
        ("webui.engines.sensevoice_export", checkpoint, CACHE / EXPORTED),
    ):
        command = [str(ENVIRONMENT), "-m", module, *map(str, folders)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(checkpoint)


def measure(rounds: int, threads: int) -> tuple[dict[Job, list[float]], float]:
    """Processor seconds of every run, and the peak memory in MB of SenseVoice's process."""
    found: dict[Job, list[float]] = defaultdict(list)
    with _process(_sensevoice, threads) as sensevoice, _process(_whisper, threads) as whisper:
        for number in range(-1, rounds):  # the first round warms up
            for ask, jobs in ((sensevoice, _SENSEVOICE_JOBS), (whisper, _WHISPER_JOBS)):
                for job in jobs if number % 2 else jobs[::-1]:  # whichever comes second finds warmer caches
                    seconds = ask(job)
                    if number >= 0:
                        found[job].append(seconds)
        peak = sensevoice(("peak", 0))
    return found, peak


def show(found: dict[Job, list[float]], threads: int) -> None:
    """The table."""
    table = Table(title=f"processor time, {threads} thread(s)")
    for column in ("", "speech", "least", "median", "times real time"):
        table.add_column(column, justify="left" if not column else "right")
    for (name, seconds), times in sorted(found.items(), key=lambda item: (item[0][1], item[0][0])):
        least = min(times)
        table.add_row(
            name, f"{seconds} s", f"{least:.3f} s", f"{float(np.median(times)):.3f} s", f"{seconds / least:.1f}"
        )
    Console().print(table)


def speech(seconds: int) -> Audio:
    """So many seconds of the example clips, one after the other."""
    clips = sorted((ROOT / "assets" / "clips").glob("*.wav"))
    joined = np.concatenate([decode(clip, RATE).samples for clip in clips])
    return Audio(np.tile(joined, 1 + seconds * RATE // len(joined))[: seconds * RATE], RATE)


@contextmanager
def _process(
    work: Callable[[int], dict[str, Callable[[Audio], object]]], threads: int
) -> Iterator[Callable[[Job], float]]:
    """A process with an engine in it; asked for a job it tells the seconds that it took."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work, threads), daemon=True)
    process.start()

    def ask(job: Job) -> float:
        ours.send(job)
        return float(ours.recv())

    try:
        yield ask
    finally:
        ours.send(None)
        process.join()


def _serve(
    asked: Connection[Any, Any], work: Callable[[int], dict[str, Callable[[Audio], object]]], threads: int
) -> None:
    engines = work(threads)
    sounds = {seconds: speech(seconds) for seconds in (SHORT, LONG)}
    while (job := asked.recv()) is not None:
        name, seconds = job
        if name == "peak":
            asked.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
            continue
        began = time.process_time()
        engines[name](sounds[seconds])
        asked.send(time.process_time() - began)


def _sensevoice(threads: int) -> dict[str, Callable[[Audio], object]]:
    engine = SherpaSenseVoice(ModelStore(CACHE), Settings(threads=threads))
    library = engine._recognizer("auto", itn=True)

    def bare(audio: Audio) -> object:
        stream = library.create_stream()
        stream.accept_waveform(audio.rate, audio.samples)
        library.decode_stream(stream)
        return stream.result.text

    return {"SenseVoice": _all_of(engine), "SenseVoice, library alone": bare}


def _whisper(threads: int) -> dict[str, Callable[[Audio], object]]:
    from faster_whisper import WhisperModel

    store = ModelStore(ROOT / "models")
    model = WhisperModel(
        str(store.ensure("whisper-base")), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
    )
    engine = WhisperRecognizer(store, Settings(threads=threads, device="cpu"))
    return {
        "Whisper base": lambda audio: list(model.transcribe(audio.samples)[0]),
        "Whisper base, as here": _all_of(engine),
    }


def _all_of(engine: Recognizer) -> Callable[[Audio], object]:
    return lambda audio: list(engine.transcribe(RecognitionRequest(audio)))


if __name__ == "__main__":
    main()
