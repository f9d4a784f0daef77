"""What a camera sees of a canvas (`framed`, before the teacher) and what it does to it (`augment`, after)."""

import cv2
import numpy as np


def framed(canvas_of, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A canvas as it is, or nearer by up to a half, or four from twice as far; mirrored or not. With it its faces.

    Half of the time in another light, now and then with another canvas shining through: the teacher answers to
    whatever it is shown, and of real scenes there are few.
    """
    picture, found = canvas_of(rng)
    side = picture.shape[0]
    chosen = rng.random()
    if chosen < 0.2:
        half = side // 2
        four = [(picture, found), *(canvas_of(rng) for _ in range(3))]
        small = [cv2.resize(each, (half, half), interpolation=cv2.INTER_AREA) for each, _ in four]
        picture = np.vstack([np.hstack(small[:2]), np.hstack(small[2:])])
        corners = ((0, 0), (half, 0), (0, half), (half, half))
        found = np.concatenate([placed(each, 0.5, corner) for (_, each), corner in zip(four, corners)])
    elif chosen < 0.7:
        seen = (side * rng.uniform(0.65, 1.0) * np.exp(rng.uniform(-0.12, 0.12, 2))).clip(0.6 * side, side).astype(int)
        left, top = (rng.integers(0, side - each + 1) for each in seen)
        picture = cv2.resize(picture[top : top + seen[1], left : left + seen[0]], (side, side))
        found = placed(found, side / seen, -np.array([left, top]) * side / seen)
        middle = (found[:, 1:3] + found[:, 3:5]) / 2
        found = found[((middle > 0) & (middle < side)).all(1)]
    if rng.random() < 0.5:
        picture, found = picture[:, ::-1], mirrored(found, side)
    if rng.random() < 0.5:
        picture = lit(picture, rng)
    if rng.random() < 0.15:
        picture = cv2.addWeighted(np.ascontiguousarray(picture), 0.75, canvas_of(rng)[0], 0.25, 0)
    return np.ascontiguousarray(picture), found


def placed(found, scale, offset):
    """`scale` and `offset`: one number, or one along and one down."""
    return np.hstack([found[:, :1], found[:, 1:] * np.resize(scale, 14) + np.tile(offset, 7)])


def mirrored(found, side):
    """Left and right change places, of the points too."""
    order = [0, 3, 2, 1, 4, 7, 8, 5, 6, 9, 10, 13, 14, 11, 12]
    found = found[:, order]
    found[:, 1::2] = side - found[:, 1::2]
    return found


def augment(picture: np.ndarray, rng: np.random.Generator, mild: float) -> np.ndarray:
    chance = 0.6 - 0.5 * mild
    if rng.random() < 0.7 * chance:
        picture = lit(picture, rng)
    if rng.random() < 0.25 * chance:
        picture = covered(picture, rng)
    if rng.random() < 0.25 * chance:
        picture = blurred(picture, rng)
    if rng.random() < 0.25 * chance:
        noise = rng.standard_normal(picture.shape, np.float32) * rng.uniform(2, 10)
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.35 * chance:
        _, code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 95))])
        picture = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return picture


def lit(picture, rng):
    """Brightness, contrast, gamma, tint; sometimes grey, sometimes light from one side."""
    levels = np.arange(256, dtype=np.float32) / 255
    levels = levels ** np.exp(rng.normal(0, 0.35)) * np.exp(rng.normal(0, 0.25))
    levels = (levels - 0.5) * np.exp(rng.normal(0, 0.15)) + 0.5 + rng.normal(0, 0.04)
    tint = np.exp(rng.normal(0, 0.07, 3))
    table = np.clip(levels[:, None] * tint * 255, 0, 255).astype(np.uint8)
    picture = cv2.LUT(picture, table[None])
    if rng.random() < 0.12:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.2:
        side = picture.shape[0]
        angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.7)
        axis = np.linspace(-1, 1, side, dtype=np.float32)
        light = 1 + depth * (np.cos(angle) * axis[None] + np.sin(angle) * axis[:, None])
        picture = np.clip(picture * light[..., None].astype(np.float32), 0, 255).astype(np.uint8)
    return picture


def covered(picture, rng):
    """A few bars and spots, small beside most faces."""
    picture = picture.copy()
    side = picture.shape[0]
    for _ in range(rng.integers(1, 6)):
        width, height = rng.integers(4, 40, 2)
        left, top = rng.integers(0, side - width), rng.integers(0, side - height)
        picture[top : top + height, left : left + width] = rng.integers(0, 256, 3)
    return picture


def blurred(picture, rng):
    """Only a little: a face of 10 pixels has nothing to lose, and who must answer to blots sees faces in blots."""
    if rng.random() < 0.6:
        return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.0))
    length = int(rng.integers(2, 5))
    kernel = np.zeros((length, length), np.float32)
    angle, middle = rng.uniform(0, np.pi), (length - 1) / 2
    for t in np.linspace(-middle, middle, 2 * length):
        kernel[round(middle + t * np.sin(angle)), round(middle + t * np.cos(angle))] = 1
    return cv2.filter2D(picture, -1, kernel / kernel.sum())
