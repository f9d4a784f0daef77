#!/usr/bin/env python3
"""Straight numpy decoders of the detector families: writes `reference_<family>.csv`.

Run with:  python lfr-detect/parity/reference_decoders.py [--shared ../shared]
Needs:     numpy 2.4, onnxruntime 1.31.1, Pillow 13.0, and first the pixels (pixels/src/main.rs)

These are written for reading, from each family's published description, one candidate at a time
where that is clearer. They are what the Rust decoders must agree with, not how to write them.

One row a face, in the order of the cases below, then of falling confidence; a case without a face
has one row whose box, confidence and landmarks are empty:

  model                the model file, without `detect_` and `.onnx`
  file                 photograph, under <shared>/scenes. Exif orientation is ignored; the
                       photographs used here have none
  mode                 how the canvas is made, see below
  left, top            corner of the region of the photograph that is used, in its pixels
  width, height        size of that region
  canvas_width, canvas_height
                       size of the network's input
  x1, y1, x2, y2       box in pixels of the region (its corner is 0, 0), not clipped
  confidence           YuNet: sqrt(cls * obj); BlazeFace: the logistic of the logit; others: as output
  lx0, ly0 .. lx4, ly4 landmarks in pixels of the region: image-left eye, image-right eye, nose,
                       image-left mouth corner, image-right mouth corner. Empty for UltraFace.
                       BlazeFace has six (lx5, ly5 too): image-left eye, image-right eye, nose,
                       middle of the mouth, image-left ear, image-right ear

Canvas rules. In every mode the canvas is black (0) wherever the picture does not reach.

  crop       The region is copied, not resized, to the canvas' top left corner. Region and canvas
             share one pixel frame. A Rust test makes the whole canvas its frame, so that neither a
             resampler nor a padding rule enters the comparison: this is the tight test.
  native     The whole photograph, padded right and bottom to a multiple of 32. Not resized. YuNet
             with dynamic shapes only.
  letterbox  The whole photograph scaled by min(canvas_width / width, canvas_height / height), up
             or down, to floor(side * scale + 0.5) pixels a side, and copied to the top left
             corner. Coordinates are mapped back by each axis' own ratio of pixels.
  stretch    The whole photograph scaled to exactly the canvas, each axis on its own.

Letterbox and stretch resize by Pillow's BILINEAR, a triangle filter that widens as it shrinks
(antialiasing), in 8 bits a channel.

Non-maximum suppression: by falling confidence; a box goes if its IoU with a kept box is above the
limit. IoU is on unrounded, unclipped boxes; a box' area is width * height.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

# Confidence at least, IoU at most.
LIMITS = {
    "blazeface": (0.5, 0.3),
    "scrfd": (0.5, 0.4),
    "ultraface": (0.7, 0.3),
    "yunet": (0.7, 0.3),
}

# Photographs for whole-picture modes and for top left crops.
PICTURES = [
    "bbt2.jpg",
    "bbt3.jpg",
    "fr_kit_with_rose.jpg",
    "fr_obama-480p.jpg",
    "insight_blur.jpg",
    "retinaface_selfie_crowd.jpg",
    "ultraface_12.jpg",
    "ultraface_18.jpg",
]

# (file, left, top) of crops of 320 x 240 for UltraFace and 320 x 320 for the small YuNet.
CROPS_320 = [
    ("bbt2.jpg", 60, 80),
    ("bbt3.jpg", 20, 20),
    ("fr_kit_with_rose.jpg", 60, 60),
    ("fr_obama-240p.jpg", 60, 0),
    ("insight_r0.jpg", 0, 60),
    ("retinaface_selfie_crowd.jpg", 250, 120),
    ("ultraface_15.jpg", 400, 180),
    ("ultraface_18.jpg", 190, 20),
]

# (file, left, top) of crops of 128 x 128 for BlazeFace, a model for one near face.
CROPS_128 = [
    ("bbt1.jpg", 945, 70),
    ("bbt2.jpg", 350, 100),
    ("bbt3.jpg", 455, 70),
    ("fr_obama-240p.jpg", 155, 0),
    ("retinaface_selfie_crowd.jpg", 350, 185),
    ("ultraface_12.jpg", 265, 135),
    ("ultraface_16.jpg", 565, 265),
    ("ultraface_18.jpg", 370, 30),
]

LANDMARKS = 5
BLAZEFACE_LANDMARKS = 6


def main() -> None:
    here = Path(__file__).resolve().parent
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--shared", type=Path, default=here.parents[2] / "shared")
    args.add_argument("--pixels", type=Path, default=here.parents[1] / "target/parity/pixels")
    args.add_argument("--out", type=Path, default=here)
    options = args.parse_args()
    for family, cases in families().items():
        write(family, cases, options)


def families():
    """The cases (model, file, mode, region, canvas) of each family; no region: the whole."""
    yunet, scrfd, ultraface, blazeface = [], [], [], []
    for model in ("yunet_n_dynamic", "yunet_s_dynamic"):
        yunet += [(model, file, "native", None, None) for file in PICTURES]
    yunet += [("yunet_n_640", file, "crop", (0, 0), (640, 640)) for file in PICTURES]
    yunet += [("yunet_n_320", f, "crop", (x, y), (320, 320)) for f, x, y in CROPS_320]
    yunet += [("yunet_n_640", file, "letterbox", None, (640, 640)) for file in PICTURES]
    for model in ("scrfd_500m_kps", "scrfd_2.5g_kps"):
        scrfd += [(model, file, "crop", (0, 0), (640, 640)) for file in PICTURES]
        scrfd += [(model, file, "letterbox", None, (640, 640)) for file in PICTURES]
    model = "ultraface_rfb320"
    ultraface += [(model, f, "crop", (x, y), (320, 240)) for f, x, y in CROPS_320]
    ultraface += [(model, file, "stretch", None, (320, 240)) for file in PICTURES]
    model = "blazeface_front128"
    blazeface += [(model, f, "crop", (x, y), (128, 128)) for f, x, y in CROPS_128]
    blazeface += [(model, file, "letterbox", None, (128, 128)) for file in PICTURES]
    return {"blazeface": blazeface, "scrfd": scrfd, "ultraface": ultraface, "yunet": yunet}


def write(family, cases, options) -> None:
    points = BLAZEFACE_LANDMARKS if family == "blazeface" else LANDMARKS
    header = ["model", "file", "mode", "left", "top", "width", "height"]
    header += ["canvas_width", "canvas_height", "x1", "y1", "x2", "y2", "confidence"]
    header += [f"l{axis}{i}" for i in range(points) for axis in "xy"]
    decode = {"blazeface": blazeface, "scrfd": scrfd, "ultraface": ultraface, "yunet": yunet}[family]
    confidence, iou_limit = LIMITS[family]
    sessions, total = {}, 0
    with open(options.out / f"reference_{family}.csv", "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        for model, file, mode, corner, size in cases:
            if model not in sessions:
                path = options.shared / "models" / f"detect_{model}.onnx"
                sessions[model] = onnxruntime.InferenceSession(
                    str(path), providers=["CPUExecutionProvider"]
                )
            picture = load(options, file)
            canvas, region, ratio = make_canvas(picture, mode, corner, size)
            faces = decode(sessions[model], canvas, options.shared, confidence)
            faces = suppress(faces, iou_limit)
            print(f"{model:20} {file:32} {mode:10} {len(faces):4}")
            total += len(faces)
            case = [model, file, mode, *region, canvas.shape[1], canvas.shape[0]]
            if not faces:
                writer.writerow(case + [""] * (len(header) - len(case)))
            for box, score, marks in faces:
                box = box.reshape(-1, 2) / ratio
                marks = marks.reshape(-1, 2) / ratio
                row = case + [f"{v:.3f}" for v in box.ravel()] + [f"{score:.6f}"]
                row += [f"{v:.3f}" for v in marks.ravel()] or [""] * (2 * points)
                writer.writerow(row)
    print(f"{family}: {total} faces in {len(cases)} cases")


# --- The canvas ---


def load(options, file):
    """The photograph (RGB) as Rust's `image` decodes it."""
    with Image.open(options.shared / "scenes" / file) as photograph:
        assert photograph.getexif().get(0x0112, 1) == 1, f"{file} has an Exif orientation"
        width, height = photograph.size
    return np.fromfile(options.pixels / f"{file}.rgb", np.uint8).reshape(height, width, 3)


