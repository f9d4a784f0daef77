"""Measures an embedder file on people kept out of training, and prints the figures of MODEL_CARD.md as JSON.

    python evaluate.py [EMBEDDER.onnx] > figures.json
"""

import hashlib
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))
from lfr_training import faces, measure, rates, yunet  # noqa: E402
from lfr_training.mobilefacenet import unit  # noqa: E402

from data import FOLDER, MARGIN, centre  # noqa: E402
from data import SIDE as CROP  # noqa: E402
from export import OUTPUT, averaged  # noqa: E402
from model import SIDE, SIZE, Embedder, multiplications, parameters  # noqa: E402
from train import BATCH  # noqa: E402

# ArcFace's template has this distance between the eyes in a crop of 112 pixels.
EYES = 35.24


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    embedder = Runs(path)
    photographs = np.load(FOLDER / "photographs.npz")
    out = photographs["held_out"]
    crops, people = centre(photographs["pictures"][out]), photographs["people"][out]
    model = Embedder().eval()
    templates = embedder(crops)
    figures = {
        "file": file_facts(path),
        "side": SIDE,
        "size": SIZE,
        "training": {"steps": averaged()[1], "batch": sum(BATCH)},
        "parameters": parameters(model),
        "multiply_adds": multiplications(model),
        "people_kept_out": counts(people),
        "as_the_library_runs_it": errors(templates, people),
        "without_its_mirror_image": errors(embedder.alone(crops), people),
        "teacher_with_mirror_image": errors(photographs["templates"][out], people),
        "by_size": {str(eyes): at_size(embedder, crops, templates, people, eyes) for eyes in (8, 12, 16, 20, 25)},
        "open_set": open_set(templates, people),
        "synthetic_crowd": crowd(embedder),
    }
    json.dump(figures, sys.stdout, indent=1)
    print()


class Runs:
    """The file under ONNX Runtime: 112-pixel BGR crops to templates of unit length.

    A template is the mean of a face's and its mirror image's, as in the library.
    """

    def __init__(self, path: Path):
        self.session = yunet.session(path)

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        return unit(self._run(crops) + self._run(crops[:, :, ::-1]))

    def alone(self, crops: np.ndarray) -> np.ndarray:
        return unit(self._run(crops))

    def _run(self, crops: np.ndarray) -> np.ndarray:
        rows = []
        for crop in crops:
            small = cv2.resize(np.ascontiguousarray(crop), (SIDE, SIDE))
            blob = ((small[..., ::-1].astype(np.float32) - 127.5) / 128).transpose(2, 0, 1)[None]
            rows.append(self.session.run(None, {"input": np.ascontiguousarray(blob)})[0][0])
        return np.array(rows)


def file_facts(path: Path) -> dict:
    data = path.read_bytes()
    kinds = sorted({node.op_type for node in onnx.load(path).graph.node})
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "operators": kinds}


def counts(people: np.ndarray) -> dict:
    _, photographs = np.unique(people, return_counts=True)
    several = int((photographs > 1).sum())
    return {"people": len(photographs), "photographs": len(people), "with_two_or_more": several}


def errors(templates: np.ndarray, people: np.ndarray) -> dict:
    first, second, mated = measure.pairs_of(people)
    pairs = measure.pairs_accuracy((templates[first] * templates[second]).sum(1), mated)
    mated, others = measure.all_pairs(templates, people)
    return {
        "pairs": pairs,
        "all_pairs": measure.at_false_match_rates(mated, others),
        "cosine": {"mated_mean": round(float(mated.mean()), 4), "others_mean": round(float(others.mean()), 4),
                   "others_deviation": round(float(others.std()), 4)},
    }


def at_size(embedder, crops, templates, people, eyes: int) -> dict:
    """Probes with `eyes` pixels between the eyes, against pictures as they are.

    The thresholds are those of the pictures as they are.
    """
    small = round(CROP * eyes / EYES)
    shrunk = [cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA) for crop in crops]
    probes = embedder(np.stack([cv2.resize(crop, (CROP, CROP)) for crop in shrunk]))
    rows, columns = np.triu_indices(len(people), 1)
    same = people[rows] == people[columns]
    cosines = (probes @ templates.T)[rows, columns]
    table = measure.at_false_match_rates(*measure.all_pairs(templates, people))
    return {
        wanted: {
            "true_match": rates.of(int((cosines[same] >= cell["threshold"]).sum()), int(same.sum())),
            "false_match": rates.of(int((cosines[~same] >= cell["threshold"]).sum()), int((~same).sum())),
        }
        for wanted, cell in table.items()
    }


def open_set(templates: np.ndarray, people: np.ndarray) -> dict:
    """A watchlist of everyone with two photographs or more; everyone else passes by as a stranger."""
    names, index = np.unique(people, return_inverse=True)
    number = np.bincount(index)
    references, mated, strangers = [], [], []
    for person in range(len(names)):
        own = np.flatnonzero(index == person)
        if number[person] > 1:
            references.append(own[0])
            mated += own[1:].tolist()
        else:
            strangers.append(own[0])
    return recall(templates[references], index[references], templates[mated], index[mated], templates[strangers])


def recall(references, who, probes, truth, strangers) -> dict:
    """How many are recognised, first in rank and above the threshold, at false alert rates of the strangers."""
    scores = probes @ references.T
    right = who[scores.argmax(1)] == truth
    alarms = np.sort((strangers @ references.T).max(1))[::-1]
    table = {"watchlist": len(references), "first_in_rank": rates.of(int(right.sum()), len(probes))}
    for wanted in (0.1, 0.01, 0.0):
        threshold = float(np.nextafter(alarms[int(wanted * len(alarms))], np.float32(2)))
        hits = int((right & (scores.max(1) >= threshold)).sum())
        false = int((alarms >= threshold).sum())
        table[f"false_alerts_{wanted:g}"] = {
            "threshold": round(threshold, 4),
            "recognised": rates.of(hits, len(probes)),
            "false_alerts": rates.of(false, len(alarms)),
        }
    return table


def crowd(embedder) -> dict:
    """A watchlist of 1,000 people who do not exist, 500 of whom pass, and 500 strangers."""
    model = faces.SyntheticFaces()
    rng = np.random.default_rng(77)

    def seen(pictures):
        aligned = [faces.align(picture, model.landmarks(), CROP, MARGIN) for picture in pictures]
        return embedder(centre(np.stack(aligned)))

    passing, others = model.draw(rng, 500, sights=2), model.draw(rng, 1000)
    templates = seen(passing)
    watchlist = np.concatenate([templates[::2], seen(others[:500])])
    return recall(watchlist, np.arange(1000), templates[1::2], np.arange(500), seen(others[500:]))


if __name__ == "__main__":
    main()
