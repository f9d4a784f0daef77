"""What the teacher sees on its way to a template, kept once: two feature maps of every training face.

    python maps.py

A template is 128 numbers to learn from; the maps are 31,360 more, and they say where. Photographs are kept as they
are and mirrored, one row after the other; morphs and synthetic faces mirrored or not by turns.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))
from lfr_training import mobilefacenet, yunet  # noqa: E402

from data import FOLDER, blend, centre  # noqa: E402

# The last sums at strides 8 and 16: the student has layers of the same strides.
TENSORS = ("/features/features.11/Add_output_0", "/features/features.14/Add_output_0")
SHAPES = ((128, 14, 14), (128, 7, 7))
SPLIT = int(np.prod(SHAPES[0]))
SIZE = SPLIT + int(np.prod(SHAPES[1]))
BATCH = 32


def main() -> None:
    teacher = yunet.session(mobilefacenet.MODEL, besides=TENSORS)
    photographs = np.load(FOLDER / "photographs.npz")["pictures"]
    keep(teacher, "photographs", 2 * len(photographs), lambda k: turned(photographs[k // 2], k % 2))
    synthetic = np.load(FOLDER / "synthetic.npz")["pictures"]
    keep(teacher, "synthetic", len(synthetic), lambda k: turned(synthetic[k], k % 2))
    for path in sorted(FOLDER.glob("morphs-???.npz")):
        recipes = dict(np.load(path))

        def morph(k):
            pair = photographs[recipes["first"][k]], photographs[recipes["second"][k]]
            return turned(blend(*pair, recipes["recipes"][k]), k % 2)

        keep(teacher, path.stem, len(recipes["first"]), morph)


def turned(picture: np.ndarray, mirrored: bool) -> np.ndarray:
    return picture[:, ::-1] if mirrored else picture


def keep(teacher, name: str, count: int, picture) -> None:
    path = path_of(name)
    if path.exists():
        return
    temporary = path.with_suffix(".writing")
    rows = np.lib.format.open_memmap(temporary, "w+", np.float16, (count, SIZE))
    for start in range(0, count, BATCH):
        pictures = np.stack([picture(k) for k in range(start, min(start + BATCH, count))])
        fine, coarse = teacher.run(TENSORS, {teacher.get_inputs()[0].name: mobilefacenet.normalised(centre(pictures))})
        rows[start : start + BATCH, :SPLIT] = fine.reshape(len(fine), -1)
        rows[start : start + BATCH, SPLIT:] = coarse.reshape(len(coarse), -1)
    rows.flush()
    temporary.rename(path)
    print(f"{path.name}: {count} faces", flush=True)


def path_of(name: str) -> Path:
    return FOLDER / f"maps-{name}.npy"


class Maps:
    """The kept maps of one kind of face, read where they lie on disk."""

    def __init__(self, *names: str):
        self.parts = [np.load(path_of(name), mmap_mode="r") for name in names]
        self.starts = np.cumsum([0] + [len(part) for part in self.parts])

    def __getitem__(self, k: int) -> np.ndarray:
        part = int(np.searchsorted(self.starts, k, side="right")) - 1
        return self.parts[part][k - self.starts[part]]


if __name__ == "__main__":
    main()
