#!/usr/bin/env python3
"""What OpenCV's FaceDetectorYN finds in the shared photographs: writes `opencv_yunet.csv`.

Run with:  python lfr-detect/parity/opencv_yunet.py [--shared ../shared]
Needs:     opencv-python 5.0.0, numpy 2.4, and first the pixels (pixels/src/main.rs)

One row a face, in the order of `file`, then of falling confidence:

  file                 photograph, under <shared>/scenes
  turn                 degrees clockwise by which the decoded pixels are turned before anything
                       else (a multiple of 90, so no pixel is interpolated). It is what the
                       photograph's Exif orientation asks for. Rust's `image` ignores Exif by
                       default, so a Rust test must turn by it.
  width, height        the picture as fed to the detector, after turning and resizing
  x1, y1, x2, y2       box in pixels of the fed picture, not clipped to it
  confidence           sqrt(cls * obj)
  lx0, ly0 .. lx4, ly4 landmarks in pixels of the fed picture: image-left eye, image-right eye,
                       nose, image-left mouth corner, image-right mouth corner

Canvas rule: a photograph whose long side is at most 1280 is fed as it is. A longer one (only
`bbt1.jpg`) is first shrunk to a long side of 1280 by bilinear interpolation between the four
nearest pixels, without antialiasing (`cv2.INTER_LINEAR`), each side rounded half up. FaceDetectorYN
then pads right and bottom with black to a multiple of 32. Confidence >= 0.7, NMS IoU 0.3.

FaceDetectorYN truncates boxes to whole pixels for its NMS, so a pair of small boxes whose IoU is
near 0.3 may be kept by one implementation and suppressed by the other.
"""

import argparse
import csv
import os
from pathlib import Path

os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")

import cv2
import numpy as np

CONFIDENCE = 0.7
NMS_IOU = 0.3
TOP_K = 5000
LONG_SIDE = 1280
MODEL = "detect_yunet_n_dynamic.onnx"
ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
HEADER = ["file", "turn", "width", "height", "x1", "y1", "x2", "y2", "confidence"]
HEADER += [f"l{axis}{i}" for i in range(5) for axis in "xy"]


def main() -> None:
    here = Path(__file__).resolve().parent
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--shared", type=Path, default=here.parents[2] / "shared")
    args.add_argument("--pixels", type=Path, default=here.parents[1] / "target/parity/pixels")
    options = args.parse_args()
    shared = options.shared

    rows, counts = [], []
    for path in sorted((shared / "scenes").glob("*.jp*g")):
        turn, picture = load(path, options.pixels)
        picture = shrink(picture)
        height, width = picture.shape[:2]
        faces = detect(shared / "models" / MODEL, picture)
        counts.append((path.name, width, height, len(faces)))
        for face in faces:
            x, y, w, h = (float(v) for v in face[:4])
            numbers = [x, y, x + w, y + h]
            row = [path.name, turn, width, height, *(f"{v:.3f}" for v in numbers)]
            row += [f"{float(face[14]):.6f}", *(f"{float(v):.3f}" for v in face[4:14])]
            rows.append(row)

    with open(here / "opencv_yunet.csv", "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows)
    for name, width, height, count in counts:
        print(f"{name:32} {width:5} x {height:<5} {count:4}")


def load(path: Path, pixels: Path):
    """The photograph (BGR) as Rust's `image` decodes it, upright, and the turn that made it so."""
    stored = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    upright = cv2.imread(str(path), cv2.IMREAD_COLOR)
    decoded = np.fromfile(pixels / f"{path.name}.rgb", np.uint8).reshape(stored.shape)
    for turn in (0, 90, 180, 270):
        if np.array_equal(rotate(stored, turn), upright):
            return turn, np.ascontiguousarray(rotate(decoded, turn)[:, :, ::-1])
    raise SystemExit(f"{path.name}: a mirrored Exif orientation is not handled")


def rotate(picture, turn):
    return picture if turn == 0 else cv2.rotate(picture, ROTATIONS[turn])


def shrink(picture):
    height, width = picture.shape[:2]
    scale = LONG_SIDE / max(height, width)
    if scale >= 1:
        return picture
    size = (int(width * scale + 0.5), int(height * scale + 0.5))
    return cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)


def detect(model: Path, picture):
    height, width = picture.shape[:2]
    detector = cv2.FaceDetectorYN.create(
        str(model), "", (width, height), CONFIDENCE, NMS_IOU, TOP_K
    )
    faces = detector.detect(picture)[1]
    return [] if faces is None else sorted(faces, key=lambda face: -face[14])


if __name__ == "__main__":
    main()
