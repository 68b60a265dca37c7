"""What the classifier sees of every clip, and of each clip as other microphones would have heard it."""

from __future__ import annotations

import csv
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from faster_whisper import WhisperModel

from models.emotion import augment, tongues
from webui.audio import prosody
from webui.types import Audio

VARIED = 4  # random other recordings of each clip, for training
PADDING = (0.3, 2.0)  # seconds of silence after the speech, as a recognizer adds before the encoder …
FULL_WINDOW = 0.04  # … or, in this share of cases, up to Whisper's own 30 s
WIDTH = len(prosody.NAMES)

Samples = npt.NDArray[np.float32]
Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Corpus:
    """EmoDB: ``rows`` (clips, 1 + VARIED + shifts, prosody + encoder), the plain recording first.

    ``foreign`` (clips, 2, prosody + encoder) is the calm speech of ``tongues``, plain and varied; ``tongue`` its
    languages. Prosody that could not be measured is NaN.
    """

    rows: Rows
    emotion: npt.NDArray[np.str_]
    speaker: npt.NDArray[np.str_]
    sentence: npt.NDArray[np.str_]
    foreign: Rows
    tongue: npt.NDArray[np.str_]


class Extractor:
    """Whisper's encoder and the prosody, as the recognizer runs them."""

    def __init__(self, models: Path) -> None:
        folder = str(models / "whisper-base")
        self._whisper = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1, num_workers=2)

    def encode(self, x: Samples, padding: float) -> Rows:
        """The encoder's frames (n, 512) of ``x`` itself, seen with ``padding`` seconds of silence after it."""
        mel = self._whisper.feature_extractor(np.pad(x, (0, round(padding * prosody.RATE))))
        mel = np.ascontiguousarray(mel[:, : min(mel.shape[1], 3000) // 2 * 2])
        frames: Rows = np.array(self._whisper.encode(mel))[0]
        return frames[: len(x) // 320]

    def row(self, x: Samples, padding: float) -> Rows:
        """Prosody and mean encoder output side by side."""
        x = (x * (0.5 / max(float(np.abs(x).max()), 1e-6))).astype(np.float32)
        values = prosody.measure(Audio(x, prosody.RATE)).values
        if values is None:
            values = np.full(WIDTH, np.nan)
        return np.concatenate([values, self.encode(x, padding).mean(axis=0)]).astype(np.float32)


def gather(data: Path, models: Path, cache: Path) -> Corpus:
    """Every row, from ``cache`` where the code and the list of clips are what they were."""
    with (data / "labels.csv").open(newline="") as file:
        labels = list(csv.DictReader(file))
    key = hashlib.sha256(repr(labels).encode())
    for source in (__file__, augment.__file__, tongues.__file__, prosody.__file__):
        key.update(Path(source).read_bytes())
    stored = cache / f"features-{key.hexdigest()[:16]}.npz"
    if not stored.exists():
        cache.mkdir(parents=True, exist_ok=True)
        rows, foreign, tongue = _extract(data, models, [label["file"] for label in labels])
        np.savez(stored, rows=rows, foreign=foreign, tongue=tongue)
    with np.load(stored, allow_pickle=False) as arrays:
        columns = {name: np.array([label[name] for label in labels]) for name in ("emotion", "speaker", "sentence")}
        return Corpus(arrays["rows"], **columns, foreign=arrays["foreign"], tongue=arrays["tongue"])


def _extract(data: Path, models: Path, files: list[str]) -> tuple[Rows, Rows, npt.NDArray[np.str_]]:
    extractor = Extractor(models)
    clips = [soundfile.read(data / name, dtype="float32")[0] for name in files]
    spoken = list(tongues.speak_all(models))

    def babble(x: Samples, rng: augment.Rng) -> Samples:
        """Four others talking at once."""
        talk = np.zeros(2 * len(x) + prosody.RATE, dtype=np.float32)
        for i in rng.choice(len(clips), 4):
            talk += np.resize(clips[i], len(talk)) / np.abs(clips[i]).max()
        return talk

    def several(job: tuple[int, Samples, int, bool]) -> Rows:
        seed, x, varied, shifted = job
        rng = np.random.default_rng(seed)
        talk = babble(x, rng)
        rows = [extractor.row(x, 1.0)]
        for _ in range(varied):
            full = rng.random() < FULL_WINDOW
            padding = max(0.0, 30 - len(x) / prosody.RATE) if full else rng.uniform(*PADDING)
            rows.append(extractor.row(augment.vary(x, talk, rng), padding))
        if shifted:
            rows += [extractor.row(shift(x, talk, rng), 1.0) for shift in augment.SHIFTS.values()]
        return np.stack(rows)

    def run(jobs: list[tuple[int, Samples, int, bool]], what: str) -> Rows:
        out = []
        with ThreadPoolExecutor(2) as pool:
            for done in pool.map(several, jobs):
                out.append(done)
                print(f"\r{what}: {len(out)} of {len(jobs)}", end="", flush=True)
        print()
        return np.stack(out)

    return (
        run([(i, x, VARIED, True) for i, x in enumerate(clips)], "EmoDB"),
        run([(10_000 + i, x, 1, False) for i, (_, x) in enumerate(spoken)], "other languages"),
        np.array([letter for letter, _ in spoken]),
    )
