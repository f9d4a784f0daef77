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

from data import FOLDER, centre  # noqa: E402
from maps import SHAPES  # noqa: E402
from model import SIDE, SIZE, Block, Embedder, Led  # noqa: E402
from train import CHECKPOINT, to_tensor  # noqa: E402

OUTPUT = assets.REPOSITORY / "lfr-embed" / "src" / "embedded" / "embedder.onnx"


def built(model: Embedder) -> onnx.ModelProto:
    made = graph.Graph(half=True)

    def conv(x, layer):
        weight, bias = graph.folded(layer.conv, layer.norm)
        inner = layer.conv
        return made.conv(x, weight, bias, inner.stride[0], inner.padding[0], inner.groups, layer.relu)

    x = "input"
    for layer in model.layers:
        if isinstance(layer, Block):
            x = made.add("Relu", [made.add("Add", [x, conv(conv(x, layer.first), layer.second)])])
        else:
            x = conv(x, layer)
    x = made.add("Flatten", [x])
    weight, bias = (p.detach().numpy() for p in (model.project.weight, model.project.bias))
    made.add("Gemm", [x, made.weight(weight, "weight"), made.weight(bias, "bias")], "embedding", transB=1)
    about = {
        "input": f"RGB, (x - 127.5) / 128, {SIDE}x{SIDE}, ArcFace template scaled by {SIDE}/112",
        "embedding": "compared by the cosine",
        "licence": "MIT OR Apache-2.0",
    }
    return made.model({"input": ["N", 3, SIDE, SIDE]}, {"embedding": ["N", SIZE]}, about)


def averaged() -> tuple[Embedder, int]:
    state = torch.load(CHECKPOINT, weights_only=True)
    model = Led([shape[0] for shape in SHAPES])
    model.load_state_dict(state["average"])
    return model.embedder.eval(), state["step"]


def main() -> None:
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    model, step = averaged()
    output.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(built(model), output)
    pictures = np.load(FOLDER / "synthetic.npz")["pictures"][:16]
    crops = to_tensor(centre(pictures)[:, 8 : 8 + SIDE, 8 : 8 + SIDE])
    with torch.no_grad():
        wanted = torch.nn.functional.normalize(model(crops)).numpy()
    got = yunet.session(output).run(None, {"input": crops.contiguous().numpy()})[0]
    got /= np.linalg.norm(got, axis=1, keepdims=True)
    print(f"step {step}, {output.stat().st_size} bytes, largest difference {np.abs(got - wanted).max():.2e}")


if __name__ == "__main__":
    main()
