"""A real portrait, moved by action units."""

from __future__ import annotations

from importlib import resources
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.stream import read_only
from emopulse_ros.synthesis.script import Script


class PortraitScene:
    """A portrait, moved by a script."""

    def __init__(
        self,
        script: Script,
        seed: int | None = None,
        size: tuple[int, int] = (640, 480),
        face_width: float = 200.0,
    ) -> None:
        self.script = script
        self.size = size
        self.seed = script.seed if seed is None else seed
        folder = resources.files(__package__)
        coded = np.frombuffer((folder / "portrait.png").read_bytes(), np.uint8)
        self._picture = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
        marks = np.load(BytesIO((folder / "portrait.npz").read_bytes()))["landmarks"]
        self._centre = marks[:, :2].mean(axis=0)
        self._scale = face_width / np.ptp(marks[:, 0])

    def render(self, time: int) -> NDArray[np.uint8]:
        """Return the picture at ``time`` ns: ``(H, W) uint8``, read-only."""
        pose = self.script.pose(time)
        scale = self._scale * pose.scale
        cos, sin = scale * np.cos(pose.roll), scale * np.sin(pose.roll)
        turn = np.array([[cos, -sin], [sin, cos]])
        middle = np.array(self.size) / 2.0 + np.array([pose.right, pose.down]) * 200.0
        warp = np.column_stack([turn, middle - turn @ self._centre])
        picture = cv2.warpAffine(
            self._picture, warp, self.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        return read_only(np.asarray(picture, np.uint8))
