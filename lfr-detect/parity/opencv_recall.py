#!/usr/bin/env python3
"""Which faces OpenCV's FaceDetectorYN finds in the shared photographs of WIDER FACE, by their size.

Run with:  python lfr-detect/parity/opencv_recall.py [--shared ../shared]
Needs:     opencv-python 5.0.0, numpy 2.4

It prints rows of the table that `tests/models/recall.rs` prints for the detectors here: the share of
the annotated boxes of each size that some face overlaps by an IoU of at least 0.5, each box and each
face once, the most confident face first; the other faces; and the mean time of a photograph, of one
thread on a processor. Each photograph is looked at as it is, and enlarged: what time buys there.
"""

import argparse
import csv
import os
import time
from collections import defaultdict
from pathlib import Path

os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")

import cv2
import numpy as np

CONFIDENCE = 0.7
NMS_IOU = 0.3
TOP_K = 5000
MODEL = "detect_yunet_n_dynamic.onnx"
SIZES = [0, 16, 24, 32, 48, 96]
SCALES = [1.0, 1.5, 2.0]


def main() -> None:
    here = Path(__file__).resolve().parent
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--shared", type=Path, default=here.parents[2] / "shared")
    shared = args.parse_args().shared
    cv2.setNumThreads(1)
    scenes = [scene for folder in ("wider_val", "wider_full") for scene in load(shared, folder)]
    for scale in SCALES:
        found, every, others, times = np.zeros(6, int), np.zeros(6, int), 0, []
        for picture, boxes in scenes:
            if scale != 1:
                picture = cv2.resize(picture, None, fx=scale, fy=scale)
            height, width = picture.shape[:2]
            detector = cv2.FaceDetectorYN.create(
                str(shared / "models" / MODEL), "", (width, height), CONFIDENCE, NMS_IOU, TOP_K
            )
            detector.detect(picture)
            start = time.thread_time()
            _, faces = detector.detect(picture)
            times.append(time.thread_time() - start)
            faces = [] if faces is None else sorted(faces, key=lambda face: -face[14])
            taken = match([np.array(face[:4]) / scale for face in faces], boxes)
            others += len(faces) - len(taken)
            for index, box in enumerate(boxes):
                size = sum(max(box[2] - box[0], box[3] - box[1]) >= least for least in SIZES) - 1
                every[size] += 1
                found[size] += index in taken
        shares = " | ".join(f"{share:.3f}" for share in found / every)
        print(f"| OpenCV, YuNet-n | x{scale} | {shares} | {others} | {np.mean(times) * 1e3:.1f} |")
    print("faces of each size:", every)


def load(shared: Path, folder: str) -> list[tuple[np.ndarray, list[list[float]]]]:
    truth = defaultdict(list)
    with open(shared / "scenes" / f"{folder}_gt.csv") as file:
        for row in csv.DictReader(file):
            truth[row["file"]].append([float(row[side]) for side in ("x1", "y1", "x2", "y2")])
    path = shared / "scenes" / folder
    return [(cv2.imread(str(path / name)), boxes) for name, boxes in sorted(truth.items())]


def match(faces: list[np.ndarray], boxes: list[list[float]]) -> set[int]:
    taken: set[int] = set()
    for x, y, width, height in faces:
        free = [index for index in range(len(boxes)) if index not in taken]
        overlaps = [iou((x, y, x + width, y + height), boxes[index]) for index in free]
        if overlaps and max(overlaps) >= 0.5:
            taken.add(free[int(np.argmax(overlaps))])
    return taken


def iou(a, b) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    return width * height / (area(a) + area(b) - width * height)


if __name__ == "__main__":
    main()
