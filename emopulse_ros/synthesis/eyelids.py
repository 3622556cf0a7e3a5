"""Eyelids that slide over an eyeball, which stays where it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.facs import CODES, INDEX
from emopulse_ros.synthesis.face_frame import smooth_step

RIGHT_UPPER_LID = (33, 246, 161, 160, 159, 158, 157, 173, 133)
RIGHT_LOWER_LID = (33, 7, 163, 144, 145, 153, 154, 155, 133)
"""Mesh landmarks of the person's right eye along each lid's edge, outer to inner corner."""

TRAVEL: dict[int, tuple[float, float]] = {
    6: (0.06, 0.20), 7: (0.14, 0.36), 9: (0.05, 0.14), 12: (0.0, 0.06), 45: (0.92, 0.08),
}  # fmt: skip
"""How far a unit at full strength brings the upper lid down and the lower lid up, in openings."""

RAISE = 0.022
"""How far AU5 at full strength lifts the upper lid, in face widths."""

UPPER_SKIN, LOWER_SKIN = 0.115, 0.09
"""How far from its edge a lid's skin stretches when the edge moves, in face widths."""

Gray = NDArray[np.float32]


@dataclass(frozen=True)
class Lids:
    """How far one eye's lids are from rest: closing in openings, raised in face widths."""

    upper: float
    lower: float
    raised: float

    @classmethod
    def of(cls, strength: NDArray[np.float32]) -> Lids:
        """The lids of one half of the face, from the strength of each unit there, ``(A,)``."""
        upper, lower = strength @ _TRAVEL
        lower = min(float(lower), 0.5)
        return cls(min(float(upper), 1.0 - lower), lower, RAISE * float(strength[INDEX[5]]))

    @property
    def at_rest(self) -> bool:
        """Whether nothing has moved."""
        return not (self.upper or self.lower or self.raised)


class Eye:
    """One eye of a face: how a picture must be sampled for its lids to have moved.

    ``upper`` and ``lower`` ``(9, 2)`` are the lids' edges in pixels, in order along the eye;
    ``face_width`` is in the same pixels.
    """

    def __init__(
        self, upper: NDArray[np.float32], lower: NDArray[np.float32], face_width: float
    ) -> None:
        if upper[0, 0] > upper[-1, 0]:
            upper, lower = upper[::-1], lower[::-1]
        across = (upper[-1] - upper[0]).astype(np.float64)
        self._half = float(np.linalg.norm(across)) / 2.0
        self._along = (across / (2.0 * self._half)).astype(np.float32)
        self.centre = ((upper[0] + upper[-1]) / 2.0).astype(np.float32)
        self._width = face_width
        self._upper, self._lower = self._fit(upper), self._fit(lower)
        sample = np.linspace(-1.0, 1.0, 41, dtype=np.float32)
        self._opening = float(self._edges(sample)[1].max())

    def skin(self, points: Gray, upper: NDArray[np.bool_], lids: Lids) -> Gray:
        """Where the skin now at ``points`` ``(..., 2)`` was at rest; ``upper`` tells which lid."""
        across, down = self._local(points)
        top, opening = self._edges(across)
        upper_travel, lower_travel = self._travel(opening, lids)
        above = top + upper_travel - down
        below = down - (top + opening + lower_travel)
        moved = np.where(
            upper,
            upper_travel * (1.0 - smooth_step(above / (UPPER_SKIN * self._width))),
            lower_travel * (1.0 - smooth_step(below / (LOWER_SKIN * self._width))),
        )
        return self._shifted(points, moved)

    def is_upper(self, points: Gray) -> NDArray[np.bool_]:
        """Which of some points, at rest, are nearer to the upper lid than to the lower."""
        across, down = self._local(points)
        top, opening = self._edges(across)
        return np.asarray(down < top + opening / 2.0, np.bool_)

    def layers(self, points: Gray, lids: Lids, pixel: float) -> tuple[Gray, Gray, Gray]:
        """How to sample a picture at rest to show moved lids at ``points`` ``(h, w, 2)``.

        Returns where to sample for the skin and for the eyeball, each ``(h, w, 2)``, and how much
        of each pixel, whose width is ``pixel``, shows the eyeball: ``(h, w)``, 0 to 1.
        """
        across, down = self._local(points)
        top, opening = self._edges(across)
        upper_travel, lower_travel = self._travel(opening, lids)
        upper, lower = top + upper_travel, top + opening + lower_travel
        skin = np.where(
            down < (upper + lower) / 2.0,
            upper_travel * (1.0 - smooth_step((upper - down) / (UPPER_SKIN * self._width))),
            lower_travel * (1.0 - smooth_step((down - lower) / (LOWER_SKIN * self._width))),
        )
        # A raised lid shows more of the eyeball than the picture has: the part above its middle
        # is stretched.
        reveal = np.minimum(upper_travel, 0.0)
        eyeball = reveal * (1.0 - smooth_step((down - upper) / (0.6 * self._opening)))
        half = pixel / 2.0
        shown = np.minimum(down + half, lower) - np.maximum(down - half, upper)
        return (
            self._shifted(points, skin),
            self._shifted(points, eyeball),
            np.clip(shown / pixel, 0.0, 1.0),
        )

    def _fit(self, edge: NDArray[np.float32]) -> tuple[float, ...]:
        across, down = self._local(edge)
        # The corners belong to both lids: they weigh more, so that the lids meet there.
        weights = np.array([5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 5.0])
        return tuple(float(c) for c in np.polyfit(across, down, 4, w=weights))

    def _local(self, points: Gray) -> tuple[Gray, Gray]:
        """Place along the eye, -1 and 1 at its corners, and height below its middle in pixels."""
        away = points - self.centre
        across = (away[..., 0] * self._along[0] + away[..., 1] * self._along[1]) / self._half
        down = away[..., 1] * self._along[0] - away[..., 0] * self._along[1]
        return across.astype(np.float32), down.astype(np.float32)

    def _edges(self, across: Gray) -> tuple[Gray, Gray]:
        """Height of the upper lid's edge at rest and the opening below it, in pixels."""
        place = np.clip(across, -1.0, 1.0)
        top, bottom = _polynomial(self._upper, place), _polynomial(self._lower, place)
        return top, np.maximum(bottom - top, 0.0) * smooth_step((1.0 - np.abs(place)) / 0.15)

    def _travel(self, opening: Gray, lids: Lids) -> tuple[Gray, Gray]:
        raised = lids.raised * self._width / self._opening
        return opening * np.float32(lids.upper - raised), opening * np.float32(-lids.lower)

    def _shifted(self, points: Gray, moved: Gray) -> Gray:
        sampled = np.empty_like(points)
        sampled[..., 0] = points[..., 0] + moved * self._along[1]
        sampled[..., 1] = points[..., 1] - moved * self._along[0]
        return sampled


def eyes_of(
    landmarks: NDArray[np.float32], mirror: NDArray[np.int16], face_width: float
) -> tuple[Eye, Eye]:
    """The left and the right eye of a face with these mesh landmarks, ``(468, 2)`` in pixels."""
    upper, lower = list(RIGHT_UPPER_LID), list(RIGHT_LOWER_LID)
    left = Eye(landmarks[mirror[upper]], landmarks[mirror[lower]], face_width)
    return left, Eye(landmarks[upper], landmarks[lower], face_width)


def _polynomial(coefficients: tuple[float, ...], x: Gray) -> Gray:
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= x
        value += np.float32(coefficient)
    return value


_TRAVEL = np.array([TRAVEL.get(code, (0.0, 0.0)) for code in CODES], np.float32)
