"""The 468 points of a face: MediaPipe's face mesh (Kartynnik et al., 2019)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.face.weights import FaceModel

SCORE = 0.5
"""Least probability that there is a face in the region, by the mesh's own judgement."""

MARGIN = 1.5
"""How much larger than the face's box the region is that the mesh looks at."""

NEAR = 0.35
"""How far a face may have gone, in its sizes, to be taken for the same one again."""

EYE_CORNERS = (33, 263)
"""Outer corner of the person's right and left eye."""


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A face's points, ``(468, 2) float32`` in pixels of the picture, and the model's score."""

    points: NDArray[np.float32]
    score: float

    @property
    def region(self) -> Region:
        """Where to look for this face in the next picture."""
        right, left = self.points[EYE_CORNERS[0]], self.points[EYE_CORNERS[1]]
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        return Region.around((low + high) / 2, float((high - low).max()), right, left)


@dataclass(frozen=True, slots=True)
class Region:
    """A square of a picture, turned so that the eyes are level."""

    x: float
    y: float
    side: float
    angle: float

    @classmethod
    def around(
        cls,
        centre: NDArray[np.float32],
        size: float,
        right_eye: NDArray[np.float32],
        left_eye: NDArray[np.float32],
    ) -> Region:
        """The region about a face of this centre and size."""
        across = left_eye - right_eye
        angle = float(np.arctan2(across[1], across[0]))
        return cls(float(centre[0]), float(centre[1]), size * MARGIN, angle)

    @property
    def size(self) -> float:
        """The longer side of the face in pixels of the picture."""
        return self.side / MARGIN

    @property
    def middle(self) -> tuple[float, float]:
        """Middle of the face in pixels of the picture."""
        return self.x, self.y

    def holds(self, point: tuple[float, float]) -> bool:
        """Whether a point lies within the face, as a circle."""
        return float(np.hypot(point[0] - self.x, point[1] - self.y)) < 0.5 * self.size

    def is_near(self, other: Region) -> bool:
        """Whether the other can be the same face some moments later: close by, and as large."""
        away = float(np.hypot(other.x - self.x, other.y - self.y))
        return away < NEAR * self.size and 0.7 < other.size / self.size < 1.4

    def to_image(self, pixels: int) -> NDArray[np.float64]:
        """The ``(2, 3)`` similarity from ``pixels`` x ``pixels`` input to the picture."""
        scale = self.side / pixels
        cosine, sine = scale * np.cos(self.angle), scale * np.sin(self.angle)
        half = (pixels - 1) / 2
        return np.array(
            [
                [cosine, -sine, self.x - half * (cosine - sine)],
                [sine, cosine, self.y - half * (sine + cosine)],
            ]
        )


class FaceMesh:
    """Finds the points of the face in a region."""

    def __init__(self) -> None:
        self._model = FaceModel("face_landmark.tflite")

    def fit(self, image: NDArray[np.uint8], region: Region) -> Mesh | None:
        """The mesh of the face in ``region`` of ``(H, W) uint8``, or None if there is none."""
        side = self._model.input_side
        to_image = region.to_image(side)
        patch = cv2.warpAffine(
            image, to_image, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        outputs = self._model.run(patch.astype(np.float32) / 255.0)
        points, flag = sorted(outputs, key=lambda output: -output.size)[:2]
        score = float(1.0 / (1.0 + np.exp(-flag.ravel()[0])))
        if score < SCORE:
            return None
        flat = points.reshape(-1, 3)[:468, :2].astype(np.float64)
        placed = flat @ to_image[:, :2].T + to_image[:, 2]
        return Mesh(placed.astype(np.float32), score)
