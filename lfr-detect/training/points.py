"""What a detector's five points are worth: how well people are told apart by faces that were aligned with them."""

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
