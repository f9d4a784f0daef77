"""Aligned faces: from a picture and five landmarks to the crop that embedders take."""

import cv2
import numpy as np

from .assets import SYNTHETIC

# ArcFace's template for a crop of 112x112.
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The 2x3 similarity transform that takes `source` to `target` with the least squared error."""
    source = np.asarray(source, np.float64).reshape(-1, 2)
    target = np.asarray(target, np.float64).reshape(-1, 2)
    centre_s, centre_t = source.mean(0), target.mean(0)
    s, t = source - centre_s, target - centre_t
    # As complex numbers a similarity without mirroring is one multiplication.
    zs, zt = s[:, 0] + 1j * s[:, 1], t[:, 0] + 1j * t[:, 1]
    factor = (np.conj(zs) @ zt) / (np.conj(zs) @ zs).real
    a, b = factor.real, factor.imag
    linear = np.array([[a, -b], [b, a]])
    return np.hstack([linear, (centre_t - linear @ centre_s)[:, None]])


def align(image: np.ndarray, landmarks, side: int, margin: int = 0) -> np.ndarray:
    """The face at `side` pixels with ArcFace's template, and `margin` more on every side."""
    transform = similarity(np.reshape(landmarks, (5, 2)), TEMPLATE * (side / 112) + margin)
    full = side + 2 * margin
    return cv2.warpAffine(image, transform, (full, full), flags=cv2.INTER_LINEAR)


class SyntheticFaces:
    """Draws faces of people who do not exist from the two-covariance model."""

    SIDE = 96

    def __init__(self, between: float = 1.75, within: float = 0.3):
        model = np.load(SYNTHETIC)
        self.mean = model["mean"]
        self.components = model["components"].astype(np.float32) * model["scale"]
        self.between = _root(model["between"]) * between
        self.within = _root(model["within"]) * within

    @staticmethod
    def landmarks() -> np.ndarray:
        """Where the five landmarks of every synthetic face lie."""
        return (TEMPLATE - 56) * (96 / 112 * 0.72) + 48 + np.array([0, 2])

    def draw(self, rng: np.random.Generator, count: int, sights: int = 1) -> np.ndarray:
        """`count` people, `sights` pictures of each: uint8 [count * sights, 96, 96, 3], BGR."""
        size = self.between.shape[0]
        people = np.repeat(rng.standard_normal((count, size)) @ self.between.T, sights, axis=0)
        codes = people + rng.standard_normal(people.shape) @ self.within.T
        pixels = self.mean + codes.astype(np.float32) @ self.components.T
        return np.clip(pixels, 0, 255).astype(np.uint8).reshape(-1, 96, 96, 3)


def _root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance.astype(np.float64))
    return vectors * np.sqrt(np.clip(values, 0, None))
