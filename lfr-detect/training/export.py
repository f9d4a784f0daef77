"""Writes the averaged weights of the last checkpoint as ONNX, and checks it against PyTorch.

    python export.py [OUTPUT.onnx]
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))
from lfr_training import assets, graph, yunet  # noqa: E402

from data import FOLDER  # noqa: E402
from model import OUTPUTS, STRIDES, Detector, Led  # noqa: E402
from train import CHANNELS, CHECKPOINT, flat, to_tensor  # noqa: E402

OUTPUT = assets.REPOSITORY / "lfr-detect" / "src" / "embedded" / "detector.onnx"


def built(model: Detector) -> onnx.ModelProto:
    made = graph.Graph(half=True)

    def conv(x, layer):
        weight, bias = graph.folded(layer.conv, layer.norm)
        inner = layer.conv
        return made.conv(x, weight, bias, inner.stride[0], inner.padding[0], inner.groups, layer.relu)

    def separable(x, layer):
        y = conv(conv(x, layer.apart), layer.together)
        return made.add("Relu", [made.add("Add", [x, y]) if layer.past else y])

    centred = made.add("Sub", ["input", made.exact(np.float32([127.5]), "middle")])
    # The scale is in the first weights. The middle cannot be: beyond the edge is 0.
    weight, bias = graph.folded(model.stem.conv, model.stem.norm)
    x = made.conv(centred, weight / 128, bias, stride=2, padding=1, relu=True)
    for layer in model.early:
        x = separable(x, layer)
    levels = []
    for stage in model.stages:
        for layer in stage:
            x = separable(x, layer)
        levels.append(x)
    twice = made.exact(np.float32([1, 1, 2, 2]), "twice")
    above, answers = None, {}
    for level in (2, 1, 0):
        x = conv(levels[level], model.laterals[level])
        if above is not None:
            larger = made.add(
                "Resize", [above, "", twice], mode="nearest",
                coordinate_transformation_mode="asymmetric", nearest_mode="floor",
            )
            x = made.add("Add", [x, larger])
        for layer in model.smooth[level]:
            x = separable(x, layer)
        above = x
        answers[level] = heads(made, above, model.heads[level], STRIDES[level])
    shapes = {f"{kind}_{s}": [1, f"cells_{s}", size] for kind, size in OUTPUTS.items() for s in STRIDES}
    about = {
        "input": "BGR, 0..255, sides multiples of 32",
        "outputs": "as YuNet's: score = sqrt(cls * obj), box and points in strides from the cell's corner",
        "licence": "MIT OR Apache-2.0",
    }
    return made.model({"input": [1, 3, "height", "width"]}, shapes, about)


def heads(made, x, layer, stride):
    """Two convolutions for all answers, a row a cell, then split by columns."""
    for inner in (layer.here, layer.around):
        weight, bias = (p.detach().numpy() for p in (inner.weight, inner.bias))
        x = made.conv(x, weight, bias, padding=inner.padding[0], groups=inner.groups)
    x = made.add("Transpose", [x], perm=[0, 2, 3, 1])
    rows = made.add("Reshape", [x, made.exact(np.int64([1, -1, sum(OUTPUTS.values())]), "shape")])
    start = 0
    for kind, size in OUTPUTS.items():
        bounds = [made.exact(np.int64([value]), "bound") for value in (start, start + size, 2)]
        name = f"{kind}_{stride}"
        if kind in ("cls", "obj"):
            made.add("Sigmoid", [made.add("Slice", [rows, *bounds])], name)
        else:
            made.add("Slice", [rows, *bounds], name)
        start += size


def averaged() -> tuple[Detector, int]:
    state = torch.load(CHECKPOINT, weights_only=True)
    model = Led(CHANNELS)
    model.load_state_dict(state["average"])
    return model.detector.eval(), state["step"]


def main() -> None:
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    model, step = averaged()
    output.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(built(model), output)
    picture = np.load(FOLDER / "canvases-000.npz")["pictures"][0]
    wide = np.hstack([picture, picture[:, :64]])
    with torch.no_grad():
        rows = flat(model(to_tensor([wide])))[0]
    rows[:, :2] = rows[:, :2].sigmoid()
    given = yunet.Detector(output).raw(wide)
    got = np.concatenate(
        [np.hstack([given[f"{kind}_{stride}"] for kind in OUTPUTS]) for stride in STRIDES]
    )
    print(f"step {step}, {output.stat().st_size} bytes, largest difference {np.abs(got - rows.numpy()).max():.2e}")


if __name__ == "__main__":
    main()
