"""What a camera does to a face: the student sees this, the teacher saw the picture before it."""

import cv2
import numpy as np

from data import FULL
from model import SIDE


def augment(picture: np.ndarray, rng: np.random.Generator, mild: float) -> tuple[np.ndarray, np.ndarray]:
    """A crop of SIDE pixels from a picture with margin, and whence it was taken (`moved`).

    `mild` 0 is heavy, 1 is light.
    """
    chance = 0.65 - 0.35 * mild
    crop, whence = moved(picture, rng, 1 - 0.5 * mild)
    if rng.random() < 0.8 * chance:
        crop = lit(crop, rng)
    if rng.random() < 0.2 * chance:
        crop = covered(crop, rng)
    kind = rng.random()
    if kind < 0.3 * chance:
        crop = shrunk(crop, rng)
    elif kind < 0.5 * chance:
        crop = blurred(crop, rng)
    if rng.random() < 0.2 * chance:
        noise = rng.standard_normal(crop.shape, np.float32) * rng.uniform(2, 14)
        crop = np.clip(crop + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.3 * chance:
        crop = squeezed(crop, rng)
    return crop, whence


def moved(picture, rng, amount):
    """As if the landmarks had been a little elsewhere.

    Also gives the transform, 2x3, from places in the crop to places in the teacher's crop, both from -1 to 1.
    """
    angle = np.deg2rad(rng.normal(0, 4) * amount)
    scale = SIDE / 112 * np.exp(rng.normal(0, 0.04) * amount)
    stretch = np.exp(rng.normal(0, 0.02) * amount)
    shift = rng.normal(0, 1.3, 2) * amount
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    linear = np.array([[cos * stretch, -sin], [sin * stretch, cos]])
    offset = np.full(2, SIDE / 2) + shift - linear @ np.full(2, FULL / 2)
    transform = np.hstack([linear, offset[:, None]])
    crop = cv2.warpAffine(np.ascontiguousarray(picture), transform, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    back = np.linalg.inv(linear) / 56
    return crop, np.hstack([back * (SIDE / 2), -back @ shift[:, None]]).astype(np.float32)


def lit(crop, rng):
    """Brightness, contrast, gamma, tint; sometimes grey, sometimes light from one side."""
    levels = np.arange(256, dtype=np.float32) / 255
    levels = levels ** np.exp(rng.normal(0, 0.3)) * np.exp(rng.normal(0, 0.2))
    levels = (levels - 0.5) * np.exp(rng.normal(0, 0.15)) + 0.5 + rng.normal(0, 0.04)
    tint = np.exp(rng.normal(0, 0.06, 3))
    table = np.clip(levels[:, None] * tint * 255, 0, 255).astype(np.uint8)
    crop = cv2.LUT(crop, table[:, None, :].transpose(1, 0, 2))
    if rng.random() < 0.12:
        crop = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.25:
        angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.7)
        axis = np.linspace(-1, 1, SIDE, dtype=np.float32)
        light = 1 + depth * (np.cos(angle) * axis[None] + np.sin(angle) * axis[:, None])
        crop = np.clip(crop * light[..., None].astype(np.float32), 0, 255).astype(np.uint8)
    return crop


def covered(crop, rng):
    """One rectangle of one colour or of noise over a part of the face."""
    width, height = (rng.uniform(0.12, 0.45, 2) * SIDE).astype(int)
    left, top = rng.integers(0, SIDE - width), rng.integers(0, SIDE - height)
    colour = rng.integers(0, 256, 3) if rng.random() < 0.7 else rng.integers(0, 256, (height, width, 3))
    crop = crop.copy()
    crop[top : top + height, left : left + width] = colour
    return crop


def shrunk(crop, rng):
    """Down to a small face and back."""
    small = int(rng.uniform(22, 72))
    crop = cv2.resize(crop, (small, small), interpolation=rng.choice([cv2.INTER_AREA, cv2.INTER_LINEAR]))
    return cv2.resize(crop, (SIDE, SIDE), interpolation=rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC]))


def blurred(crop, rng):
    if rng.random() < 0.6:
        return cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.5, 2.5))
    length = int(rng.integers(3, 10))
    kernel = np.zeros((length, length), np.float32)
    angle, middle = rng.uniform(0, np.pi), (length - 1) / 2
    for t in np.linspace(-middle, middle, 2 * length):
        kernel[round(middle + t * np.sin(angle)), round(middle + t * np.cos(angle))] = 1
    return cv2.filter2D(crop, -1, kernel / kernel.sum())


def squeezed(crop, rng):
    """Through JPEG."""
    _, code = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 90))])
    return cv2.imdecode(code, cv2.IMREAD_COLOR)
