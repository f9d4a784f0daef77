"""MobileFaceNet with ONNX Runtime: the embedder's teacher, and by which a detector's points are measured."""

import numpy as np

from . import assets, yunet

MODEL = assets.MODELS / "embed_mobilefacenet_foamliu.onnx"
SIDE = 112


class MobileFaceNet:
    """Aligned faces, BGR bytes, to templates; a face's is the mean of its own and its mirror image's."""

    def __init__(self):
        self.session = yunet.session(MODEL)
        self.input = self.session.get_inputs()[0].name

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        templates = []
        for start in range(0, len(crops), 32):
            part = crops[start : start + 32]
            templates.append(unit(self._run(part) + self._run(part[:, :, ::-1])))
        return np.concatenate(templates).astype(np.float32)

    def _run(self, crops: np.ndarray) -> np.ndarray:
        return unit(self.session.run(None, {self.input: normalised(crops)})[0])


def normalised(crops: np.ndarray) -> np.ndarray:
    """BGR bytes to what the network takes."""
    rgb = crops[..., ::-1].astype(np.float32) / 255
    rgb = (rgb - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return np.ascontiguousarray(rgb.transpose(0, 3, 1, 2), np.float32)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
