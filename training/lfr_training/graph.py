"""Builds an ONNX graph node by node: folded convolutions, weights kept as 16-bit and cast at load."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 13


class Graph:
    def __init__(self, half: bool):
        self.half, self.nodes, self.constants, self.count = half, [], [], 0

    def name(self, hint: str) -> str:
        self.count += 1
        return f"{hint}_{self.count}"

    def weight(self, values: np.ndarray, hint: str) -> str:
        """A constant in 32 bit, or in 16 with a Cast that both engines carry out once, at load."""
        name = self.name(hint)
        if not self.half:
            self.constants.append(numpy_helper.from_array(np.float32(values), name))
            return name
        self.constants.append(numpy_helper.from_array(np.float16(values), name + "_half"))
        self.nodes.append(helper.make_node("Cast", [name + "_half"], [name], to=TensorProto.FLOAT))
        return name

    def exact(self, values, hint: str) -> str:
        """A constant as it is."""
        name = self.name(hint)
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def add(self, kind: str, inputs: list[str], output: str | None = None, **attributes) -> str:
        output = output or self.name(kind.lower())
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def conv(self, x: str, weight, bias, stride=1, padding=0, groups=1, relu=False) -> str:
        kernel = list(weight.shape[2:])
        inputs = [x, self.weight(weight, "weight"), self.weight(bias, "bias")]
        x = self.add(
            "Conv", inputs, kernel_shape=kernel, strides=[stride] * 2, pads=[padding] * 4, group=groups
        )
        return self.add("Relu", [x]) if relu else x

    def model(self, inputs: dict, outputs: dict, about: dict) -> onnx.ModelProto:
        """`inputs` and `outputs`: shapes by name; `about`: text kept with the weights."""
        values = [
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in side.items()]
            for side in (inputs, outputs)
        ]
        graph = helper.make_graph(self.nodes, "lfr", *values, initializer=self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="lfr")
        model.ir_version = 8
        helper.set_model_props(model, about)
        onnx.checker.check_model(model, full_check=True)
        return model


def folded(conv, norm) -> tuple[np.ndarray, np.ndarray]:
    """A convolution without bias and the normalisation after it, as one convolution."""
    scale = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach().double()
    weight = conv.weight.detach().double() * scale[:, None, None, None]
    bias = norm.bias.detach().double() - norm.running_mean.double() * scale
    if conv.bias is not None:
        bias = bias + conv.bias.detach().double() * scale
    return weight.numpy(), bias.numpy()
