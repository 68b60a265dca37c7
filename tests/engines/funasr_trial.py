"""What runs in the torch environment, with the network cut off: asks of funasr's adapters what tests want to know.

``python -m tests.engines.funasr_trial MODELS`` reads requests as JSON lines and answers each in one line on stdout.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tests.engines.tiny_sensevoice import placed
from webui.config import Settings
from webui.engines.funasr_models import load_checkpoint
from webui.engines.listening import Stretch
from webui.engines.protocols import RecognitionRequest
from webui.engines.sensevoice_funasr import FunAsrSenseVoice
from webui.engines.speakers import SpeakerModels, SpeakerTurns
from webui.errors import UserError
from webui.types import Audio, Word

RATE = 16_000


def main(models: Path) -> None:
    """Answer requests until stdin ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries print to stdout
    reached: list[str] = []
    _cut_off(reached)
    engines: dict[str, FunAsrSenseVoice] = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = _answer(request, models, engines)
        except UserError as error:
            answer = {"error": error.key, "message": error.message}
        answers.write(json.dumps({**answer, "reached": reached}) + "\n")
        answers.flush()


def _cut_off(reached: list[str]) -> None:
    """Every name that is looked up and every address that is connected to is noted and refused."""

    def refuse(*arguments: Any, **_: Any) -> Any:
        reached.append("".join(traceback.format_stack(limit=8)))
        raise OSError("the network is cut off")

    socket.getaddrinfo = refuse
    socket.socket.connect = refuse  # type: ignore[method-assign]


def _answer(request: dict[str, Any], models: Path, engines: dict[str, FunAsrSenseVoice]) -> dict[str, Any]:
    device = request.get("device", "cpu")
    if device not in engines:
        engines[device] = FunAsrSenseVoice(placed(models), Settings(threads=1, device=device))
    engine = engines[device]
    if request["do"] == "close":
        engine.close()
        return {"loaded": engine.info.loaded}
    if request["do"] == "funasr_onnx":
        return {"texts": _through_funasr_onnx(Path(request["folder"]), request["sounds"])}
    if request["do"] == "sentences":
        return {"sentences": _sentences(models / "ct-punc", request["words"])}
    sounds = [np.load(path) for path in request["sounds"]]
    if request["do"] == "hear":
        heard = engine.hear([Stretch(0.0, Audio(samples, RATE), None) for samples in sounds], **request["options"])
        return {"tagged": [asdict(each.tagged) for each in heard]}
    blocks = (Audio(samples, request.get("rate", RATE)) for _ in range(request.get("times", 1)) for samples in sounds)
    segments = list(engine.transcribe(RecognitionRequest(blocks, **request["options"])))
    return {"segments": [asdict(segment) for segment in segments], "info": engine.info.device, **_memory()}


def _memory() -> dict[str, int]:
    import resource

    return {"peak_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


def _sentences(folder: Path, words: list[str]) -> list[str]:
    """Words without punctuation, in the sentences that ct-punc finds."""
    models = SpeakerModels(None, load_checkpoint(folder, "cpu", 1))
    found = SpeakerTurns(models, threading.Lock())._sentences([Word(word, 0.0, 0.0) for word in words])
    return [" ".join(word.text for word in sentence) for sentence in found]


def _through_funasr_onnx(folder: Path, sounds: list[str]) -> list[str]:
    """The third way: the float graph of funasr's own export, in funasr_onnx."""
    if not (folder / "model.onnx").exists():
        load_checkpoint(folder, "cpu", 1).export(type="onnx", quantize=False, output_dir=str(folder))
    from funasr_onnx import SenseVoiceSmall

    model = SenseVoiceSmall(str(folder), intra_op_num_threads=1)
    return [model(np.load(path), language="auto", textnorm="withitn")[0] for path in sounds]


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(Path(sys.argv[1]))
