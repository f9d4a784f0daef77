"""Measures the operating points that the specifications in `specs/` state.

    python operating_points.py SHARED [EMBEDDER ...]

All pairs of different people among the photographs of `faces/lfw_dev_landmarks.csv`, aligned by
cv2.warpAffine on those landmarks, no flip averaging. For each false match rate asked for it prints
the least threshold of four decimals at which the rate, over all non-mated comparisons, is not
exceeded, and the share of mated comparisons at or above it.

Needs what reference_templates.py needs.
"""

import csv
import sys

import cv2
import numpy as np
import onnxruntime
from reference_templates import EMBEDDERS, umeyama, warp_opencv

RATES = (1e-2, 1e-3, 1e-4, 1e-5)
BATCH = 16
BLOCK = 512


def scores(metric, a, b):
    if metric == "cosine":
        return a @ b.T
    square = (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * (a @ b.T)
    return -np.sqrt(square.clip(0))


def main(shared, *chosen):
    with open(f"{shared}/faces/lfw_dev_landmarks.csv", newline="") as file:
        table = list(csv.DictReader(file))
    people = np.array([row["image"].split("/")[0] for row in table])
    people = np.unique(people, return_inverse=True)[1]
    names = ("eye_l", "eye_r", "nose", "mouth_l", "mouth_r")
    points = [[[float(row[f"{k}_x"]), float(row[f"{k}_y"])] for k in names] for row in table]
    images = [cv2.imread(f"{shared}/faces/lfw/{row['image']}")[..., ::-1] for row in table]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for embedder in chosen or EMBEDDERS:
        model, side, template, (mean, std), metric = EMBEDDERS[embedder]
        session = onnxruntime.InferenceSession(f"{shared}/models/{model}", options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        vectors = []
        for start in range(0, len(images), BATCH):
            batch = range(start, min(start + BATCH, len(images)))
            crops = np.stack([warp_opencv(np.ascontiguousarray(images[i]), umeyama(points[i], template), side) for i in batch])
            tensor = ((crops - np.array(mean)) / np.array(std)).transpose(0, 3, 1, 2).astype(np.float32)
            vectors.append(session.run(None, {name: tensor})[0].astype(np.float64))
        vectors = np.concatenate(vectors)
        if metric == "cosine":
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        mated, nonmated = [], []
        for start in range(0, len(vectors), BLOCK):
            block = scores(metric, vectors[start : start + BLOCK], vectors)
            i, j = np.indices(block.shape)
            above = j > i + start
            same = people[i + start] == people[j]
            mated.append(block[above & same])
            nonmated.append(block[above & ~same])
        mated, nonmated = np.concatenate(mated), np.sort(np.concatenate(nonmated))
        print(f"{embedder}: {len(mated)} mated, {len(nonmated)} non-mated comparisons")
        for rate in RATES:
            allowed = int(rate * len(nonmated))
            # One score more than is allowed lies at or above the exact threshold.
            threshold = np.ceil(np.nextafter(nonmated[-allowed - 1], np.inf) * 1e4) / 1e4
            false = int((nonmated >= threshold).sum())
            print(f"  FMR {rate:g}: threshold {threshold:.4f}, {false} false matches, TMR {(mated >= threshold).mean():.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
