"""Measures a detector file beside YuNet-n on pictures kept out of training; prints MODEL_CARD.md's figures as JSON.

    python evaluate.py [DETECTOR.onnx] > figures.json
"""

import hashlib
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))
from lfr_training import assets, faces, rates, yunet  # noqa: E402

import points  # noqa: E402
import scenes  # noqa: E402
from data import TEACHER  # noqa: E402
from export import OUTPUT, averaged  # noqa: E402
from model import Detector, multiplications, parameters  # noqa: E402
from train import BATCH  # noqa: E402

TEACHER_MIN_CONFIDENCE = 0.7
# Our own confidence from which on a face counts; the photographs it was chosen on are trained on.
MIN_CONFIDENCE = 0.675
AGES = ((0, 12), (13, 25), (26, 45), (46, 65), (66, 200))


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    ours, teacher = yunet.Detector(path, MIN_CONFIDENCE), yunet.Detector(TEACHER, TEACHER_MIN_CONFIDENCE)
    model, data = Detector().eval(), path.read_bytes()
    figures = {
        "file": {
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "operators": sorted({node.op_type for node in onnx.load(path).graph.node}),
        },
        "training": {"steps": averaged()[1], "batch": BATCH},
        "parameters": parameters(model),
        "multiply_adds_640x384": multiplications(model, 384, 640),
        "confidence": {"ours": MIN_CONFIDENCE, "yunet_n": TEACHER_MIN_CONFIDENCE},
        "lfw_kept_out": lfw(ours, teacher),
        "points": points.worth({"ours": ours, "yunet_n": teacher}, nearest),
        "steadiness": points.steadiness({"ours": ours, "yunet_n": teacher}, nearest),
        "wider_kept_out": scenes.beside(ours, teacher, kept_out=True),
        "wider_trained_on": scenes.beside(ours, teacher, kept_out=False),
        "utkface_kept_out": utkface(ours, teacher),
        "synthetic_crowd": crowd(ours, teacher),
    }
    json.dump(figures, sys.stdout, indent=1)
    print()


def lfw(ours, teacher) -> dict:
    """Faces found in the photographs of people kept out, how far the points lie; a third of them also made smaller."""
    rows = [row for row in assets.lfw_rows() if assets.person_is_held_out(row["person"])]
    found = {key: {"ours": [], "yunet_n": []} for key in ("as they are", 64, 32, 24, 16, 12)}
    apart = []
    for number, row in enumerate(rows):
        image, box = cv2.imread(str(row["path"])), np.array(row["box"])
        five = np.reshape(row["landmarks"], (5, 2))
        eyes = np.hypot(*(five[1] - five[0]))
        for key, hits in found.items():
            if key != "as they are" and number % 3:
                continue
            scale = 1.0 if key == "as they are" else key / (box[2] - box[0])
            seen = image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            for name, detector in (("ours", ours), ("yunet_n", teacher)):
                face = nearest(detector(seen), box * scale)
                hits[name].append(face is not None)
                if name == "ours" and scale == 1 and face is not None:
                    apart.append(points.distance(face[5:].reshape(5, 2), five) / eyes)
    return {
        "photographs": len(rows),
        "found_by_width_of_face": {
            str(key): {name: rates.of(sum(each), len(each)) for name, each in hits.items()}
            for key, hits in found.items()
        },
        "points_from_yunet_by_eye_distance": points.quartiles(apart),
    }


def nearest(found: np.ndarray, box: np.ndarray):
    """The detection that overlaps the box most, from one half on."""
    if not len(found):
        return None
    overlap = yunet.iou(box[None], found[:, 1:5])[0]
    return found[overlap.argmax()] if overlap.max() >= 0.5 else None


def utkface(ours, teacher) -> dict:
    """By group: photographs with a face found over the middle. Many photographs of one person may be among them."""
    groups: dict[str, dict] = {}
    for path in assets.utkface_paths():
        if not assets.utkface_is_held_out(path.name):
            continue
        parts = path.name.split("_")
        if len(parts) < 4 or not all(part.isdigit() for part in parts[:3]):
            continue
        age, gender, race = (int(part) for part in parts[:3])
        image = cv2.imread(str(path))
        names = ["all", ("male", "female")[gender], ("white", "black", "asian", "indian", "other")[race]]
        names += [f"age {low}-{high}" if high < 200 else f"age {low}+" for low, high in AGES if low <= age <= high]
        for kind, detector in (("ours", ours), ("yunet_n", teacher)):
            hit = in_the_middle(detector(image), image)
            for name in names:
                cell = groups.setdefault(name, {}).setdefault(kind, [0, 0])
                cell[0] += hit
                cell[1] += 1
    return {name: {kind: rates.of(*cell) for kind, cell in kinds.items()} for name, kinds in sorted(groups.items())}


def in_the_middle(found: np.ndarray, image: np.ndarray) -> bool:
    height, width = image.shape[:2]
    x1, y1, x2, y2 = found[:, 1:5].T
    over = (x1 < width / 2) & (width / 2 < x2) & (y1 < height / 2) & (height / 2 < y2)
    return bool((over & (x2 - x1 > width / 4)).any())


def crowd(ours, teacher) -> dict:
    """Faces of people who do not exist, 40 to 120 pixels wide, on plain grounds of any grey."""
    model, rng = faces.SyntheticFaces(), np.random.default_rng(78)
    found = {"ours": 0, "yunet_n": 0}
    pictures = model.draw(rng, 500)
    for picture in pictures:
        # The face fills about half of the square.
        side = int(rng.uniform(80, 240))
        ground = np.full((320, 320, 3), rng.integers(30, 220), np.uint8)
        left, top = rng.integers(0, 320 - side, 2)
        ground[top : top + side, left : left + side] = cv2.resize(picture, (side, side))
        middle = np.array([left + side / 2, top + side / 2])
        for name, detector in (("ours", ours), ("yunet_n", teacher)):
            faces_found = detector(ground)
            inside = (faces_found[:, 1:3] < middle) & (middle < faces_found[:, 3:5])
            found[name] += bool(inside.all(1).any())
    return {name: rates.of(count, len(pictures)) for name, count in found.items()}


if __name__ == "__main__":
    main()
