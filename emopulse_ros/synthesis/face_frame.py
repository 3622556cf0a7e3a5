"""Coordinates that belong to a face: measured in its width, upright when it is tilted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RIGHT_OUTER_CORNER, LEFT_OUTER_CORNER = 33, 263
RIGHT_EAR, LEFT_EAR = 234, 454
"""Mesh landmarks at the outer eye corners and at the sides of the face."""


@dataclass(frozen=True)
class FaceFrame:
    """The frame of a face in an image: x towards the viewer's right, y down, both in face widths.

    ``origin`` ``(2,) float64`` lies between the eyes, in pixels; ``axes`` ``(2, 2) float64`` are
    the unit vectors x and y as rows; ``width`` is that of the face at its ears, in pixels.
    """

    origin: NDArray[np.float64]
    axes: NDArray[np.float64]
    width: float

    @classmethod
    def of(cls, landmarks: NDArray[np.float32]) -> FaceFrame:
        """The frame of the face with these mesh landmarks, ``(468, 2 or 3)`` in pixels."""
        marks = landmarks[:, :2].astype(np.float64)
        right, left = marks[RIGHT_OUTER_CORNER], marks[LEFT_OUTER_CORNER]
        x = (left - right) / np.linalg.norm(left - right)
        axes = np.array([x, [-x[1], x[0]]])
        width = float(np.linalg.norm(marks[LEFT_EAR] - marks[RIGHT_EAR]))
        return cls((left + right) / 2.0, axes, width)

    @property
    def middle(self) -> NDArray[np.float64]:
        """The middle of the face, a quarter of its width below the eyes: ``(2,)`` in pixels."""
        below: NDArray[np.float64] = 0.25 * self.width * self.axes[1]
        return self.origin + below

    def to_face(self, points: NDArray[Any]) -> NDArray[np.float32]:
        """Points ``(N, 2 or more)`` in pixels as ``(N, 2) float32`` in this frame."""
        places = (points[:, :2] - self.origin) @ self.axes.T / self.width
        return np.asarray(places, np.float32)

    def vectors_to_image(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Displacements ``(..., 2)`` in this frame as pixels of the image, float32."""
        return np.asarray(vectors @ (self.axes * self.width), np.float32)


def smooth_step(x: NDArray[Any]) -> NDArray[np.float32]:
    """0 below 0, 1 above 1, and a smooth rise between; float32."""
    part = np.clip(x, 0.0, 1.0)
    return np.asarray(part * part * (3.0 - 2.0 * part), np.float32)


def gentle_step(x: NDArray[Any]) -> NDArray[np.float32]:
    """0 below 0, 1 above 1; half way between a straight and a smooth rise, so nowhere steep."""
    part = np.clip(x, 0.0, 1.0)
    return np.asarray(part * (0.5 + part * (1.5 - part)), np.float32)


def distance_outside(
    outline: NDArray[np.float32], places: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Distance of ``places`` ``(N, 2)`` from a closed ``outline`` ``(M, 2)``: ``(N,) float32``.

    Positive outside, negative inside.
    """
    nearest = np.full(len(places), np.inf, np.float32)
    inside = np.zeros(len(places), np.bool_)
    for start, end in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        edge, away = end - start, places - start
        along = np.clip(away @ edge / max(float(edge @ edge), 1e-12), 0.0, 1.0)
        nearest = np.minimum(nearest, np.linalg.norm(away - along[:, None] * edge, axis=1))
        crosses = (start[1] > places[:, 1]) != (end[1] > places[:, 1])
        if edge[1] != 0.0:
            inside ^= crosses & (away[:, 0] < edge[0] * away[:, 1] / edge[1])
    return np.where(inside, -nearest, nearest).astype(np.float32)
