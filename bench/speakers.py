"""``python -m bench.speakers --manifest FILE``: how well the speaker encoder tells voices apart.

The manifest is a table with a header line, tabs or commas between columns: ``file`` (relative to the manifest) and
``speaker``; with a column ``emotion``, only recordings whose emotion is ``NEUTRAL``, ``BOREDOM`` or empty are taken.
Each speaker's recordings are joined to pieces of at least ``--seconds``, and every piece is compared with every other,
once as recorded and once with one of the two as from another microphone (a telephone's band, and noise 20 dB below the
voice). Prints a table, then one JSON object, with for each way:

genuine, impostor     how many pairs of pieces of one speaker, and of two
eer, eer_at           equal error rate: the share of both that is taken wrong where the threshold makes them equal
false_reject          share of genuine pairs below the threshold of the consent check
false_accept          share of impostor pairs at or above it
genuine_p5, impostor_p95  similarities that 5 of 100 genuine pairs are below, and 5 of 100 impostor pairs above

and ``one`` and ``two``: shares of clips of twice the seconds by one speaker, and by two, in which two are found.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from webui.audio.decode import RATE, decode
from webui.config import ROOT
from webui.engines.speaker_encoder import SpeakerEncoder
from webui.engines.store import ModelStore
from webui.types import Audio, Samples
from webui.voices.clip import one_voice
from webui.voices.consent import SIMILAR

CALM = ("", "NEUTRAL", "BOREDOM")
BAND = (200.0, 3400.0)  # Hz
NOISE = 0.1  # of the voice's own power, as amplitudes: 20 dB

Pieces = Mapping[str, Sequence[Samples]]
"""Each speaker's, at 16 kHz."""
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """What the module's text says of each way."""

    genuine: int
    impostor: int
    eer: float
    eer_at: float
    false_reject: float
    false_accept: float
    genuine_p5: float
    impostor_p95: float


def read(manifest: Path, seconds: float) -> Pieces:
    """The pieces of at least ``seconds`` that the manifest's recordings make."""
    lines = manifest.read_text("utf-8-sig").splitlines()
    rows = csv.DictReader(lines, delimiter="\t" if "\t" in lines[0] else ",")
    calm: dict[str, list[Samples]] = defaultdict(list)
    for row in rows:
        if row.get("emotion", "") in CALM:
            calm[row["speaker"]].append(decode(manifest.parent / row["file"]).samples)
    return {speaker: joined(recordings, seconds) for speaker, recordings in calm.items()}


def joined(recordings: Iterable[Samples], seconds: float) -> list[Samples]:
    """Recordings one behind the other, in pieces of at least so long; what is left over is dropped."""
    pieces: list[Samples] = []
    waiting: list[Samples] = []
    for recording in recordings:
        waiting.append(recording)
        if sum(map(len, waiting)) >= seconds * RATE:
            pieces.append(np.concatenate(waiting))
            waiting = []
    return pieces


def elsewhere(samples: Samples, random: np.random.Generator) -> Samples:
    """The same, as from another microphone."""
    low, high = BAND
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    heard = np.fft.rfft(samples) / (1 + (hertz / high) ** 8) * (hertz / low) ** 2 / (1 + (hertz / low) ** 2)
    sound = np.fft.irfft(heard, len(samples))
    noise = random.standard_normal(len(sound)) * NOISE * np.sqrt((sound**2).mean())
    noisy: Samples = np.clip(sound + noise, -1, 1).astype(np.float32)
    return noisy


def judge(genuine: Matrix, impostor: Matrix) -> Figures:
    """The figures of two sets of similarities."""
    levels = np.sort(np.concatenate((genuine, impostor)))
    rejected = np.searchsorted(np.sort(genuine), levels) / len(genuine)
    accepted = 1 - np.searchsorted(np.sort(impostor), levels) / len(impostor)
    equal = int(np.argmin(np.abs(rejected - accepted)))
    numbers = {
        "eer": (rejected[equal] + accepted[equal]) / 2,
        "eer_at": levels[equal],
        "false_reject": (genuine < SIMILAR).mean(),
        "false_accept": (impostor >= SIMILAR).mean(),
        "genuine_p5": np.percentile(genuine, 5),
        "impostor_p95": np.percentile(impostor, 95),
    }
    return Figures(len(genuine), len(impostor), **{name: round(float(value), 4) for name, value in numbers.items()})


def measure(pieces: Pieces, encoder: SpeakerEncoder) -> dict[str, Figures]:
    """Every piece against every other: as recorded, and with one of the two as from another microphone."""
    random = np.random.default_rng(0)
    speakers = np.array([speaker for speaker, own in pieces.items() for _ in own])
    every = [piece for own in pieces.values() for piece in own]
    known = np.stack([encoder.embed(Audio(piece, RATE)) for piece in every])
    far = np.stack([encoder.embed(Audio(elsewhere(piece, random), RATE)) for piece in every])
    same = speakers[:, None] == speakers[None]
    other = ~np.eye(len(every), dtype=bool)
    ways = {"as recorded": known @ known.T, "another microphone": far @ known.T}
    return {name: judge(alike[same & other], alike[~same]) for name, alike in ways.items()}


def two_found(pieces: Pieces, encoder: SpeakerEncoder) -> tuple[float, float]:
    """Shares of clips by one speaker, and by two, in which two are found. Every speaker meets the one behind."""
    everybody = [own for own in pieces.values() if len(own) > 1]
    one = [np.concatenate(own[k : k + 2]) for own in everybody for k in range(0, len(own) - 1, 2)]
    two = [
        np.concatenate(pair)
        for own, behind in zip(everybody, everybody[1:] + everybody[:1], strict=True)
        for pair in zip(own, behind, strict=False)
    ]
    shares = [np.mean([not one_voice(Audio(clip, RATE), encoder) for clip in clips]) for clips in (one, two)]
    return round(float(shares[0]), 4), round(float(shares[1]), 4)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.speakers", description=__doc__.splitlines()[0])
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=5.0, help="shortest piece that is compared (default 5)")
    asked = parser.parse_args(arguments)
    encoder = SpeakerEncoder(ModelStore(ROOT / "models"))
    pieces = read(asked.manifest, asked.seconds)
    found = measure(pieces, encoder)
    one, two = two_found(pieces, encoder)
    table = Table("", *Figures.__dataclass_fields__, title=f"{len(pieces)} speakers, from {asked.seconds:g} s")
    for way, figures in found.items():
        table.add_row(way, *(str(value) for value in asdict(figures).values()))
    Console(width=160).print(table)
    told = {way: asdict(figures) for way, figures in found.items()}
    print(json.dumps({"speakers": len(pieces), "threshold": SIMILAR, "ways": told, "one": one, "two": two}))


if __name__ == "__main__":
    main()
