"""Light and camera of a rendered scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Shot:
    """Light and camera, drawn from a seed.

    ``distance`` in cm; ``offset`` of the face from the middle, in face widths; ``yaw`` and
    ``pitch`` of the head at rest and ``gaze`` against it (yaw, pitch), in rad; ``key`` and
    ``fill`` ``(4,)`` as :func:`.shading.shade` takes them; ``level`` is the gray level of the
    skin; ``gamma`` the sensor's; ``blur`` the lens's, in pixels.
    """

    distance: float
    offset: tuple[float, float]
    yaw: float
    pitch: float
    gaze: tuple[float, float]
    key: NDArray[np.float32]
    fill: NDArray[np.float32]
    wrap: float
    level: float
    gamma: float
    blur: float

    @staticmethod
    def of(seed: int) -> Shot:
        """Draw a shot."""
        random = np.random.default_rng([seed, 0x5407])
        yaw, pitch = np.deg2rad(random.normal(0.0, (5.0, 3.5)).clip((-12.0, -8.0), (12.0, 8.0)))
        side, height = np.deg2rad(random.uniform((-65.0, -10.0), (65.0, 60.0)))
        towards = [np.sin(side) * np.cos(height), np.sin(height), np.cos(side) * np.cos(height)]
        around, contrast = random.uniform(0.0, 2.0 * np.pi), random.uniform(0.25, 0.85)
        return Shot(
            distance=float(random.uniform(40.0, 110.0)),
            offset=(float(random.uniform(-0.08, 0.08)), float(random.uniform(-0.06, 0.06))),
            yaw=float(yaw),
            pitch=float(pitch),
            gaze=(float(-0.8 * yaw + random.normal(0, 0.05)), float(-0.8 * pitch)),
            key=np.array([*towards, contrast], np.float32),
            fill=np.array(
                [0.5 * np.cos(around), 0.8, 0.3 + 0.5 * np.sin(around), 1.4 * (1.0 - contrast)],
                np.float32,
            ),
            wrap=float(random.uniform(0.1, 0.4)),
            level=float(random.uniform(85.0, 165.0)),
            gamma=float(random.uniform(0.45, 1.0)),
            blur=float(random.uniform(0.3, 0.7)),
        )


def turned_by(yaw: float, pitch: float, roll: float) -> NDArray[np.float32]:
    """Return the ``(3, 3)`` matrix that turns rows of points: signs as in :class:`.Pose`."""
    sy, cy, sp, cp, sr, cr = (f(a) for a in (yaw, pitch, roll) for f in (np.sin, np.cos))
    about_y = np.array([[cy, 0.0, -sy], [0.0, 1.0, 0.0], [sy, 0.0, cy]])
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cp, sp], [0.0, -sp, cp]])
    about_z = np.array([[cr, -sr, 0.0], [sr, cr, 0.0], [0.0, 0.0, 1.0]])
    turn: NDArray[np.float32] = (about_x @ about_y @ about_z).astype(np.float32)
    return turn
