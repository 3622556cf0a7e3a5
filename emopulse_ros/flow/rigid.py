"""Take the motion of the head out of a flow field, so that only the skin's own remains."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

SPACING = 4
"""Every how many grid points one is used for the fit; the field is smooth on that scale."""

ROUNDS = 2
"""Rounds of reweighting; a third changes the fit by less than the noise of the flow."""


class RigidPart:
    """Fits an affine motion to a flow field, and subtracts it.

    An affine field is what a turning, nodding or nearing head makes to first order. The fit is
    robust (iteratively reweighted least squares with Geman–McClure weights, Geman & McClure 1987),
    because an expression is an outlier to it: the skin that moves by itself should not pull it.

    ``mask`` is ``(grid, grid) float32``: how much each point counts to begin with (brows, lids
    and mouth less than bridge of the nose and temples; outside the face nothing).
    """

    def __init__(self, mask: Plane) -> None:
        if mask.ndim != 2 or mask.shape[0] != mask.shape[1]:
            raise ValueError(f"the mask must be square, not {mask.shape}")
        side = mask.shape[0]
        line = (np.arange(side, dtype=np.float32) + 0.5) / side * 2.0 - 1.0
        down, across = np.meshgrid(line, line, indexing="ij")
        self._terms: Plane = np.stack([np.ones_like(across), across, down])
        coarse = side // SPACING
        self._design: NDArray[np.float64] = np.stack(
            [_coarse(term, coarse).ravel() for term in self._terms], axis=1
        ).astype(np.float64)
        self._prior = _coarse(mask, coarse).ravel().astype(np.float64)
        self._coarse_side = coarse

    def remove(self, u: Plane, v: Plane) -> tuple[Plane, Plane]:
        """Return the field ``(u, v)`` (each ``(grid, grid) float32``) without its rigid part."""
        across, down = self.fit(u, v)
        return u - self.field(across), v - self.field(down)

    def fit(self, u: Plane, v: Plane) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Affine coefficients ``(3,) float64`` of u and of v on (1, x, y), x and y in -1 to 1."""
        motion = np.stack(
            [_coarse(u, self._coarse_side).ravel(), _coarse(v, self._coarse_side).ravel()], axis=1
        ).astype(np.float64)
        weights = self._prior
        design = self._design
        coefficients = np.zeros((3, 2))
        for _ in range(1 + ROUNDS):
            weighted = design * weights[:, None]
            normal = weighted.T @ design
            normal[np.diag_indices(3)] += 1e-6
            coefficients = np.linalg.solve(normal, weighted.T @ motion)
            miss = motion - design @ coefficients
            squared = np.einsum("ij,ij->i", miss, miss)
            # The scale follows the field: the spread of the half that fits best.
            scale = max(float(np.median(squared)), 1e-6) * 4.0
            weights = self._prior / (1.0 + squared / scale) ** 2
        return coefficients[:, 0], coefficients[:, 1]

    def field(self, coefficients: NDArray[np.float64]) -> Plane:
        """The affine field with these coefficients: ``(grid, grid) float32``."""
        constant, by_x, by_y = coefficients.astype(np.float32)
        plane: Plane = self._terms[1] * by_x + self._terms[2] * by_y
        plane += constant
        return plane


def _coarse(plane: Plane, side: int) -> Plane:
    small: Plane = cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA)
    return small
