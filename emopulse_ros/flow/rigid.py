"""Take the motion of the head out of a flow field, so that only the skin's own remains."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.flow.dense import shrink

Plane = NDArray[np.float32]
Field = NDArray[np.float32]

SPACING = 4
"""Every how many grid points one is used for the fit; the field is smooth on that scale."""

ROUNDS = 4
"""Rounds of reweighting; a broad smile takes as many to be known as an outlier."""

SPREAD = 2.0
"""What is an outlier, in mean squares of the half of the points that fits best."""

DOUBT = 0.01
"""How much turning and nearing must explain to be believed: the crop is held still already, so that
little of them is left, and much of it would be an expression mistaken for them."""


class RigidPart:
    """Fits the motion of a head to a flow field, and subtracts it.

    To first order what is seen at (x, y) of a head that moves by (a, b), comes nearer by c, leans
    by d, turns by e and nods by f is displaced by

        u = a + c x - d y + e z
        v = b + c y + d x + f z

    where z is how far that place stands out (Longuet-Higgins & Prazdny, "The interpretation of a
    moving retinal image", 1980, for a face far from the camera). The fit is robust (iteratively
    reweighted least squares with Geman-McClure weights, Geman & McClure 1987), because an
    expression is an outlier to it: the skin that moves by itself should not pull it.

    ``mask`` is ``(grid, grid) float32``: how much each point counts to begin with (brows, lids,
    cheeks and mouth less than bridge of the nose and temples; outside the face nothing).
    ``relief``, likewise, is z.

    :raises ValueError: if the mask is not square, or the relief is not of its shape.
    """

    def __init__(self, mask: Plane, relief: Plane) -> None:
        if mask.ndim != 2 or mask.shape[0] != mask.shape[1]:
            raise ValueError(f"the mask must be square, not {mask.shape}")
        if relief.shape != mask.shape:
            raise ValueError(f"the relief must be {mask.shape} as the mask, not {relief.shape}")
        side = mask.shape[0]
        line = (np.arange(side, dtype=np.float32) + 0.5) / side * 2.0 - 1.0
        y, x = np.meshgrid(line, line, indexing="ij")
        one, none = np.ones_like(x), np.zeros_like(x)
        self._motions: Plane = np.array(
            [(one, none), (none, one), (x, y), (-y, x), (relief, none), (none, relief)]
        ).reshape(6, -1)
        self._coarse_side = side // SPACING
        design = np.array(
            [self._coarse(motion.reshape(2, side, side)) for motion in self._motions], np.float64
        )
        self._design = design.reshape(6, -1)
        self._prior = self._coarse(mask[None]).astype(np.float64)
        # A row for each product of two motions, so that a sum over the points with any weights is
        # one product of a matrix and a vector.
        one = design.reshape(6, 2, -1)
        self._products = np.einsum("iun,jun->ijn", one, one).reshape(36, -1)
        doubt = DOUBT * self._prior.sum() * np.array([0.0, 0.0, 1.0, 1.0, 1.0, 1.0])
        self._ridge = np.diag(doubt + 1e-6)

    def remove(self, field: Field, skin: Field | None = None) -> Field:
        """Return a field ``(2, grid, grid) float32``, u and v, without its rigid part.

        It is written into ``skin`` if that is given.
        """
        rigid = self.fit(field).astype(np.float32) @ self._motions
        left: Field = np.subtract(field, rigid.reshape(field.shape), out=skin)
        return left

    def fit(self, field: Field) -> NDArray[np.float64]:
        """The coefficients a to f, ``(6,) float64``, in pixels of the grid.

        x and y run from -1 to 1 over the grid.
        """
        return self._robust(self._coarse(field).astype(np.float64))

    def _robust(self, motion: NDArray[np.float64]) -> NDArray[np.float64]:
        points = self._prior.size
        moments = self._design * motion
        moments = moments[:, :points] + moments[:, points:]
        weights = self._prior
        for _ in range(ROUNDS):
            miss = self._solved(weights, moments) @ self._design
            miss -= motion
            miss *= miss
            squared = miss[:points] + miss[points:]
            # The scale follows the field: the spread of the half that fits best.
            scale = max(_median(squared), 1e-6) * SPREAD
            squared += scale
            weights = np.divide(scale, squared, out=squared)
            weights *= weights
            weights *= self._prior
        return self._solved(weights, moments)

    def _solved(
        self, weights: NDArray[np.float64], moments: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Weighted least squares: coefficients ``(6,)``.

        ``moments``, ``(6, N)``, is each motion times the field, ``weights`` that of each point.
        """
        normal = (self._products @ weights).reshape(6, 6)
        normal += self._ridge
        # Far less ado than numpy's for six unknowns; the ridge keeps it from being singular.
        _, solved = cv2.solve(normal, moments @ weights, flags=cv2.DECOMP_CHOLESKY)
        coefficients: NDArray[np.float64] = solved.ravel()
        return coefficients

    def _coarse(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Planes ``(N, grid, grid)``, one after the other, at every few points."""
        return shrink(planes, self._coarse_side).ravel()


def _median(values: NDArray[np.float64]) -> float:
    """What numpy's median says, in a fifth of the time for rows as short as these."""
    ordered = np.sort(values)
    return float(ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]) * 0.5
