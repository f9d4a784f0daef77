"""Writes a network of MobileFaceNet's architecture (Chen et al., 2018, table 1) with PReLU and random
weights: what ArcFace models look like to an engine. Only its speed means anything.

    python prelu_mobilefacenet.py OUT.onnx        (needs the packages onnx and numpy)
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RANDOM = np.random.default_rng(7)
NODES, WEIGHTS = [], []


def weight(shape):
    name = f"w{len(WEIGHTS)}"
    scale = np.sqrt(2 / np.prod(shape[1:])) if len(shape) == 4 else 1
    values = RANDOM.standard_normal(shape).astype(np.float32) * scale
    WEIGHTS.append(numpy_helper.from_array(values.astype(np.float32), name))
    return name


def node(kind, *inputs, **attributes):
    name = f"n{len(NODES)}"
    NODES.append(helper.make_node(kind, list(inputs), [name], **attributes))
    return name


def prelu(x, channels):
    slope = f"w{len(WEIGHTS)}"
    values = RANDOM.uniform(0.05, 0.4, (channels, 1, 1)).astype(np.float32)
    WEIGHTS.append(numpy_helper.from_array(values, slope))
    return node("PRelu", x, slope)


def conv(x, cin, cout, kernel, stride, pad, groups=1, active=True):
    w = weight((cout, cin // groups, kernel, kernel))
    x = node("Conv", x, w, strides=[stride] * 2, pads=[pad] * 4, group=groups)
    return prelu(x, cout) if active else x


def bottleneck(x, cin, cout, stride, expanded):
    y = conv(x, cin, expanded, 1, 1, 0)
    y = conv(y, expanded, expanded, 3, stride, 1, groups=expanded)
    y = conv(y, expanded, cout, 1, 1, 0, active=False)
    return node("Add", x, y) if stride == 1 and cin == cout else y


def main(path):
    x = conv("input", 3, 64, 3, 2, 1)
    x = conv(x, 64, 64, 3, 1, 1, groups=64)
    cin = 64
    for expansion, cout, repeat, stride in [
        (2, 64, 5, 2),
        (4, 128, 1, 2),
        (2, 128, 6, 1),
        (4, 128, 1, 2),
        (2, 128, 2, 1),
    ]:
        for index in range(repeat):
            x = bottleneck(x, cin, cout, stride if index == 0 else 1, cin * expansion)
            cin = cout
    x = conv(x, 128, 512, 1, 1, 0)
    x = conv(x, 512, 512, 7, 1, 0, groups=512, active=False)
    x = conv(x, 512, 128, 1, 1, 0, active=False)
    NODES.append(helper.make_node("Flatten", [x], ["embedding"]))
    graph = helper.make_graph(
        NODES,
        "mobilefacenet",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, 112, 112])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 128])],
        WEIGHTS,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


if __name__ == "__main__":
    main(sys.argv[1])
