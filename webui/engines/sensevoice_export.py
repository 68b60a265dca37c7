"""From SenseVoice's torch checkpoint to what sherpa-onnx runs: one int8 ONNX file with its metadata, and its tokens.

``python -m webui.engines.sensevoice_export CHECKPOINT FOLDER [WAV …]`` does it, in an environment with funasr.
"""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from webui.audio.convert import from_numpy, resample
from webui.audio.vad import RATE
from webui.config import ROOT
from webui.engines.funasr_models import MISSING
from webui.engines.store import ModelStore
from webui.errors import ModelError
from webui.types import Audio

log = logging.getLogger(__name__)

MODEL, TOKENS = "model.int8.onnx", "tokens.txt"
CHECKPOINT_ID = "sensevoice-small"
EXPORTED = "sensevoice-int8-exported"
"""The folder under models/ that ``python -m webui.models export sensevoice`` makes; it goes before the fetched one."""
VOCABULARY = "chn_jpn_yue_eng_ko_spectok.bpe.model"
MOST_FRAMES_DIFFERENT = 0.05
"""Share of the frames of 60 ms in which the int8 graph may write something else than the checkpoint."""

# The numbers under which the graph takes what it is asked for; sherpa-onnx reads them from the file.
_ASKED = {"auto": 0, "zh": 3, "en": 4, "yue": 7, "ja": 11, "ko": 12, "nospeech": 13}
_WITH_ITN, _WITHOUT_ITN = 14, 15


def export_from_store(store: ModelStore) -> float:
    """Make ``EXPORTED`` from the checkpoint of the store, fetched if need be, in an environment that has funasr.

    Returns what ``export`` does, measured on the example clips. Raises ``ModelError``.
    """
    python = Path(sys.executable) if find_spec("funasr") else ROOT / ".cache" / "env-funasr" / "bin" / "python"
    if not python.exists():
        raise ModelError("funasr_missing", MISSING)
    checkpoint = store.ensure(CHECKPOINT_ID)
    clips = sorted((ROOT / "assets" / "clips").glob("*.wav"))
    module = ["-m", "webui.engines.sensevoice_export"]
    command: list[str | Path] = [python, *module, checkpoint, store.root / EXPORTED, *clips]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)  # noqa: S603  (our own words)
    try:
        answer = json.loads(done.stdout.strip().rpartition("\n")[2])
    except ValueError as error:
        log.error("the export ended with %d: %s", done.returncode, done.stderr[-4000:])
        raise ModelError(
            "export_failed",
            "The model could not be exported; the log says why. Fetch its checkpoint anew and try again.",
        ) from error
    if "error" in answer:
        raise ModelError(answer["error"], answer["message"], **answer["values"])
    return float(answer["different"])


def export(checkpoint: Path, folder: Path, clips: Sequence[Audio]) -> float:
    """Write ``folder`` from ``checkpoint``; returns the share of frames, 0 to 1, in which the two differ on ``clips``.

    Raises ``ModelError`` where they differ too much; ``folder`` is then as it was before.
    """
    from webui.engines.funasr_models import load_checkpoint

    model = load_checkpoint(checkpoint, "cpu", threads=2)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".export-") as box:
        work = Path(box)
        model.export(type="onnx", quantize=False, output_dir=str(work))
        made = work / "made"
        made.mkdir()
        _quantize(work / "model.onnx", made / MODEL)
        _describe(made / MODEL, checkpoint / "am.mvn")
        _write_tokens(checkpoint / VOCABULARY, made / TOKENS)
        different = _difference(model, made / MODEL, clips)
        if different > MOST_FRAMES_DIFFERENT:
            raise ModelError(
                "export_differs",
                f"The exported model hears {different:.0%} of the test sounds differently than its checkpoint, "
                "so it was not kept: fetch the checkpoint anew and try again.",
                percent=round(100 * different),
            )
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    return different


