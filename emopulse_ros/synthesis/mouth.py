"""How far the lips of a kit's head stand apart."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.synthesis.face_kit import FaceKit, Part

_ACROSS = (-1.3, 0.0, 1.3)  # cm to the person's left, where the gap is measured
CLOSED = 0.08
"""The gap in cm between the closed lips of the kit's neutral head."""


@lru_cache(maxsize=2)
def lip_pairs(kit: FaceKit) -> NDArray[np.intp]:
    """Return ``(3, 2)`` vertices that face each other on the upper and the lower lip."""

    def moved(name: str) -> NDArray[np.float32]:
        return np.asarray(kit.expression[kit.names.index(name), :, 1])

    # Closing the mouth lifts the lower lip alone; the mouth corners are left out by |x|.
    lower = (kit.part == Part.FACE) & (moved("mouthClose") > 2.8)
    upper_up = moved("mouthUpperUp_L") + moved("mouthUpperUp_R")
    upper = (kit.part == Part.FACE) & (upper_up > 0.4) & ~lower
    pairs = []
    for x in _ACROSS:
        near = np.abs(kit.neutral[:, 0] - x) < 0.25
        above, below = np.flatnonzero(upper & near), np.flatnonzero(lower & near)
        middle = kit.neutral[below, 1].max()
        above = above[kit.neutral[above, 1] > middle - 0.05]
        pairs.append((above[kit.neutral[above, 1].argmin()], below[kit.neutral[below, 1].argmax()]))
    return np.array(pairs)


def gap(kit: FaceKit, shape: NDArray[np.float32]) -> float:
    """Return the widest gap between the lips of ``shape`` ``(N, 3)``, in cm."""
    pairs = lip_pairs(kit)
    return float((shape[pairs[:, 0], 1] - shape[pairs[:, 1], 1]).max())


def close(kit: FaceKit, head: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``head`` ``(N, 3)`` with its lips brought together, if they stood apart.

    The kit's principal components move the lips on their own, so that many people's would stand
    open at rest.
    """
    shape = kit.expression[kit.names.index("mouthClose")]
    weight = max(0.0, gap(kit, head) - CLOSED) / gap(kit, -shape)
    return np.asarray(head + np.float32(weight) * shape, np.float32)
