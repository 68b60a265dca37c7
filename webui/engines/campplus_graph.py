"""CAM++ as an ONNX graph, made from the tensors of its published PyTorch checkpoint.

Wang and others, "CAM++: A Fast and Efficient Network for Speaker Verification Using Context-Aware Masking"
(arXiv 2303.00332): a small 2D ResNet over the mel features, then three blocks of densely connected time-delay layers,
each masked by its context; mean and deviation over time; one linear layer. The weights keep the checkpoint's names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

BINS, SIZE = 80, 192  # mel bins in, numbers of a voice print out
OPSET = 18

_BLOCKS = ((12, 1), (24, 2), (16, 2))  # layers and dilation of each dense block
_CONTEXT = 100  # frames of the network that a mask's nearer context has


def campplus(tensors: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """The network, serialised for onnxruntime: ``features`` float32 (1, frames, 80) to ``print`` float32 (1, 192).

    Raises ``ValueError`` where tensors are missing.
    """
    import onnx
    from onnx import helper

    net = _Network(tensors)
    x = net.op("Transpose", "features", perm=[0, 2, 1])
    x = _time_delay(net, _residual(net, net.op("Unsqueeze", x, net.numbers(1))))
    prints = _pooled(net, x)
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [*net.nodes, helper.make_node("Identity", [prints], ["print"])],
        "campplus",
        [value("features", onnx.TensorProto.FLOAT, [1, "frames", BINS])],
        [value("print", onnx.TensorProto.FLOAT, [1, SIZE])],
        net.weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    return bytes(model.SerializeToString())


class _Network:
    """The nodes so far. Every method returns the name of the value that it made."""

    def __init__(self, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        self._tensors = tensors
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        name = f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def numbers(self, *values: int) -> str:
        return self._keep(f"number{len(self.weights)}", np.array(values, np.int64))

    def conv(self, x: str, name: str, **attributes: Any) -> str:
        inputs = [self._weight(f"{name}.weight")]
        if f"{name}.bias" in self._tensors:
            inputs.append(self._weight(f"{name}.bias"))
        return self.op("Conv", x, *inputs, **attributes)

    def norm(self, x: str, name: str) -> str:
        mean = f"{name}.running_mean"
        inputs = [self._weight(mean), self._weight(f"{name}.running_var")]
        if f"{name}.weight" in self._tensors:
            scale = [self._weight(f"{name}.weight"), self._weight(f"{name}.bias")]
        else:
            ones = np.ones_like(self._tensors[mean])
            scale = [self._keep(f"{name}.one", ones), self._keep(f"{name}.zero", ones * 0)]
        return self.op("BatchNormalization", x, *scale, *inputs)

    def norm_relu(self, x: str, name: str) -> str:
        return self.op("Relu", self.norm(x, name))

    def _weight(self, name: str) -> str:
        if name not in self._tensors:
            raise ValueError(f"not CAM++'s checkpoint: {name} is missing")
        return self._keep(name, self._tensors[name])

    def _keep(self, name: str, values: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.weights.append(numpy_helper.from_array(values, name))
        return name


def _residual(net: _Network, x: str) -> str:
    """The 2D part: (1, 1, 80, frames) to (1, 320, frames)."""
    wide = {"pads": [1, 1, 1, 1]}
    x = net.norm_relu(net.conv(x, "head.conv1", **wide), "head.bn1")
    for layer in ("head.layer1", "head.layer2"):
        for name, stride in ((f"{layer}.0", 2), (f"{layer}.1", 1)):
            y = net.norm_relu(net.conv(x, f"{name}.conv1", strides=[stride, 1], **wide), f"{name}.bn1")
            y = net.norm(net.conv(y, f"{name}.conv2", **wide), f"{name}.bn2")
            if stride > 1:
                x = net.norm(net.conv(x, f"{name}.shortcut.0", strides=[stride, 1]), f"{name}.shortcut.1")
            x = net.op("Relu", net.op("Add", x, y))
    x = net.norm_relu(net.conv(x, "head.conv2", strides=[2, 1], **wide), "head.bn2")
    return net.op("Reshape", x, net.numbers(0, 32 * BINS // 8, -1))


def _time_delay(net: _Network, x: str) -> str:
    """The 1D part: (1, 320, frames) to (1, 512, frames / 2)."""
    x = net.norm_relu(net.conv(x, "xvector.tdnn.linear", strides=[2], pads=[2, 2]), "xvector.tdnn.nonlinear.batchnorm")
    segment_of = _segments(net, x)
    for number, (layers, dilation) in enumerate(_BLOCKS, 1):
        for layer in range(1, layers + 1):
            y = _masked(net, x, f"xvector.block{number}.tdnnd{layer}", dilation, segment_of)
            x = net.op("Concat", x, y, axis=1)
        transit = f"xvector.transit{number}"
        x = net.conv(net.norm_relu(x, f"{transit}.nonlinear.batchnorm"), f"{transit}.linear")
    return net.norm_relu(x, "xvector.out_nonlinear.batchnorm")


def _segments(net: _Network, x: str) -> str:
    """Which segment of context each frame belongs to: int64 (frames,)."""
    zero, one, two, three = (net.numbers(n) for n in range(4))
    frames = net.op("Squeeze", net.op("Slice", net.op("Shape", x), two, three), zero)
    start, step = net.op("Squeeze", zero), net.op("Squeeze", one)
    return net.op("Div", net.op("Range", start, frames, step), net.numbers(_CONTEXT))


def _masked(net: _Network, x: str, name: str, dilation: int, segment_of: str) -> str:
    """One dense layer, its output masked by what the whole and the segment around each frame sound like."""
    y = net.conv(net.norm_relu(x, f"{name}.nonlinear1.batchnorm"), f"{name}.linear1")
    y = net.norm_relu(y, f"{name}.nonlinear2.batchnorm")
    cam = f"{name}.cam_layer"
    local = net.conv(y, f"{cam}.linear_local", dilations=[dilation], pads=[dilation, dilation])
    near = net.op("AveragePool", y, kernel_shape=[_CONTEXT], strides=[_CONTEXT], ceil_mode=1)
    whole = net.op("ReduceMean", y, net.numbers(2), keepdims=1)
    context = net.op("Add", whole, net.op("Gather", near, segment_of, axis=2))
    context = net.op("Relu", net.conv(context, f"{cam}.linear1"))
    return net.op("Mul", local, net.op("Sigmoid", net.conv(context, f"{cam}.linear2")))


def _pooled(net: _Network, x: str) -> str:
    """Mean and deviation over time, and the last layer: (1, 512, frames) to (1, 192)."""
    time = net.numbers(2)
    mean = net.op("ReduceMean", x, time, keepdims=1)
    off = net.op("Sub", x, mean)
    count = net.op("Cast", net.op("Slice", net.op("Shape", x), time, net.numbers(3)), to=1)
    others = net.op("Sub", count, net.op("Cast", net.numbers(1), to=1))
    spread = net.op("Div", net.op("ReduceSum", net.op("Mul", off, off), time, keepdims=1), others)
    stats = net.op("Concat", mean, net.op("Sqrt", spread), axis=1)
    prints = net.norm(net.conv(stats, "xvector.dense.linear"), "xvector.dense.nonlinear.batchnorm")
    return net.op("Squeeze", prints, time)