def _quantize(source: Path, target: Path) -> None:
    """Matrices to 8 bits, all else as it is, in one file."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(source, target, op_types_to_quantize=["MatMul"], weight_type=QuantType.QUInt8)


def _describe(model_file: Path, statistics: Path) -> None:
    """Write into the file what sherpa-onnx must know of it."""
    import onnx

    mean, scale = _statistics(statistics.read_text())
    about: dict[str, Any] = {"model_type": "sense_voice_ctc", "version": 1, "comment": "SenseVoiceSmall"}
    about |= {"lfr_window_size": 7, "lfr_window_shift": 6, "normalize_samples": 0}
    about |= {"neg_mean": mean, "inv_stddev": scale, "with_itn": _WITH_ITN, "without_itn": _WITHOUT_ITN}
    about |= {f"lang_{name}": number for name, number in _ASKED.items()}
    model = onnx.load(str(model_file))
    about["vocab_size"] = model.graph.output[0].type.tensor_type.shape.dim[-1].dim_value
    onnx.helper.set_model_props(model, {name: str(value) for name, value in about.items()})
    onnx.save(model, str(model_file))


def _statistics(text: str) -> tuple[str, str]:
    """Shift and scale of the features, comma-separated, out of Kaldi's text form of them."""
    lines = text.splitlines()
    vectors = []
    for mark in ("<AddShift>", "<Rescale>"):
        at = next(number for number, line in enumerate(lines) if line.startswith(mark))
        vectors.append(",".join(lines[at + 1].split()[3:-1]))
    return vectors[0], vectors[1]


def _write_tokens(vocabulary: Path, target: Path) -> None:
    import sentencepiece

    pieces = sentencepiece.SentencePieceProcessor(model_file=str(vocabulary))
    lines = (f"{pieces.id_to_piece(number)} {number}\n" for number in range(pieces.get_piece_size()))
    target.write_text("".join(lines), encoding="utf-8")


def _difference(model: Any, model_file: Path, clips: Sequence[Audio]) -> float:
    """Share of all frames in which the graph and the checkpoint choose another piece."""
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(str(model_file), providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    front_end = model.kwargs["frontend"]
    frames = wrong = 0
    for clip in clips:
        sound = torch.from_numpy(clip.samples)[None]
        features, length = front_end(sound, torch.tensor([len(clip.samples)]))
        asked = [np.array([number], np.int32) for number in (_ASKED["auto"], _WITH_ITN)]
        scores = session.run(None, dict(zip(names, [features.numpy(), length.int().numpy(), *asked], strict=True)))[0]
        written = scores[0].argmax(-1)
        expected = _written(model.model, features, length)
        frames += len(expected)
        wrong += int(np.count_nonzero(written[: len(expected)] != expected))
    return wrong / max(1, frames)


def _written(network: Any, features: Any, length: Any) -> Any:
    """The piece that the checkpoint chooses in each frame: the four tags, then the words."""
    import torch

    with torch.no_grad():
        before = network.embed(torch.tensor([[_ASKED["auto"], 1, 2, _WITH_ITN]]))
        encoded = network.encoder(torch.cat((before, features), dim=1), length + 4)[0]
        return network.ctc.ctc_lo(encoded)[0].argmax(-1).numpy()


def _read(paths: Iterable[str]) -> list[Audio]:
    import soundfile

    sounds = (soundfile.read(path, dtype="float32") for path in paths)
    return [resample(from_numpy(rate, samples), RATE) for samples, rate in sounds]


def _main(checkpoint: str, folder: str, *clips: str) -> None:
    """Export, and say how it went in one line of JSON."""
    answer: dict[str, Any]
    try:
        answer = {"different": export(Path(checkpoint), Path(folder), _read(clips))}
    except ModelError as error:
        answer = {"error": error.key, "message": error.message, "values": error.values}
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.exit("error" in answer)


if __name__ == "__main__":
    _main(*sys.argv[1:])
