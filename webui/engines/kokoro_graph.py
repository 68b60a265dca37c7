"""The edits that open Kokoro's ONNX graph: melody and voicing can be steered, durations and F0 come out.

The published graph (kokoro-v1.0.int8.onnx) takes ``tokens``, ``style`` and ``speed`` and gives only sound. The
edited one takes a fourth input, ``ctl``, float32 (3,):

====  ==============================================================  =======
  0   pitch: factor on F0                                             0.5 to 2
  1   range: exponent on F0's distance from this utterance's own mean  0 to 2
  2   voicing: 1 as trained, 0 takes the voice away (whisper)          0 or 1
====  ==============================================================  =======

and gives ``audio`` float32 (n,) at 24 kHz, ``frames`` int64 (1, tokens), each token's length in frames of
600 samples, and ``f0`` in Hz, two values a frame. ``ctl = [1, 1, 1]`` leaves the sound as it was.

The silence that the model makes before and behind (0.35 s and 0.4 to 1 s) is left to be trimmed: without it the
decoder swallows the first sounds, and behind Chinese it is part of the last syllable's own length.
"""

from __future__ import annotations

from pathlib import Path

FRAME = 600  # samples of 24 kHz sound for each frame of ``frames``
# The decoder takes an F0 over 10 Hz for voiced; what is lower than this is on its way to or from silence. Counted in,
# it would draw the mean down, and a wider range would raise the whole voice with it.
VOICED_HZ = 55.0

_F0 = "/encoder/Squeeze_output_0"
_FRAMES = "/encoder/Clip_output_0"


def steerable(path: Path) -> bytes:
    """The model at ``path`` with ``ctl``, ``frames`` and ``f0``, serialised for onnxruntime.

    Raises ``ValueError`` where the file is another graph than the one the edits were made for.
    """
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(path))
    graph = model.graph
    made_at = {name: i for i, node in enumerate(graph.node) for name in node.output}
    if missing := {_F0, _FRAMES} - made_at.keys():
        raise ValueError(f"not Kokoro v1.0's graph: {sorted(missing)} missing")

    for node in graph.node:
        for i, name in enumerate(node.input):
            if name == _F0:
                node.input[i] = "f0"

    def constant(name: str, value: object, dtype: type) -> str:
        graph.initializer.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    one = constant("ctl_one", 1.0, np.float32)
    zero = constant("ctl_zero", 0.0, np.float32)
    threshold = constant("ctl_threshold", VOICED_HZ, np.float32)
    index = [constant(f"ctl_index_{i}", i, np.int64) for i in range(3)]
    node = helper.make_node
    edits = [
        *(node("Gather", ["ctl", index[i]], [f"ctl_{i}"], axis=0) for i in range(3)),
        # log F0 where voiced, and its mean over the utterance
        node("Greater", [_F0, threshold], ["ctl_voiced"]),
        node("Cast", ["ctl_voiced"], ["ctl_voiced_f"], to=TensorProto.FLOAT),
        node("Where", ["ctl_voiced", _F0, one], ["ctl_hz"]),
        node("Log", ["ctl_hz"], ["ctl_log"]),
        node("ReduceSum", ["ctl_log"], ["ctl_sum"], keepdims=1),
        node("ReduceSum", ["ctl_voiced_f"], ["ctl_count"], keepdims=1),
        node("Max", ["ctl_count", one], ["ctl_count_1"]),
        node("Div", ["ctl_sum", "ctl_count_1"], ["ctl_mean"]),
        # exp(mean + range * (log - mean)) * pitch
        node("Sub", ["ctl_log", "ctl_mean"], ["ctl_distance"]),
        node("Mul", ["ctl_distance", "ctl_1"], ["ctl_ranged"]),
        node("Add", ["ctl_ranged", "ctl_mean"], ["ctl_log_new"]),
        node("Exp", ["ctl_log_new"], ["ctl_hz_new"]),
        node("Mul", ["ctl_hz_new", "ctl_0"], ["ctl_hz_pitched"]),
        node("Where", ["ctl_voiced", "ctl_hz_pitched", _F0], ["ctl_f0"]),
        node("Greater", ["ctl_2", zero], ["ctl_keep_voice"]),
        node("Where", ["ctl_keep_voice", "ctl_f0", zero], ["f0"]),
    ]
    place = made_at[_F0] + 1
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes[:place], *edits, *nodes[place:]])
    graph.node.append(node("Cast", [_FRAMES], ["frames"], to=TensorProto.INT64))
    graph.input.append(helper.make_tensor_value_info("ctl", TensorProto.FLOAT, [3]))
    graph.output.append(helper.make_tensor_value_info("frames", TensorProto.INT64, None))
    graph.output.append(helper.make_tensor_value_info("f0", TensorProto.FLOAT, None))
    return bytes(model.SerializeToString())
