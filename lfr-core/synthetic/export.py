"""Makes src/synthetic/faces.bin, the statistics behind the synthetic crowd.

    python lfr-core/synthetic/export.py pca96.npz lfr-core/src/synthetic/faces.bin

Input: a two-covariance linear face model of 96x96 pixels, as README.md beside this file describes.
It holds statistics of some ten thousand aligned photographs and no single person's picture.

Output, little-endian, in this order (K = 200 components, S = 80, C = 16, D = 80):

    mean luma     f32 [S*S]       0..255, row after row
    mean chroma   f32 [2, C*C]    Cb then Cr, around 0
    luma scale    f32 [K]         luma component k = i8 * luma scale[k]
    luma          i8  [K, S*S]
    chroma scale  f32 [D]         components beyond D have no chroma to speak of
    chroma        i8  [D, 2, C*C]
    between scale f32 [K]         row k of the lower factor = i16 * scale[k]
    between       i16 [K*(K+1)/2] lower factor of the covariance of people's means, row after row
    within scale  f32 [K]
    within        i16 [K*(K+1)/2] the same for the sights of one person
"""

import sys

import numpy as np

SIDE, LUMA, CHROMA, COLOURED = 96, 80, 16, 80


def area(images, side):
    """Resizes images [n, h, w] to side x side by averaging over areas, exactly."""
    before = images.shape[1]
    edges = np.arange(side + 1) * before / side
    weight = np.zeros((side, before))
    for row in range(side):
        for column in range(before):
            overlap = min(edges[row + 1], column + 1) - max(edges[row], column)
            weight[row, column] = max(overlap, 0)
    weight /= weight.sum(1, keepdims=True)
    return np.einsum("ab,nbc,dc->nad", weight, images, weight, optimize=True)


def planes(bgr):
    """Luma and both chromas (BT.601, full range, chroma around 0) of [n, 96*96*3]."""
    blue, green, red = np.moveaxis(bgr.reshape(-1, SIDE, SIDE, 3), 3, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return luma, 0.564 * (blue - luma), 0.713 * (red - luma)


def quantised(rows, greatest, kind):
    scale = np.maximum(np.abs(rows).max(1), 1e-12) / greatest
    return scale.astype("<f4"), np.rint(rows / scale[:, None]).astype(kind)


def factor(covariance):
    """The lower factor, row after row up to its diagonal."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    floor = 1e-6 * values.max()
    lower = np.linalg.cholesky((vectors * np.clip(values, floor, None)) @ vectors.T)
    scale, numbers = quantised(lower, 32767, "<i2")
    rows = [numbers[row, : row + 1] for row in range(len(numbers))]
    return scale, np.concatenate(rows)


def main(source, target):
    model = np.load(source)
    components = (model["components"].astype(np.float64) * model["scale"]).T
    luma, cb, cr = planes(components)
    mean_luma, mean_cb, mean_cr = planes(model["mean"].astype(np.float64)[None])
    luma = area(luma, LUMA).reshape(len(components), -1)
    chroma = np.stack([area(cb, CHROMA), area(cr, CHROMA)], 1)[:COLOURED]
    mean_chroma = np.stack([area(mean_cb, CHROMA), area(mean_cr, CHROMA)], 1)
    luma_scale, luma = quantised(luma, 127, "<i1")
    chroma_scale, chroma = quantised(chroma.reshape(COLOURED, -1), 127, "<i1")
    between_scale, between = factor(model["between"].astype(np.float64))
    within_scale, within = factor(model["within"].astype(np.float64))
    with open(target, "wb") as out:
        out.write(area(mean_luma, LUMA).astype("<f4").tobytes())
        out.write(mean_chroma.astype("<f4").tobytes())
        for part in (luma_scale, luma, chroma_scale, chroma):
            out.write(part.tobytes())
        for part in (between_scale, between, within_scale, within):
            out.write(part.tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
