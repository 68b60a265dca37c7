"""Weights with a sign give the same numbers as weights without, to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from webui.engines import sensevoice_signed
from webui.engines.sensevoice_signed import fastest


def graph(path: Path) -> Path:
    """One product of bytes, as the quantised graph has 281 of."""
    chance = np.random.default_rng(0)
    weights = numpy_helper.from_array(chance.integers(0, 256, (64, 32), np.uint8), "w")
    zeros = [numpy_helper.from_array(np.array(n, np.uint8), name) for n, name in ((7, "xz"), (131, "wz"))]
    node = helper.make_node("MatMulInteger", ["x", "w", "xz", "wz"], ["y"])
    ends = [
        helper.make_tensor_value_info(n, t, ["n", m])
        for n, t, m in (("x", TensorProto.UINT8, 64), ("y", TensorProto.INT32, 32))
    ]
    made = helper.make_graph([node], "g", ends[:1], ends[1:], [weights, *zeros])
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), str(path))
    return path


def test_every_product_stays_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = graph(tmp_path / "model.int8.onnx")
    monkeypatch.setattr(sensevoice_signed, "_has_vnni", lambda: True)
    signed = fastest(plain)
    assert signed != plain and fastest(plain) == signed
    (weights, activation_zero, zero) = (numpy_helper.to_array(i) for i in onnx.load(str(signed)).graph.initializer)
    assert (weights.dtype, zero.dtype, int(zero), activation_zero.dtype) == (np.int8, np.int8, 3, np.uint8)
    if Path("/proc/cpuinfo").exists() and "vnni" in Path("/proc/cpuinfo").read_text():
        x = np.random.default_rng(1).integers(0, 256, (5, 64), np.uint8)
        a, b = (onnxruntime.InferenceSession(str(f)).run(None, {"x": x})[0] for f in (plain, signed))
        np.testing.assert_array_equal(a, b)


def test_where_it_would_not_help_or_cannot_be_the_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = graph(tmp_path / "model.int8.onnx")
    monkeypatch.setattr(sensevoice_signed, "_has_vnni", lambda: False)
    assert fastest(plain) == plain
    monkeypatch.setattr(sensevoice_signed, "_has_vnni", lambda: True)
    plain.write_bytes(b"no graph")
    assert fastest(plain) == plain
    assert fastest(tmp_path / "missing.onnx") == tmp_path / "missing.onnx"
