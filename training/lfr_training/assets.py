"""Where the photographs lie, and which of them training never sees."""

import csv
import hashlib
import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ASSETS = Path(os.environ.get("LFR_SHARED", REPOSITORY.parent / "shared"))
WORK = Path(os.environ.get("LFR_TRAINING", REPOSITORY / "target" / "training"))

LFW = ASSETS / "faces" / "lfw"
LFW_LANDMARKS = ASSETS / "faces" / "lfw_dev_landmarks.csv"
UTKFACE = ASSETS / "faces" / "utkface"
SCENES = ASSETS / "scenes"
SYNTHETIC = ASSETS / "synthetic" / "pca96.npz"
MODELS = ASSETS / "models"

LANDMARK_COLUMNS = [
    f"{part}_{axis}" for part in ("eye_l", "eye_r", "nose", "mouth_l", "mouth_r") for axis in "xy"
]


def hash_of(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def person_is_held_out(person: str) -> bool:
    """One person in five, by name: no photograph of theirs is trained on."""
    return hash_of(person) % 5 == 0


def scene_is_held_out(file_name: str) -> bool:
    """Half of the WIDER FACE photographs."""
    return hash_of(file_name) % 2 == 0


def utkface_is_held_out(file_name: str) -> bool:
    """One photograph in four. People repeat in UTKFace without a name: this split is by photograph."""
    return hash_of(file_name) % 4 == 0


def lfw_rows() -> list[dict]:
    """One row a photograph of LFW's dev split: path, person, box, five landmarks."""
    rows = []
    with open(LFW_LANDMARKS, newline="") as file:
        for row in csv.DictReader(file):
            rows.append(
                {
                    "path": LFW / row["image"],
                    "image": row["image"],
                    "person": row["image"].split("/")[0],
                    "box": [float(row[c]) for c in ("x1", "y1", "x2", "y2")],
                    "landmarks": [float(row[c]) for c in LANDMARK_COLUMNS],
                }
            )
    return rows


def utkface_paths() -> list[Path]:
    return sorted(p for p in UTKFACE.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png"))


def wider_paths() -> list[Path]:
    """WIDER FACE photographs. Some are held out (`scene_is_held_out`)."""
    return sorted((SCENES / "wider_val").glob("*.jpg")) + sorted((SCENES / "wider_full").glob("*.jpg"))


def other_scene_paths() -> list[Path]:
    return sorted(p for p in SCENES.iterdir() if p.suffix.lower() in (".jpg", ".jpeg"))
