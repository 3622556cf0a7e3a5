"""Hold a face still to a fraction of a pixel: similarity alignment to a key picture.

Inverse compositional alignment (Baker & Matthews, "Lucas-Kanade 20 years on", 2004): everything
that depends on the key picture alone is computed once, so that following a frame costs a few warps
of the crop. A face mesh is no substitute: its jitter is as large as a micro-expression.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.face.contrast import even_contrast

Matrix = NDArray[np.float64]
"""A ``(2, 3)`` similarity."""

ROUNDS = 3
"""Gauss-Newton steps per frame at most."""

ENOUGH = 0.1
"""A step that moves the corner of the crop by less than this many pixels ends the search.

What is left after it is several times smaller, and the flow's rigid part takes that away too.
"""

_WINDOW = 11
_FLOOR = 16.0


def compose(outer: Matrix, inner: Matrix) -> Matrix:
    """The similarity that applies ``inner`` first, then ``outer``."""
    both: Matrix = outer[:, :2] @ inner
    both[:, 2] += outer[:, 2]
    return both


def invert(matrix: Matrix) -> Matrix:
    """The similarity that undoes ``matrix``."""
    (along, _, right), (across, _, down) = matrix.tolist()
    square = along * along + across * across
    a, b = along / square, across / square
    return np.array([[a, b, -a * right - b * down], [-b, a, b * right - a * down]])


class Source:
    """A picture made ready to be warped from: large faces are shrunk by area first.

    Bilinear sampling that skips pixels would alias, and aliasing moves with the head.
    """

    def __init__(self, image: NDArray[np.uint8], near: Matrix, size: int) -> None:
        factor = max(1, int(math.hypot(near[0, 0], near[1, 0])))
        self._factor = factor
        self._size = size
        if factor == 1:
            self._picture, self._left, self._top = image, 0, 0
            return
        corners = near @ np.array([[0, size, 0, size], [0, 0, size, size], [1, 1, 1, 1]])
        height, width = image.shape
        room = size * factor // 8
        # Cut on multiples of the factor, so that a pixel is always the mean of the same block.
        left, top = np.clip(corners.min(axis=1) - room, 0, (width - 1, height - 1)).astype(int)
        right, bottom = np.clip(corners.max(axis=1) + room, 1, (width, height)).astype(int)
        left, top = left // factor * factor, top // factor * factor
        right, bottom = (
            left + (right - left) // factor * factor,
            top + (bottom - top) // factor * factor,
        )
        if right <= left or bottom <= top:
            self._picture, self._left, self._top, self._factor = image, 0, 0, 1
            return
        self._left, self._top = int(left), int(top)
        self._picture = cv2.resize(
            image[top:bottom, left:right],
            ((right - left) // factor, (bottom - top) // factor),
            interpolation=cv2.INTER_AREA,
        )

    def warp(self, to_image: Matrix) -> NDArray[np.uint8]:
        """The crop that ``to_image`` names: ``(size, size) uint8``."""
        shift = (self._left + (self._factor - 1) / 2, self._top + (self._factor - 1) / 2)
        matrix = to_image.copy()
        matrix[:, 2] -= shift
        matrix /= self._factor
        crop: NDArray[np.uint8] = cv2.warpAffine(
            self._picture,
            matrix,
            (self._size, self._size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return crop


class Key:
    """A crop that others are aligned to.

    ``weight`` is ``(size // 2, size // 2) float32``: how much each point counts.
    """

    def __init__(self, crop: NDArray[np.uint8], weight: NDArray[np.float32]) -> None:
        self.size = crop.shape[0]
        side = self.size // 2
        self._weight = weight
        self._picture = _normalise(crop)
        across = cv2.Sobel(self._picture, cv2.CV_32F, 1, 0, scale=0.125)
        down = cv2.Sobel(self._picture, cv2.CV_32F, 0, 1, scale=0.125)
        line = np.arange(side, dtype=np.float32) - (side - 1) / 2
        y, x = np.meshgrid(line, line, indexing="ij")
        # Steepest descent images of (right, down, scale, turn) about the middle of the crop.
        steepest = np.stack([across, down, across * x + down * y, down * x - across * y])
        weighted = steepest * weight
        flat = steepest.reshape(4, -1)
        hessian = (weighted.reshape(4, -1) @ flat.T).astype(np.float64)
        hessian[np.diag_indices(4)] *= 1.0 + 1e-6
        hessian[np.diag_indices(4)] += 1e-6
        self._gain = np.linalg.solve(hessian, weighted.reshape(4, -1).astype(np.float64)).astype(
            np.float32
        )
        self._centre = (self.size - 1) / 2
        self._weighted = (weight * self._picture).ravel()
        self._energy = float(self._weighted @ self._picture.ravel())

    def align(self, source: Source, guess: Matrix) -> tuple[Matrix, float]:
        """Refine ``guess`` (crop to picture) so that the crop matches the key.

        Returns it with the weighted correlation of the two, 1 at a perfect match.
        """
        matrix = guess
        for _ in range(ROUNDS):
            picture = _normalise(source.warp(matrix))
            right, down, scale, turn = (self._gain @ (picture - self._picture).ravel()).tolist()
            # A pixel of the half-size picture is two of the crop.
            right, down = 2.0 * right, 2.0 * down
            matrix = compose(matrix, invert(self._about_middle(right, down, scale, turn)))
            if abs(right) + abs(down) + self.size * (abs(scale) + abs(turn)) < ENOUGH:
                break
        return matrix, self._likeness(picture)

    def _about_middle(self, right: float, down: float, scale: float, turn: float) -> Matrix:
        """The similarity that moves the crop, and scales and turns it about its middle."""
        centre, zoom = self._centre, 1.0 + scale
        return np.array(
            [
                [zoom, -turn, right + centre * (turn - scale)],
                [turn, zoom, down - centre * (turn + scale)],
            ]
        )

    def _likeness(self, picture: NDArray[np.float32]) -> float:
        flat = picture.ravel()
        energy = float((self._weight * picture).ravel() @ flat)
        product = float(self._weighted @ flat)
        return product / float(np.sqrt(energy * self._energy) + 1e-9)


def _normalise(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Half-size picture without its local mean and contrast, so that lamps may flicker."""
    side = crop.shape[0] // 2
    small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
    return even_contrast(small, _WINDOW, _FLOOR)
