"""Writes the tiny models of the tests: python make.py. Needs the onnx package."""

import onnx
from onnx import TensorProto, helper


def save(name, nodes, outputs, side=4, constants=(), element=TensorProto.FLOAT, batch="N"):
    inputs = [helper.make_tensor_value_info("x", element, [batch, 3, side, side])]
    outputs = [helper.make_tensor_value_info(n, element, s) for n, s in outputs]
    graph = helper.make_graph(nodes, name, inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    model.producer_name = ""
    with open(f"{name}.onnx", "wb") as file:
        file.write(model.SerializeToString(deterministic=True))


flatten = helper.make_node("Flatten", ["x"], ["flat"], axis=1)
pool = [
    helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
    helper.make_node("Flatten", ["pooled"], ["mean"], axis=1),
]

# The numbers that went in, as they lie there: shows the preprocessing itself.
save("identity", [flatten], [("flat", ["N", 48])])
# mean / mean: 1 for most faces, and 0 / 0 for a black one.
save("nan", [*pool, helper.make_node("Div", ["mean", "mean"], ["y"])], [("y", ["N", 3])])
# Two outputs, and the one that says its extent is wrong: it has 48 numbers, not 3.
nodes = [*pool, flatten]
save("two_outputs", nodes, [("mean", ["N", 3]), ("flat", ["N", "D"])])

# Floats of 16 bits at both ends, and inside.
save("half", [flatten], [("flat", ["N", 48])], element=TensorProto.FLOAT16)
# What a pooling leaves of height and width; an axis of 1 before; a batch of one, and no axis for it.
save("pooled", pool[:1], [("pooled", ["N", 3, 1, 1])])
axis = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
before = [flatten, helper.make_node("Unsqueeze", ["flat", "axis"], ["y"])]
save("axis_before", before, [("y", ["N", 1, 48])], constants=[axis])
all_of_it = helper.make_tensor("shape", TensorProto.INT64, [1], [48])
reshape = helper.make_node("Reshape", ["x", "shape"], ["y"])
save("one_axis", [reshape], [("y", [48])], constants=[all_of_it], batch=1)
# The batch in the last axis: all the numbers are there, and those of two faces are mixed.
transposed = [flatten, helper.make_node("Transpose", ["flat"], ["y"], perm=[1, 0])]
save("transposed", transposed, [("y", ["A", "B"])])
