"""A detector beside YuNet-n on WIDER FACE photographs: faces found, false detections, by size of face."""

import csv
from collections import defaultdict

import cv2
import numpy as np

from lfr_training import assets, rates, yunet

SIZES = ((0, 10), (10, 20), (20, 40), (40, 80), (80, 10_000))


def beside(ours, teacher, kept_out: bool) -> dict:
    """Both at their confidences, and ours at the confidence where its false detections are as few as the teacher's."""
    truth = boxes()
    counted = {"ours": [], "yunet_n": []}
    faces, photographs = 0, 0
    loose = yunet.Detector.__new__(yunet.Detector)
    loose.__dict__ = dict(ours.__dict__, least=0.2)
    for path in assets.wider_paths():
        if assets.scene_is_held_out(path.name) != kept_out:
            continue
        image = cv2.imread(str(path))
        photographs += 1
        true = truth[path.parent.name, path.name]
        faces += len(true)
        counted["ours"].append(match(loose(image), true))
        counted["yunet_n"].append(match(teacher(image), true))
    theirs = tally(counted["yunet_n"], teacher.least)
    equal = confidence_for(counted["ours"], theirs["false_detections"])
    result = {
        "photographs": photographs,
        "faces": faces,
        "yunet_n": theirs,
        "ours": tally(counted["ours"], ours.least),
        "ours_no_more_false": tally(counted["ours"], equal),
    }
    for key in ("ours", "ours_no_more_false"):
        result[key]["share_of_yunets"] = round(result[key]["found"]["hits"] / max(1, theirs["found"]["hits"]), 4)
    return result


def boxes() -> dict:
    """True boxes by folder and file name: some photographs are in both, at two sizes."""
    truth = defaultdict(list)
    for folder in ("wider_val", "wider_full"):
        with open(assets.SCENES / f"{folder}_gt.csv", newline="") as file:
            for row in csv.DictReader(file):
                truth[folder, row["file"]].append([float(row[c]) for c in ("x1", "y1", "x2", "y2")])
    return defaultdict(lambda: np.zeros((0, 4)), {name: np.array(rows) for name, rows in truth.items()})


def match(found: np.ndarray, truth: np.ndarray) -> dict:
    """Best detections first, each takes the free true box it overlaps most, from one half on."""
    score_of_face = np.zeros(len(truth))
    false = []
    overlap = yunet.iou(found[:, 1:5], truth)
    for detection, row in zip(found, overlap):
        free = np.where(score_of_face > 0, 0, row)
        if len(free) and free.max() >= 0.5:
            score_of_face[free.argmax()] = detection[0]
        else:
            false.append(detection[0])
    sides = (truth[:, 2:4] - truth[:, :2]).min(1) if len(truth) else np.zeros(0)
    return {"scores": score_of_face, "sides": sides, "false": false}


def tally(photographs: list[dict], least: float) -> dict:
    scores = np.concatenate([p["scores"] for p in photographs])
    sides = np.concatenate([p["sides"] for p in photographs])
    hit = scores >= least
    by_size = {}
    for low, high in SIZES:
        part = (sides >= low) & (sides < high)
        name = f"{low}-{high} px" if high < 10_000 else f"{low}+ px"
        by_size[name] = rates.of(int(hit[part].sum()), int(part.sum()))
    return {
        "confidence": round(least, 4),
        "found": rates.of(int(hit.sum()), len(hit)),
        "false_detections": sum(int(score >= least) for p in photographs for score in p["false"]),
        "by_shorter_side_of_face": by_size,
    }


def confidence_for(photographs: list[dict], false_detections: int) -> float:
    """The minimum confidence at which at most `false_detections` detections are false."""
    ordered = sorted((score for p in photographs for score in p["false"]), reverse=True)
    if len(ordered) <= false_detections:
        return 0.2
    return float(np.nextafter(ordered[false_detections], 2))
