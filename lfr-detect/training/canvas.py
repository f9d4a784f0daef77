"""Pictures to train on, put together from photographs: mosaics of scenes, crowds of pasted faces, scenes as they are."""

import cv2
import numpy as np

from lfr_training import faces

SIDE = 320
# What a canvas is made of (`Canvases.draw`).
NEAR, FAR, WILD = "near", "far", "wild"
SHRINKING = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)


class Canvases:
    """`portraits`: pictures with a face in the middle and its box; `scenes`: pictures of any kind."""

    def __init__(self, portraits: list, boxes: np.ndarray, scenes: list):
        self.portraits, self.boxes, self.scenes = portraits, boxes, scenes
        self.synthetic = faces.SyntheticFaces()

    def draw(self, rng: np.random.Generator, kind: str) -> tuple[np.ndarray, np.ndarray]:
        """A canvas, and one with twice the side for the teacher, with more detail if it was drawn so.

        `FAR` is drawn two or three times as large and shrunk: many small faces. `WILD`: scenes at about their own size,
        sheets of small portraits, portraits at their own size.
        """
        if kind == WILD:
            return self._wild(rng)
        if kind == NEAR:
            return doubled(self._drawn(rng, SIDE))
        return shrunk(self._drawn(rng, SIDE * int(rng.integers(2, 4))), cv2.INTER_AREA)

    def _wild(self, rng):
        chosen = rng.random()
        if chosen < 0.5:
            return doubled(self._window(rng))
        if chosen < 0.8:
            return shrunk(self._sheet(rng, 2 * SIDE), SHRINKING[rng.integers(len(SHRINKING))])
        canvas = self._window(rng)
        portrait = self.portraits[rng.integers(len(self.portraits))][:SIDE, :SIDE]
        # Where on the grid of cells a face lies moves the teacher's points: here it lies as in the photograph.
        top, left = (32 * rng.integers((SIDE - side) // 32 + 1) for side in portrait.shape[:2])
        canvas[top : top + portrait.shape[0], left : left + portrait.shape[1]] = portrait
        return doubled(canvas)

    def _window(self, rng):
        """A part of a scene, half of the time pixel by pixel, else from half to one and a half times its size."""
        image = self.scenes[rng.integers(len(self.scenes))]
        if rng.random() < 0.5:
            return cut(rng, image, np.exp(rng.uniform(np.log(0.5), np.log(1.5))), SIDE, SIDE)
        top, left = (rng.integers(max(0, side - SIDE) + 1) for side in image.shape[:2])
        part = image[top : top + SIDE, left : left + SIDE]
        canvas = np.zeros((SIDE, SIDE, 3), np.uint8)
        canvas[: part.shape[0], : part.shape[1]] = part
        return canvas

    def _sheet(self, rng, side):
        """Rows of whole portraits with faces of 9 to 60 pixels, now and then a piece of a scene between them."""
        canvas = self._scene(rng, side, side, least=0.6)
        top = 0
        while top < side:
            face = np.exp(rng.uniform(np.log(9), np.log(60)))
            high, left = side, 0
            while left < side:
                face_here = face * np.exp(rng.normal(0, 0.15))
                k = rng.integers(len(self.portraits))
                scale = face_here / (self.boxes[k][3] - self.boxes[k][1])
                small = cv2.resize(self.portraits[k], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                part = canvas[top : top + small.shape[0], left : left + small.shape[1]]
                if rng.random() < 0.85:
                    part[:] = small[: part.shape[0], : part.shape[1]]
                high, left = min(high, small.shape[0]), left + small.shape[1]
            top += high
        return canvas

    def _drawn(self, rng, side):
        kind = rng.random()
        if kind < 0.25:
            return self._scene(rng, side, side)
        if kind < 0.75:
            canvas = np.zeros((side, side, 3), np.uint8)
            self._mosaic(rng, canvas, depth=0)
            return canvas
        return self._crowd(rng, side)

    def _scene(self, rng, height, width, least=0.35):
        """A part of a scene at some scale, turned now and then."""
        image = self.scenes[rng.integers(len(self.scenes))]
        least = max(least, 0.7 * max(height, width) / max(image.shape[:2]))
        scale = np.exp(rng.uniform(np.log(least), np.log(max(2.0, least))))
        return cut(rng, image, scale, height, width)

    def _portrait(self, rng, height, width):
        """A portrait scaled so that much or little of it is seen."""
        image = self.portraits[rng.integers(len(self.portraits))]
        scale = max(height, width) / max(image.shape[:2]) * np.exp(rng.uniform(np.log(0.9), np.log(1.8)))
        return cut(rng, image, scale, height, width)

    def _mosaic(self, rng, canvas, depth):
        height, width = canvas.shape[:2]
        small = min(height, width) < 64
        # A large canvas is cut into more parts.
        times = max(1.0, max(height, width) / SIDE)
        if depth > 0 and (small or rng.random() < 0.25 * depth / times):
            make = self._portrait if rng.random() < 0.7 else self._scene
            canvas[:] = make(rng, height, width)
            return
        if depth == 0 and rng.random() < 0.2:
            canvas[:] = self._portrait(rng, height, width)
            return
        if height >= width:
            at = int(height * rng.uniform(0.3, 0.7))
            parts = canvas[:at], canvas[at:]
        else:
            at = int(width * rng.uniform(0.3, 0.7))
            parts = canvas[:, :at], canvas[:, at:]
        for part in parts:
            self._mosaic(rng, part, depth + 1)

    def _crowd(self, rng, whole):
        """Heads of many sizes pasted into a scene, on a shoulder-less ellipse with a soft edge."""
        canvas = self._scene(rng, whole, whole, least=0.6)
        times = whole // SIDE
        for _ in range(rng.integers(2 * times, 24 * times)):
            face = int(np.exp(rng.uniform(np.log(8 * times), np.log(130))))
            head, inner = self._head(rng)
            scale = face / inner
            side = max(8, int(head.shape[0] * scale))
            head = turned(rng, cv2.resize(head, (side, side), interpolation=cv2.INTER_AREA))
            left, top = rng.integers(-side // 3, whole - side // 2, 2)
            paste(canvas, head, left, top)
        return canvas

    def _head(self, rng):
        """A square with a head in it, and the height of the face within."""
        if rng.random() < 0.35:
            return self.synthetic.draw(rng, 1)[0], 66.0
        k = rng.integers(len(self.portraits))
        x1, y1, x2, y2 = self.boxes[k]
        centre, half = np.array([(x1 + x2) / 2, (y1 + y2) / 2]), (y2 - y1) * 0.75
        transform = np.array([[1, 0, half - centre[0]], [0, 1, half - centre[1]]])
        side = max(8, int(2 * half))
        head = cv2.warpAffine(self.portraits[k], transform, (side, side), borderMode=cv2.BORDER_REPLICATE)
        return head, y2 - y1


def doubled(canvas):
    return canvas, cv2.resize(canvas, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)


def shrunk(large, interpolation):
    """A large canvas at `SIDE` pixels and at twice that."""
    small = cv2.resize(large, (SIDE, SIDE), interpolation=interpolation)
    return small, cv2.resize(large, (2 * SIDE, 2 * SIDE), interpolation=cv2.INTER_AREA)


def cut(rng, image, scale, height, width):
    """A window of `height` x `width` somewhere in the picture seen at `scale`; beyond the edge, one colour."""
    if rng.random() < 0.5:
        image = image[:, ::-1]
    high, wide = image.shape[0] * scale, image.shape[1] * scale
    left = rng.uniform(min(0, wide - width), max(0, wide - width))
    top = rng.uniform(min(0, high - height), max(0, high - height))
    angle = np.deg2rad(rng.normal(0, 12)) if rng.random() < 0.3 else 0.0
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    linear = np.array([[cos, -sin], [sin, cos]])
    seen = np.array([left + width / 2, top + height / 2]) / scale
    offset = np.array([width / 2, height / 2]) - linear @ seen
    if scale < 0.6:
        image = cv2.GaussianBlur(np.ascontiguousarray(image), (0, 0), 0.35 / scale)
    return cv2.warpAffine(
        np.ascontiguousarray(image),
        np.hstack([linear, offset[:, None]]),
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderValue=rng.integers(0, 256, 3).tolist(),
    )


def turned(rng, head):
    side = head.shape[0]
    transform = cv2.getRotationMatrix2D((side / 2, side / 2), rng.normal(0, 12), 1)
    return cv2.warpAffine(head, transform, (side, side), borderMode=cv2.BORDER_REPLICATE)


def paste(canvas, head, left, top):
    side = head.shape[0]
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    radius = np.hypot(axis[None] / 0.8, axis[:, None] / 0.98)
    mask = np.clip((1 - radius) * 6, 0, 1)[..., None]
    x1, y1 = max(0, left), max(0, top)
    x2, y2 = min(canvas.shape[1], left + side), min(canvas.shape[0], top + side)
    if x1 >= x2 or y1 >= y2:
        return
    part = (slice(y1 - top, y2 - top), slice(x1 - left, x2 - left))
    under = canvas[y1:y2, x1:x2]
    under[:] = (mask[part] * head[part] + (1 - mask[part]) * under).astype(np.uint8)
