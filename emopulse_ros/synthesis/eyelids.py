"""Eyelids that slide over an eyeball, which stays where it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.facs import CODES, INDEX
from emopulse_ros.synthesis.face_frame import gentle_step, smooth_step

RIGHT_UPPER_LID = (33, 246, 161, 160, 159, 158, 157, 173, 133)
RIGHT_LOWER_LID = (33, 7, 163, 144, 145, 153, 154, 155, 133)
"""Mesh landmarks of the person's right eye along each lid's edge, outer to inner corner."""

TRAVEL: dict[int, tuple[float, float]] = {
    6: (0.06, 0.20), 7: (0.14, 0.36), 9: (0.05, 0.14), 12: (0.0, 0.06), 45: (0.92, 0.08),
}  # fmt: skip
"""How far a unit at full strength brings the upper lid down and the lower lid up, in openings."""

RAISE = 0.02
"""How far AU5 at full strength lifts the upper lid, in face widths."""

UPPER_SKIN, LOWER_SKIN = 0.115, 0.09
"""How far from its edge a lid's skin stretches when the edge moves, in face widths."""

LASHES = 0.024
"""How far from its edge a lid moves as one piece, in face widths."""

SPREAD = 10.0
"""How much wider along the eye the upper lid moves, for each face width above its edge: lashes
beyond the corner come along."""

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
        across, top = self._local(upper)
        # The corners weigh more, so that the lids meet there.
        corners = np.array([5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 5.0])
        self._edge = _coefficients(np.polyfit(across, top, 4, w=corners))
        across, bottom = self._local(lower)
        arch = 1.0 - across[1:-1] ** 2
        opening = bottom[1:-1] - _polynomial(self._edge, across[1:-1])
        self._bulge = _coefficients(np.polyfit(across[1:-1], opening / arch, 2, w=arch))
        self._widest = float(self._opening(np.linspace(-1.0, 1.0, 41, dtype=np.float32)).max())

    def skin(self, points: Gray, upper: NDArray[np.bool_], lids: Lids) -> Gray:
        """Where the skin now at ``points`` ``(N, 2)`` was at rest; ``upper`` tells which lid's."""
        upper_skin, lower_skin, _, _ = self._moved(*self._local(points), lids)
        return self._before(points, np.where(upper, upper_skin, lower_skin))

    def is_upper(self, points: Gray) -> NDArray[np.bool_]:
        """Which of ``points`` ``(N, 2)``, at rest, are nearer to the upper lid than the lower."""
        across, down = self._local(points)
        return np.asarray(down < self._top(across) + self._opening(across) / 2.0, np.bool_)

    def layers(self, points: Gray, lids: Lids, pixel: float) -> tuple[tuple[Gray, Gray], ...]:
        """How to sample a picture at rest to show moved lids at ``points`` ``(h, w, 2)``.

        For the upper lid, the lower lid and the eyeball: where to sample, ``(h, w, 2)``, and how
        much of each pixel shows it, ``(h, w)``; the three sum to 1. ``pixel`` is a pixel's width.
        """
        across, down = self._local(points)
        upper_skin, lower_skin, upper, lower = self._moved(across, down, lids)
        upper_shown: Gray = np.clip((upper - down) / np.float32(pixel) + np.float32(0.5), 0.0, 1.0)
        lower_shown: Gray = np.clip((down - lower) / np.float32(pixel) + np.float32(0.5), 0.0, 1.0)
        rest_shown: Gray = np.float32(1.0) - upper_shown - lower_shown
        # A raised lid bares more of the eyeball than the picture has: its upper part is stretched.
        eyeball_at = points
        if lids.raised:
            bared = np.minimum(upper - self._top(across), 0.0)
            eyeball = bared * (1.0 - smooth_step((down - upper) / (0.6 * self._widest)))
            eyeball_at = self._before(points, eyeball)
        return (
            (self._before(points, upper_skin), upper_shown),
            (self._before(points, lower_skin), lower_shown),
            (eyeball_at, rest_shown),
        )

    def _moved(self, across: Gray, down: Gray, lids: Lids) -> tuple[Gray, Gray, Gray, Gray]:
        """How far down the skin of the upper and of the lower lid has come, and their edges."""
        raised = lids.raised * self._width / self._widest
        closing, rising = np.float32(lids.upper - raised), np.float32(lids.lower)
        top, opening = self._top(across), self._opening(across)
        upper = top + closing * opening
        lower = top + opening - rising * opening
        above: Gray = np.divide(np.maximum(upper - down, 0.0), self._width)
        below: Gray = np.divide(np.maximum(down - lower, 0.0), self._width)
        upper_skin = closing * self._opening(across / (1.0 + SPREAD * above))
        upper_skin *= _follows(above, UPPER_SKIN)
        lower_skin = -rising * opening * _follows(below, LOWER_SKIN)
        return upper_skin, lower_skin, upper, lower

    def _local(self, points: Gray) -> tuple[Gray, Gray]:
        """Place along the eye, -1 and 1 at its corners, and height below its middle in pixels."""
        away = points - self.centre
        across = (away[..., 0] * self._along[0] + away[..., 1] * self._along[1]) / self._half
        down = away[..., 1] * self._along[0] - away[..., 0] * self._along[1]
        return across.astype(np.float32), down.astype(np.float32)

    def _top(self, across: Gray) -> Gray:
        """Height of the upper lid's edge at rest, in pixels."""
        return _polynomial(self._edge, np.clip(across, -1.0, 1.0))

    def _opening(self, across: Gray) -> Gray:
        """Height of the opening between the lids at rest, in pixels; 0 beyond the corners."""
        place = np.clip(across, -1.0, 1.0)
        arch = np.float32(1.0) - place * place
        return np.asarray(np.maximum(arch * _polynomial(self._bulge, place), 0.0), np.float32)

    def _before(self, points: Gray, moved: Gray) -> Gray:
        """Where ``points`` were before they came ``moved`` pixels down the eye."""
        before = np.empty_like(points)
        before[..., 0] = points[..., 0] + moved * self._along[1]
        before[..., 1] = points[..., 1] - moved * self._along[0]
        return before


def eyes_of(
    landmarks: NDArray[np.float32], mirror: NDArray[np.int16], face_width: float
) -> tuple[Eye, Eye]:
    """The left and the right eye of a face with these mesh landmarks, ``(468, 2)`` in pixels."""
    upper, lower = list(RIGHT_UPPER_LID), list(RIGHT_LOWER_LID)
    left = Eye(landmarks[mirror[upper]], landmarks[mirror[lower]], face_width)
    return left, Eye(landmarks[upper], landmarks[lower], face_width)


def _follows(away: Gray, skin: float) -> Gray:
    """How much the skin ``away`` from a lid's edge, in face widths, moves with it: 1 to 0."""
    return np.asarray(1.0 - gentle_step((away - LASHES) / (skin - LASHES)), np.float32)


def _coefficients(fitted: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(coefficient) for coefficient in fitted)


def _polynomial(coefficients: tuple[float, ...], x: Gray) -> Gray:
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= x
        value += coefficient
    return value


_TRAVEL = np.array([TRAVEL.get(code, (0.0, 0.0)) for code in CODES], np.float32)
