"""Take the motion of the head out of a flow field, so that only the skin's own remains."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Field = NDArray[np.float32]

SPACING = 4
"""Every how many grid points one is used for the fit; the field is smooth on that scale."""

_RIDGE = np.eye(3) * 1e-6

ROUNDS = 2
"""Rounds of reweighting; a third changes the fit by less than the noise of the flow."""


class RigidPart:
    """Fits an affine motion to a flow field, and subtracts it.

    An affine field is what a turning, nodding or nearing head makes to first order. The fit is
    robust (iteratively reweighted least squares with Geman–McClure weights, Geman & McClure 1987),
    because an expression is an outlier to it: the skin that moves by itself should not pull it.

    ``mask`` is ``(grid, grid) float32``: how much each point counts to begin with (brows, lids
    and mouth less than bridge of the nose and temples; outside the face nothing).

    :raises ValueError: if the mask is not square.
    """

    def __init__(self, mask: Plane) -> None:
        if mask.ndim != 2 or mask.shape[0] != mask.shape[1]:
            raise ValueError(f"the mask must be square, not {mask.shape}")
        side = mask.shape[0]
        line = (np.arange(side, dtype=np.float32) + 0.5) / side * 2.0 - 1.0
        down, across = np.meshgrid(line, line, indexing="ij")
        terms = np.stack([np.ones_like(across), across, down])
        self._terms: Plane = terms.reshape(3, -1)
        self._coarse_side = side // SPACING
        self._design: NDArray[np.float64] = np.stack(
            [self._coarse(term) for term in terms], axis=1
        ).astype(np.float64)
        # Row by row the outer product of the design with itself, so that a sum over the points
        # with any weights is one product of a vector and a matrix.
        self._products = np.einsum("ni,nj->nij", self._design, self._design).reshape(-1, 9)
        self._prior = self._coarse(mask).astype(np.float64)

    def remove(self, field: Field) -> Field:
        """Return a field ``(2, grid, grid) float32``, u and v, without its rigid part."""
        affine = self.fit(field).astype(np.float32) @ self._terms
        skin: Field = field - affine.reshape(field.shape)
        return skin

    def fit(self, field: Field) -> NDArray[np.float64]:
        """Affine coefficients ``(2, 3) float64`` of u and v on (1, x, y).

        x and y run from -1 to 1 over the grid.
        """
        motion = np.array([self._coarse(plane) for plane in field], np.float64)
        coefficients = self._solved(self._prior, motion)
        for _ in range(ROUNDS):
            miss = motion - coefficients @ self._design.T
            miss *= miss
            squared = miss[0] + miss[1]
            # The scale follows the field: the spread of the half that fits best.
            scale = max(_median(squared), 1e-6) * 4.0
            closeness = scale / (squared + scale)
            coefficients = self._solved(self._prior * closeness * closeness, motion)
        return coefficients

    def _solved(
        self, weights: NDArray[np.float64], motion: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Weighted least squares: coefficients ``(2, 3)``."""
        normal = (weights @ self._products).reshape(3, 3) + _RIDGE
        moments = self._design.T @ (motion * weights).T
        # Far less ado than numpy's for three unknowns; the ridge keeps it from being singular.
        _, solved = cv2.solve(normal, moments, flags=cv2.DECOMP_CHOLESKY)
        coefficients: NDArray[np.float64] = solved.T
        return coefficients

    def _coarse(self, plane: Plane) -> Plane:
        side = self._coarse_side
        coarse: Plane = cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA)
        return coarse.ravel()


def _median(values: NDArray[np.float64]) -> float:
    """What numpy's median says, in a fifth of the time for rows as short as these."""
    ordered = np.sort(values)
    return float(ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]) * 0.5
