"""How a head sways in front of a camera: where each place of the picture came from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.synthesis.face_frame import FaceFrame, smooth_step
from emopulse_ros.synthesis.script import Pose

HEAD_CENTRE = 0.05
"""How far below the eyes the middle of the head (its hair with it) lies, in face widths."""

HEAD_SIZE = (1.05, 1.15)
"""Half width and half height of what moves wholly with the head, in face widths."""

FADE = 0.5
"""Over what part of that size, beyond it, the motion fades into the still background."""

SMOOTH = 0.06
"""Over what distance the relief of the face is smoothed, in face widths."""

Points = NDArray[np.float32]


class Head:
    """A head at rest in an image, and its motion by a :class:`Pose`.

    ``landmarks`` ``(468, 3)`` are those of the upright face in pixels of the image; ``tilt`` is
    how far the camera is turned about the middle of the face, in radians, clockwise as seen.
    """

    def __init__(self, landmarks: NDArray[np.float32], tilt: float = 0.0) -> None:
        self.frame = FaceFrame.of(landmarks)
        self.centre = self.frame.middle
        self._tilt = tilt
        self._marks = landmarks
        ears = (landmarks[234, 2] + landmarks[454, 2]) / 2.0
        self._height = (ears - landmarks[::3, 2]).astype(np.float32)

    def at_rest(self, points: Points) -> Points:
        """Where in the upright picture ``points`` ``(N, 2)`` of the image come from at rest."""
        upright = (points - self.centre) @ _turn(-self._tilt).T + self.centre
        return np.asarray(upright, np.float32)

    def share(self, points: Points) -> NDArray[np.float32]:
        """How much of the head's motion ``points`` ``(N, 2)`` follow: 1 on it, 0 far away."""
        x, y = self.frame.to_face(self.at_rest(points)).T
        out = np.hypot(x / HEAD_SIZE[0], (y - HEAD_CENTRE) / HEAD_SIZE[1])
        return 1.0 - smooth_step((out - 1.0) / FADE)

    def relief(self, points: Points) -> NDArray[np.float32]:
        """How far the face stands out towards the camera at ``points`` ``(N, 2)``, in pixels."""
        # It is smooth: every third landmark says enough of it.
        marks = self.frame.to_face(self._marks[::3])
        places = self.frame.to_face(self.at_rest(points))
        squared = np.square(places).sum(axis=1)[:, None] + np.square(marks).sum(axis=1)
        squared -= 2.0 * places @ marks.T
        weight = np.exp(squared * np.float32(-0.5 / SMOOTH**2))
        # The constant lets the relief sink to that of the ears where no landmark is near.
        return np.asarray(weight @ self._height / (weight.sum(axis=1) + 0.02), np.float32)

    def reach(self, points: Points) -> NDArray[np.float32]:
        """What any motion does at ``points`` ``(N, 2)``, for :meth:`before`: ``(N, 4) float32``."""
        x, y = points.T
        return (
            np.stack([np.ones_like(x), x, y, self.relief(points)], 1) * self.share(points)[:, None]
        )

    def before(self, still: Points, reach: NDArray[np.float32], pose: Pose) -> Points:
        """Where in the upright picture points of the image come from, ``(N, 2)`` in pixels.

        ``still`` ``(N, 2)`` is where they come from at rest and ``reach`` what motion does there.
        """
        forth = _turn(self._tilt + pose.roll) * pose.scale
        back, rest = np.linalg.inv(forth), _turn(-self._tilt)
        moved = self.centre + np.array([pose.right, pose.down]) * self.frame.width
        # Small angles: what stands out by h moves by h * yaw and h * pitch before the rest does.
        turn = [-pose.yaw, -pose.pitch]
        motion = np.vstack([rest @ self.centre - back @ moved, (back - rest).T, turn])
        came: Points = still + reach @ motion.astype(np.float32)
        return came


def _turn(angle: float) -> NDArray[np.float64]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])