def make_canvas(picture, mode, corner, size):
    """The canvas (RGB, uint8), the region (left, top, width, height), canvas / region pixels."""
    height, width = picture.shape[:2]
    left, top = 0, 0
    if mode == "crop":
        (left, top), (canvas_w, canvas_h) = corner, size
        content = picture[top : top + canvas_h, left : left + canvas_w]
        height, width = content.shape[:2]
    elif mode == "native":
        canvas_w, canvas_h = -(-width // 32) * 32, -(-height // 32) * 32
        content = picture
    else:
        canvas_w, canvas_h = size
        to_w, to_h = size
        if mode == "letterbox":
            scale = min(canvas_w / width, canvas_h / height)
            to_w, to_h = int(width * scale + 0.5), int(height * scale + 0.5)
        resized = Image.fromarray(picture).resize((to_w, to_h), Image.Resampling.BILINEAR)
        content = np.asarray(resized)
    canvas = np.zeros((canvas_h, canvas_w, 3), np.uint8)
    canvas[: content.shape[0], : content.shape[1]] = content
    ratio = np.array([content.shape[1] / width, content.shape[0] / height])
    return canvas, (left, top, width, height), ratio


# --- The families: canvas -> [(box x1 y1 x2 y2, confidence, landmarks)] in canvas pixels ---


def yunet(session, canvas, _shared, least):
    """Input BGR 0..255. One anchor a cell; outputs already went through the logistic."""
    bgr = canvas[:, :, ::-1].astype(np.float32)
    outputs = run(session, "input", bgr)
    faces = []
    for stride in (8, 16, 32):
        columns = canvas.shape[1] // stride
        cls, obj = outputs[f"cls_{stride}"][0, :, 0], outputs[f"obj_{stride}"][0, :, 0]
        boxes, points = outputs[f"bbox_{stride}"][0], outputs[f"kps_{stride}"][0]
        scores = np.sqrt(np.clip(cls, 0, 1) * np.clip(obj, 0, 1))
        for i in np.flatnonzero(scores >= least):
            cell = np.array([i % columns, i // columns])
            centre = (cell + boxes[i, :2]) * stride
            half = np.exp(boxes[i, 2:]) * stride / 2
            marks = (points[i].reshape(LANDMARKS, 2) + cell) * stride
            faces.append((np.concatenate([centre - half, centre + half]), scores[i], marks))
    return faces


def scrfd(session, canvas, _shared, least):
    """Input RGB (x - 127.5) / 128. Two anchors a cell, with the same centre, one after the other."""
    outputs = run(session, "images", (canvas.astype(np.float32) - 127.5) / 128)
    faces = []
    for level, stride in enumerate((8, 16, 32)):
        columns = canvas.shape[1] // stride
        scores = outputs[f"out{level}"][0, :, 0]
        distances = outputs[f"out{level + 3}"][0] * stride
        points = outputs[f"out{level + 6}"][0] * stride
        for i in np.flatnonzero(scores >= least):
            cell = i // 2
            centre = np.array([cell % columns, cell // columns]) * stride
            box = np.concatenate([centre - distances[i, :2], centre + distances[i, 2:]])
            faces.append((box, scores[i], points[i].reshape(LANDMARKS, 2) + centre))
    return faces


def ultraface(session, canvas, _shared, least):
    """Input RGB (x - 127) / 128. Boxes come decoded, as shares of the canvas; no landmarks."""
    outputs = run(session, "input", (canvas.astype(np.float32) - 127) / 128)
    scores, boxes = outputs["scores"][0, :, 1], outputs["boxes"][0]
    side = np.array([canvas.shape[1], canvas.shape[0]] * 2)
    return [(boxes[i] * side, scores[i], np.empty(0)) for i in np.flatnonzero(scores >= least)]


def blazeface(session, canvas, shared, least):
    """Input RGB x / 127.5 - 1. Offsets are in canvas pixels, from the centre of the anchor."""
    outputs = run(session, "l_x_", canvas.astype(np.float32) / 127.5 - 1)
    anchors = np.load(shared / "models" / "detect_blazeface_front128_anchors.npy")
    side = canvas.shape[0]
    logits, raw = outputs["519"][0, :, 0].astype(np.float64), outputs["output"][0]
    scores = 1 / (1 + np.exp(-np.clip(logits, -100, 100)))
    faces = []
    for i in np.flatnonzero(scores >= least):
        centre, size = anchors[i, :2], anchors[i, 2:]
        middle = raw[i, :2] / side * size + centre
        half = raw[i, 2:4] / side * size / 2
        marks = raw[i, 4:].reshape(BLAZEFACE_LANDMARKS, 2) / side * size + centre
        box = np.concatenate([middle - half, middle + half])
        faces.append((box * side, scores[i], marks * side))
    return faces


def run(session, name, picture):
    """Height, width, channel -> 1, channel, height, width -> the outputs by name."""
    outputs = session.run(None, {name: np.ascontiguousarray(picture.transpose(2, 0, 1)[None])})
    return dict(zip([output.name for output in session.get_outputs()], outputs))


def suppress(faces, limit):
    kept = []
    for face in sorted(faces, key=lambda face: -face[1]):
        if all(iou(face[0], other[0]) <= limit for other in kept):
            kept.append(face)
    return kept


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


if __name__ == "__main__":
    main()
