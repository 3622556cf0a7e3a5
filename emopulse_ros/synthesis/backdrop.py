"""What stands behind a rendered head: a wall or clutter out of focus, and shoulders."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def backdrop(
    random: np.random.Generator, size: tuple[int, int], face: tuple[float, float, float]
) -> NDArray[np.float32]:
    """Return a background of ``size`` (width, height), ``(H, W) float32``.

    Levels are 0 to 1, as a person would see them; ``face`` is the face's x, y and width in
    pixels, below which the shoulders are set.
    """
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    tilt = random.uniform(0.0, 2.0 * np.pi)
    slope = (np.cos(tilt) * (x / width - 0.5) + np.sin(tilt) * (y / height - 0.5)).astype(
        np.float32
    )
    wall = np.float32(random.uniform(0.08, 0.8)) + np.float32(random.uniform(0.0, 0.3)) * slope
    clutter = random.choice([0.0, 0.1, 0.35])
    if clutter:
        for _ in range(int(random.integers(5, 25))):
            left, top = random.uniform(-0.2, 1.0, 2) * size
            right, bottom = (left, top) + random.uniform(0.05, 0.5, 2) * size
            level = float(random.normal(0.0, clutter))
            wall[
                max(0, int(top)) : max(0, int(bottom)), max(0, int(left)) : max(0, int(right))
            ] += level
    wall += clutter * 0.3 * cv2.resize(
        random.standard_normal((12, 12), np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )  # fmt: skip
    # At least a little blur: nothing behind the head may flicker against its edge.
    blur = random.uniform(3.0, 10.0) * face[2] / 150.0
    wall = cv2.GaussianBlur(wall, (0, 0), blur)

    middle, chin, unit = face[0], face[1] + 0.75 * face[2], face[2]
    spread = np.abs(x - middle) / unit
    top = chin + unit * (0.12 + random.uniform(0.12, 0.3) * spread**2)
    cloth = np.clip((y - top) / 2.0, 0.0, 1.0) * np.clip((1.35 - spread) * unit / 3.0, 0.0, 1.0)
    weave = cv2.GaussianBlur(random.standard_normal((height, width), np.float32), (0, 0), 1.2)
    level = random.uniform(0.05, 0.8) * (1.0 + random.uniform(0.0, 0.25) * weave)
    wall = wall + cloth.astype(np.float32) * (level.astype(np.float32) - wall)
    return np.ascontiguousarray(np.clip(wall, 0.01, 1.0), np.float32)
