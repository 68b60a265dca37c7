"""The int8 graph as this CPU multiplies it fastest: the same numbers, written with a sign."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np

log = logging.getLogger(__name__)

SIGNED = "model.signed.onnx"


def fastest(model_file: Path) -> Path:
    """``model_file``, or its copy with signed weights, made beside it once, where the CPU has VNNI instructions.

    Weights and their zero points are all moved by 128, so every product stays what it was, to the last bit; with VNNI
    the whole graph takes 0.6 of the time. Other x86 CPUs overflow in such products, so they keep the file as it is.
    """
    if not _has_vnni():
        return model_file
    signed = model_file.with_name(SIGNED)
    try:
        if not signed.exists() or signed.stat().st_mtime < model_file.stat().st_mtime:
            half = signed.with_name(f".{SIGNED}.{os.getpid()}")
            _sign(model_file, half)
            half.replace(signed)
    except (OSError, ValueError) as error:
        log.info("the graph is used as it is: %s", error)
        return model_file
    return signed


def _sign(source: Path, target: Path) -> None:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped, unused-ignore]
    from onnx import numpy_helper

    try:
        model = onnx.load(str(source))
    except DecodeError as error:
        raise ValueError("it is no graph") from error
    factors = [node for node in model.graph.node if node.op_type == "MatMulInteger"]
    weights = {name for node in factors for name in (node.input[1], node.input[3])}
    for tensor in model.graph.initializer:
        if tensor.name in weights and tensor.data_type == onnx.TensorProto.UINT8:
            moved = numpy_helper.to_array(tensor).astype(np.int16) - 128
            tensor.CopyFrom(numpy_helper.from_array(moved.astype(np.int8), tensor.name))
    onnx.save(model, str(target))


def _has_vnni() -> bool:
    try:
        return "vnni" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
