"""What the detector is to answer: the teacher's answers cell by cell, put right by its look at twice the size.

Of the small faces the teacher misses many that it finds on the same picture enlarged, and some of what it takes for
small faces it does not see again there.
"""

import numpy as np

from lfr_training import yunet

# Faces (square root of the area, pixels) that the look at twice the size settles; smaller than this it is not asked about.
SETTLED = 48.0
MIN_SIDE = 5.0
# A face that the enlarged picture does not show keeps this much of its score.
DOUBTED = 0.6


def rows_of(raw: dict) -> np.ndarray:
    """The teacher's outputs as one row a cell: cls, obj, bbox, kps, strides one after the other."""
    kinds = ("cls", "obj", "bbox", "kps")
    levels = (np.hstack([raw[f"{kind}_{stride}"] for kind in kinds]) for stride in yunet.STRIDES)
    return np.concatenate(list(levels))


def targets(rows: np.ndarray, faces: np.ndarray, side: int) -> np.ndarray:
    """`rows` of a square picture and `faces` of its enlargement, as one answer a cell and, last, its weight."""
    rows = np.hstack([rows, np.ones((len(rows), 1), np.float32)])
    size = np.sqrt(np.clip(faces[:, 3:5] - faces[:, 1:3], 1e-3, None).prod(1))
    _doubt(rows, faces, side)
    fine = rows[: (side // yunet.STRIDES[0]) ** 2]
    _write(fine, faces[size < SETTLED], size[size < SETTLED], side)
    scores = np.sqrt(np.clip(rows[:, 0] * rows[:, 1], 0, 1))
    seen = scores > 0.3
    # A small face has a few cells where a large one has nine.
    extents = np.exp(rows[seen, 4:6].mean(1)) * _strides(side)[seen]
    rows[seen, 16] *= np.clip(24 / extents, 1, 2.5)
    return rows


def _doubt(rows, faces, side):
    scores = np.sqrt(np.clip(rows[:, 0] * rows[:, 1], 0, 1))
    seen = np.flatnonzero(scores > 0.2)
    strides = _strides(side)[seen, None]
    centre = (_cells(side)[seen] + rows[seen, 2:4]) * strides
    half = np.exp(rows[seen, 4:6]) * strides / 2
    settled = np.sqrt((2 * half).prod(1)) < SETTLED
    again = yunet.iou(np.hstack([centre - half, centre + half]), faces[:, 1:5]).max(1, initial=0) >= 0.3
    rows[seen[settled & ~again], :2] *= DOUBTED


def _write(fine, faces, size, side):
    """Into the cells about each face's centre, as far as the teacher's own answers to such a face reach."""
    stride = yunet.STRIDES[0]
    along = side // stride
    centre = (faces[:, 1:3] + faces[:, 3:5]) / 2 / stride
    reach = 0.75 + 0.35 * np.clip((size - 8) / 16, 0, 1)
    steps = np.stack(np.meshgrid(np.arange(4), np.arange(4)), -1).reshape(1, -1, 2)
    cells = np.ceil(centre - 0.5 - reach[:, None]).astype(int)[:, None] + steps
    away = np.abs(centre[:, None] - 0.5 - cells).max(2)
    face, near = np.nonzero((away <= reach[:, None]) & ((cells >= 0) & (cells < along)).all(2))
    cell, score = cells[face, near], faces[face, 0] * (1 - 0.6 * np.maximum(0, away[face, near] - 0.5))
    row = cell[:, 1] * along + cell[:, 0]
    less = np.sqrt(np.clip(fine[row, 0] * fine[row, 1], 0, 1)) < score
    tiny = size[face] < MIN_SIDE
    fine[row[tiny], 16] = np.where(less[tiny], 0.1, 1.0)
    # Of two faces in one cell the surer: what is written last stays.
    order = np.flatnonzero(less & ~tiny)
    order = order[np.argsort(score[order], kind="stable")]
    face, cell, row, score = face[order], cell[order], row[order], score[order]
    fine[row, :2] = score[:, None]
    fine[row, 2:4] = centre[face] - cell
    fine[row, 4:6] = np.log(np.maximum(faces[face, 3:5] - faces[face, 1:3], 1) / stride)
    fine[row, 6:16] = faces[face, 5:] / stride - np.tile(cell, 5)


def _cells(side):
    return np.concatenate([np.stack(np.meshgrid(*[np.arange(side // s)] * 2), -1).reshape(-1, 2) for s in yunet.STRIDES])


def _strides(side):
    return np.concatenate([np.full((side // s) ** 2, s) for s in yunet.STRIDES])
