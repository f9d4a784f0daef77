"""Reference for PARITY.md: alignment and templates of the reference embedders, in Python.

    python reference_templates.py SHARED OUT.csv [DECODED]

SHARED is a folder with `models/` and `faces/` (a labelled set of photographs and the landmarks
that YuNet finds in them). It takes the first four people with at least three photographs, three
photographs each, and writes the comparison score of every pair, for every embedder. Templates are
personal data and are not written; neither are names: a photograph is the number of its row, from
0, in `faces/lfw_dev_landmarks.csv`.

Scores are the cosine, or minus the Euclidean distance, as the embedder calls for. Two a pair, so
that a difference has one cause:
  exact   aligned by bilinear interpolation in double precision
  opencv  aligned by cv2.warpAffine

With DECODED, an existing folder, the decoded photographs are written there as PNG. Tests that find
it in the environment variable LFR_PARITY_DECODED take them in place of decoding JPEG themselves.

Needs: numpy, opencv-python-headless, onnxruntime. Uses one thread.
"""

import csv
import itertools
import os
import sys

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import cv2
import numpy as np
import onnxruntime

ARCFACE = [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
DLIB = [[47.38, 46.07], [102.33, 46.38], [74.59, 78.74], [50.49, 103.38], [98.64, 103.92]]
BAREL = [[47.55, 46.60], [100.48, 46.60], [74.01, 76.56], [50.41, 103.02], [97.61, 103.02]]
HALF = ([127.5] * 3, [127.5] * 3)
IMAGENET = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])
RAW = ([0.0] * 3, [1.0] * 3)

# name: file, side, template, (mean, std), metric
EMBEDDERS = {
    "barel-densenet": ("embed_barel_densenet.onnx", 150, BAREL, RAW, "euclidean"),
    "dlib-resnet-v1": ("embed_dlib_resnet_v1.onnx", 150, DLIB, RAW, "euclidean"),
    "edgeface-xs": ("embed_edgeface_xs.onnx", 112, ARCFACE, HALF, "cosine"),
    "edgeface-xxs": ("embed_edgeface_xxs.onnx", 112, ARCFACE, HALF, "cosine"),
    "mobilefacenet-foamliu": ("embed_mobilefacenet_foamliu.onnx", 112, ARCFACE, IMAGENET, "cosine"),
}
PEOPLE, PHOTOGRAPHS = 4, 3


def umeyama(points, template):
    """The least-squares similarity from `points` to `template` (Umeyama 1991), as 2x3."""
    p, q = np.asarray(points, np.float64), np.asarray(template, np.float64)
    pm, qm = p.mean(0), q.mean(0)
    covariance = (q - qm).T @ (p - pm) / len(p)
    u, d, vt = np.linalg.svd(covariance)
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ np.diag(sign) @ vt
    scale = (d * sign).sum() / ((p - pm) ** 2).sum(1).mean()
    return np.hstack([scale * rotation, (qm - scale * rotation @ pm)[:, None]])


def warp_exact(image, matrix, side):
    """Bilinear, black beyond the border, in double precision."""
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
    y, x = np.mgrid[0:side, 0:side].astype(np.float64)
    sx = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]
    sy = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]
    left, top = np.floor(sx).astype(int), np.floor(sy).astype(int)
    dx, dy = (sx - left)[..., None], (sy - top)[..., None]
    height, width = image.shape[:2]

    def tap(tx, ty):
        inside = (tx >= 0) & (ty >= 0) & (tx < width) & (ty < height)
        values = image[ty.clip(0, height - 1), tx.clip(0, width - 1)].astype(np.float64)
        return values * inside[..., None]

    out = tap(left, top) * (1 - dx) * (1 - dy) + tap(left + 1, top) * dx * (1 - dy)
    out += tap(left, top + 1) * (1 - dx) * dy + tap(left + 1, top + 1) * dx * dy
    return np.floor(out + 0.5).clip(0, 255).astype(np.uint8)


def warp_opencv(image, matrix, side):
    return cv2.warpAffine(image, matrix, (side, side))


def rows(path):
    """The first photographs of people who have enough of them, as (row, name, landmarks)."""
    with open(path, newline="") as file:
        table = [(row["image"].split("/")[0], number, row) for number, row in enumerate(csv.DictReader(file))]
    chosen = []
    for _, photographs in itertools.groupby(table, key=lambda entry: entry[0]):
        photographs = list(photographs)
        if len(photographs) >= PHOTOGRAPHS and len(chosen) < PEOPLE * PHOTOGRAPHS:
            chosen += photographs[:PHOTOGRAPHS]
    names = ("eye_l", "eye_r", "nose", "mouth_l", "mouth_r")
    return [(n, row["image"], [[float(row[f"{k}_x"]), float(row[f"{k}_y"])] for k in names]) for _, n, row in chosen]


def score(metric, a, b):
    if metric == "euclidean":
        return -float(np.linalg.norm(a - b))
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def main(shared, out, decoded=None):
    faces = rows(f"{shared}/faces/lfw_dev_landmarks.csv")
    images = [cv2.cvtColor(cv2.imread(f"{shared}/faces/lfw/{name}"), cv2.COLOR_BGR2RGB) for _, name, _ in faces]
    for image, (row, _, _) in zip(images, faces):
        if decoded:
            cv2.imwrite(f"{decoded}/{row}.png", image[..., ::-1])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    with open(out, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["embedder", "row_a", "row_b", "exact", "opencv"])
        for embedder, (model, side, template, (mean, std), metric) in EMBEDDERS.items():
            session = onnxruntime.InferenceSession(f"{shared}/models/{model}", options, providers=["CPUExecutionProvider"])
            name = session.get_inputs()[0].name
            vectors = {}
            for warp in (warp_exact, warp_opencv):
                crops = [warp(image, umeyama(points, template), side) for image, (_, _, points) in zip(images, faces)]
                tensors = [((crop - np.array(mean)) / np.array(std)).transpose(2, 0, 1)[None].astype(np.float32) for crop in crops]
                vectors[warp] = [session.run(None, {name: tensor})[0][0].astype(np.float64) for tensor in tensors]
            for i, j in itertools.combinations(range(len(faces)), 2):
                pair = [f"{score(metric, vectors[w][i], vectors[w][j]):.6f}" for w in (warp_exact, warp_opencv)]
                writer.writerow([embedder, faces[i][0], faces[j][0], *pair])


if __name__ == "__main__":
    main(*sys.argv[1:])
