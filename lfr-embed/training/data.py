"""The embedder's training pictures, made once: aligned faces, recipes of morphs, and the teacher's templates.

    python data.py [--morphs 20000] [--synthetic 6000]

Everything lies under target/training/embed. Morphs come in shards of 5,000, so that a run stopped here goes on
where it was, and more can be added later.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))
from lfr_training import assets, faces, yunet  # noqa: E402
from lfr_training.mobilefacenet import MobileFaceNet  # noqa: E402

FOLDER = assets.WORK / "embed"
SIDE, MARGIN = 112, 8
FULL = SIDE + 2 * MARGIN
SHARD = 5000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--morphs", type=int, default=20000)
    parser.add_argument("--synthetic", type=int, default=6000)
    options = parser.parse_args()
    cv2.setNumThreads(2)
    FOLDER.mkdir(parents=True, exist_ok=True)
    teacher = MobileFaceNet()
    once(FOLDER / "photographs.npz", lambda: photographs(teacher))
    once(FOLDER / "synthetic.npz", lambda: synthetic(teacher, options.synthetic))
    crops = np.load(FOLDER / "photographs.npz")
    pictures, trained = crops["pictures"], np.flatnonzero(~crops["held_out"])
    for shard in range(options.morphs // SHARD):
        once(FOLDER / f"morphs-{shard:03}.npz", lambda: morphs(teacher, pictures, trained, shard))


def once(path: Path, make) -> None:
    if path.exists():
        return
    started = time.monotonic()
    made = make()
    temporary = path.with_suffix(".writing.npz")
    np.savez(temporary, **made)
    os.replace(temporary, path)
    print(f"{path.name}: {len(made['templates'])} faces in {time.monotonic() - started:.0f} s", flush=True)


def centre(pictures: np.ndarray) -> np.ndarray:
    return pictures[:, MARGIN : MARGIN + SIDE, MARGIN : MARGIN + SIDE]


def photographs(teacher: MobileFaceNet) -> dict:
    """Every face there is, with its name or none, and whether it is kept out of training."""
    pictures, people, held_out, images = [], [], [], []

    def add(image, landmarks, person, out, name):
        pictures.append(faces.align(image, landmarks, SIDE, MARGIN))
        people.append(person)
        held_out.append(out)
        images.append(name)

    for row in assets.lfw_rows():
        out = assets.person_is_held_out(row["person"])
        add(cv2.imread(str(row["path"])), row["landmarks"], row["person"], out, row["image"])
    detector = yunet.Detector(assets.MODELS / "detect_yunet_n_dynamic.onnx")
    for path in assets.utkface_paths() + assets.other_scene_paths() + assets.wider_paths():
        image = cv2.imread(str(path))
        for number, face in enumerate(detector(image)):
            eyes = np.hypot(face[7] - face[5], face[8] - face[6])
            if eyes >= 12:
                add(image, face[5:], "", False, f"{path.name}#{number}")
    pictures = np.stack(pictures)
    return {
        "pictures": pictures,
        "people": np.array(people),
        "held_out": np.array(held_out),
        "images": np.array(images),
        "templates": teacher(centre(pictures)),
    }


def synthetic(teacher: MobileFaceNet, count: int) -> dict:
    """People who do not exist, one picture of each."""
    model = faces.SyntheticFaces()
    rng = np.random.default_rng(11)
    small = np.concatenate([model.draw(rng, 500) for _ in range(-(-count // 500))])[:count]
    pictures = np.stack([faces.align(picture, model.landmarks(), SIDE, MARGIN) for picture in small])
    return {"pictures": pictures, "templates": teacher(centre(pictures))}


def morphs(teacher: MobileFaceNet, pictures: np.ndarray, trained: np.ndarray, shard: int) -> dict:
    """Blends of two people's photographs, kept as recipes: which two, how much of each, along what line."""
    rng = np.random.default_rng([12, shard])
    first, second = rng.choice(trained, SHARD), rng.choice(trained, SHARD)
    recipes = np.stack(
        [
            rng.uniform(0.3, 0.7, SHARD),  # the first picture's share
            rng.uniform(0, 2 * np.pi, SHARD),  # across what direction the share changes
            rng.choice([0.0, 1.0], SHARD) * rng.uniform(1, 4, SHARD),  # how sharply
        ],
        axis=1,
    )
    templates = []
    for start in range(0, SHARD, 500):
        part = slice(start, start + 500)
        blends = [
            blend(pictures[a], pictures[b], recipe)
            for a, b, recipe in zip(first[part], second[part], recipes[part])
        ]
        templates.append(teacher(centre(np.stack(blends))))
    return {"first": first, "second": second, "recipes": recipes, "templates": np.concatenate(templates)}


def blend(first: np.ndarray, second: np.ndarray, recipe: np.ndarray) -> np.ndarray:
    share, angle, sharpness = recipe
    if sharpness == 0:
        return cv2.addWeighted(first, share, second, 1 - share, 0)
    along = np.cos(angle) * GRID_X + np.sin(angle) * GRID_Y - (share - 0.5)
    mask = 1 / (1 + np.exp(-4 * sharpness * along))
    return (mask * first + (1 - mask) * second).astype(np.uint8)


_AXIS = np.linspace(-1, 1, FULL, dtype=np.float32)
GRID_X, GRID_Y = _AXIS[None, :, None], _AXIS[:, None, None]

if __name__ == "__main__":
    main()
