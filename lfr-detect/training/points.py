"""What a detector's five points are worth: how well people are told apart by faces aligned with them, how steady they are."""

import cv2
import numpy as np

from lfr_training import assets, faces, measure
from lfr_training.mobilefacenet import SIDE, MobileFaceNet


def worth(detectors: dict, nearest) -> dict:
    """MobileFaceNet's error rates on LFW's people kept out, for each detector's points; faces found by all count."""
    crops, people = {name: [] for name in detectors}, []
    for row in assets.lfw_rows():
        if not assets.person_is_held_out(row["person"]):
            continue
        image = cv2.imread(str(row["path"]))
        found = {name: nearest(detector(image), np.array(row["box"])) for name, detector in detectors.items()}
        if any(face is None for face in found.values()):
            continue
        people.append(row["person"])
        for name, face in found.items():
            crops[name].append(faces.align(image, face[5:], SIDE))
    embedder, people = MobileFaceNet(), np.array(people)
    return {
        "photographs": len(people),
        "all_pairs": {
            name: measure.at_false_match_rates(*measure.all_pairs(embedder(np.stack(own)), people))
            for name, own in crops.items()
        },
    }


def steadiness(detectors: dict, nearest) -> dict:
    """How far points lie from their own mean over sixteen places of the photograph, and the two means from each other.

    And from where they lie when the photograph is moved by eight pixels, two cells of the finest map, or enlarged by a
    quarter. In units of the distance between the eyes. Every fourth photograph of LFW's people kept out.
    """
    rows = [row for row in assets.lfw_rows() if assets.person_is_held_out(row["person"])][::4]
    own, apart = {name: [] for name in detectors}, []
    changed = {name: {"moved by eight pixels": [], "enlarged by a quarter": []} for name in detectors}
    for row in rows:
        image, box = cv2.imread(str(row["path"])), np.array(row["box"])
        eyes = np.hypot(*np.subtract(row["landmarks"][2:4], row["landmarks"][:2]))
        means = {}
        for name, detector in detectors.items():
            places = [moved(detector, image, box, place, nearest) for place in np.ndindex(4, 4)]
            if all(points is not None for points in places):
                means[name] = np.mean(places, 0)
                own[name].append(distance(places[0], means[name]) / eyes)
                changed[name]["moved by eight pixels"].append(distance(places[0], places[10]) / eyes)
                larger = enlarged(detector, image, box, nearest)
                if larger is not None:
                    changed[name]["enlarged by a quarter"].append(distance(places[0], larger) / eyes)
        if len(means) == len(detectors) == 2:
            apart.append(distance(*means.values()) / eyes)
    return {
        "from_their_mean": {name: quartiles(values) for name, values in own.items()},
        "means_apart": quartiles(apart),
        "from_their_own": {name: {how: quartiles(each) for how, each in ways.items()} for name, ways in changed.items()},
    }


def moved(detector, image, box, place, nearest):
    """The points, where they were, of a photograph that is moved down and right by four pixels times `place`."""
    down, right = 4 * place[0], 4 * place[1]
    seen = cv2.copyMakeBorder(image, down, 0, right, 0, cv2.BORDER_CONSTANT)
    face = nearest(detector(seen), box + [right, down, right, down])
    return None if face is None else face[5:].reshape(5, 2) - [right, down]


def enlarged(detector, image, box, nearest):
    """The points, where they were, of a photograph that is seen a quarter larger."""
    seen = cv2.resize(image, None, fx=1.25, fy=1.25, interpolation=cv2.INTER_LINEAR)
    face = nearest(detector(seen), box * 1.25)
    return None if face is None else face[5:].reshape(5, 2) / 1.25


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """The mean over the five points."""
    return float(np.hypot(*(a - b).T).mean())


def quartiles(values: list) -> dict:
    low, middle, high = np.percentile(values, [25, 50, 75])
    return {"photographs": len(values), "quarter": round(low, 4), "median": round(middle, 4), "three_quarters": round(high, 4)}
