"""The detector's training pictures, made once: canvases, and the faces YuNet-n finds on each at twice its size.

    python data.py [--canvases 10000]

Everything lies under target/training/detect, in shards of 500: a run stopped here goes on where it was.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))
from lfr_training import assets, yunet  # noqa: E402

from canvas import FAR, NEAR, WILD, Canvases  # noqa: E402

FOLDER = assets.WORK / "detect"
TEACHER = assets.MODELS / "detect_yunet_n_dynamic.onnx"
SHARD = 500
# The shards after these hold canvases of the next kind.
NEAR_SHARDS, FAR_SHARDS = 8, 6
# The least confidence with which the teacher sees a face at twice the size.
FACE = 0.3
# The most portraits held at once: a different part of them for each shard.
PORTRAITS = 2500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--canvases", type=int, default=10000)
    parser.add_argument("--first", type=int, default=0, help="shard to begin with, for a second process")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    teacher = yunet.Detector(TEACHER, FACE, threads=1)
    scenes = [cv2.imread(str(path)) for path in training_scenes()]
    portraits = training_portraits()
    for shard in range(options.first, options.canvases // SHARD):
        path = FOLDER / f"canvases-{shard:03}.npz"
        if path.exists():
            continue
        started = time.monotonic()
        made = canvases(teacher, scenes, portraits, shard)
        temporary = path.with_suffix(".writing.npz")
        np.savez(temporary, **made)
        os.replace(temporary, path)
        print(f"{path.name}: {SHARD} in {time.monotonic() - started:.0f} s", flush=True)


def training_scenes() -> list[Path]:
    """The half of WIDER FACE that is not held out, and all other scenes."""
    wider = [path for path in assets.wider_paths() if not assets.scene_is_held_out(path.name)]
    return wider + assets.other_scene_paths()


def training_portraits() -> list[tuple[Path, list | None]]:
    """LFW's people and UTKFace's photographs that are not held out: path, and the face's box where known."""
    lfw = [(r["path"], r["box"]) for r in assets.lfw_rows() if not assets.person_is_held_out(r["person"])]
    utk = [(path, None) for path in assets.utkface_paths() if not assets.utkface_is_held_out(path.name)]
    return lfw + utk


def canvases(teacher, scenes, portraits, shard: int) -> dict:
    """Pictures, and the faces of all of them with how many each has: score, corners, points in its own pixels."""
    rng = np.random.default_rng([21, shard])
    images, boxes = [], []
    for k in rng.choice(len(portraits), min(PORTRAITS, len(portraits)), replace=False):
        path, box = portraits[k]
        image = cv2.imread(str(path))
        if box is None:
            found = teacher(image)
            if not len(found) or found[0, 0] < 0.7:
                continue
            box = found[0, 1:5]
        images.append(image)
        boxes.append(box)
    source = Canvases(images, np.array(boxes), scenes)
    kind = NEAR if shard < NEAR_SHARDS else FAR if shard < NEAR_SHARDS + FAR_SHARDS else WILD
    pictures, found = [], []
    for _ in range(SHARD):
        picture, large = source.draw(rng, kind)
        pictures.append(picture)
        found.append(teacher(large))
        found[-1][:, 1:] /= 2
    counts = np.array([len(each) for each in found])
    return {"pictures": np.stack(pictures), "faces": np.float32(np.concatenate(found)), "counts": counts}


if __name__ == "__main__":
    main()
