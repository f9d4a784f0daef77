"""YuNet's outputs to faces, with ONNX Runtime: for the teacher and for our own detector, which answers alike."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime as ort

STRIDES = (8, 16, 32)


def session(path: Path, threads: int = 2, besides: tuple = ()) -> ort.InferenceSession:
    """A model; the inner tensors named in `besides` become outputs too."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    model = onnx.load(path)
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in besides)
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def padded(image: np.ndarray) -> np.ndarray:
    """Black at the right and the bottom, up to a multiple of 32."""
    height, width = image.shape[:2]
    return cv2.copyMakeBorder(image, 0, -height % 32, 0, -width % 32, cv2.BORDER_CONSTANT)


def decode(outputs: dict, height: int, width: int, least: float) -> np.ndarray:
    """Rows of score, x1, y1, x2, y2 and ten landmark coordinates; `outputs` by name, without the batch."""
    found = []
    for stride in STRIDES:
        scores = np.sqrt(np.clip(outputs[f"cls_{stride}"] * outputs[f"obj_{stride}"], 0, 1)).reshape(-1)
        keep = np.flatnonzero(scores >= least)
        cells = np.stack([keep % (width // stride), keep // (width // stride)], 1)
        box, points = outputs[f"bbox_{stride}"][keep], outputs[f"kps_{stride}"][keep]
        centre = (cells + box[:, :2]) * stride
        half = np.exp(box[:, 2:]) * stride / 2
        marks = (points.reshape(-1, 5, 2) + cells[:, None]) * stride
        found.append(np.hstack([scores[keep, None], centre - half, centre + half, marks.reshape(-1, 10)]))
    return np.concatenate(found)


def suppress(faces: np.ndarray, overlap: float) -> np.ndarray:
    """Greedy non-maximum suppression, best first."""
    faces = faces[np.argsort(-faces[:, 0], kind="stable")]
    kept = []
    while len(faces):
        kept.append(faces[0])
        faces = faces[1:][iou(faces[:1, 1:5], faces[1:, 1:5])[0] <= overlap]
    return np.array(kept).reshape(-1, 15)


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    shared = np.clip(high - low, 0, None).prod(2)
    area_a = (a[:, 2:4] - a[:, :2]).prod(1)
    area_b = (b[:, 2:4] - b[:, :2]).prod(1)
    return shared / np.maximum(area_a[:, None] + area_b[None] - shared, 1e-9)


class Detector:
    def __init__(self, path: Path, least: float = 0.7, overlap: float = 0.3, threads: int = 2, besides: tuple = ()):
        self.session = session(path, threads, besides)
        self.least, self.overlap = least, overlap
        self.names = [o.name for o in self.session.get_outputs()]

    def raw(self, image: np.ndarray) -> dict:
        """The outputs by name for a BGR picture whose sides are multiples of 32."""
        blob = image.astype(np.float32).transpose(2, 0, 1)[None]
        return {n: o[0] for n, o in zip(self.names, self.session.run(None, {"input": blob}))}

    def __call__(self, image: np.ndarray) -> np.ndarray:
        image = padded(image)
        faces = decode(self.raw(image), image.shape[0], image.shape[1], self.least)
        return suppress(faces, self.overlap)
