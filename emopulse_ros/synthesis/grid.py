"""Quantities given on a regular grid of points over an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """Points ``step`` pixels apart, each in the middle of a square cell of the image.

    The cells' outer corner is at pixel ``(left, top)``; there are ``columns`` by ``rows``.
    """

    left: int
    top: int
    columns: int
    rows: int
    step: int

    @classmethod
    def over(cls, box: tuple[float, float, float, float], step: int) -> Grid:
        """The smallest grid whose cells cover ``box`` (left, top, right, bottom) in pixels."""
        left, top = int(np.floor(box[0])), int(np.floor(box[1]))
        columns = int(np.ceil((box[2] - left) / step)) + 1
        rows = int(np.ceil((box[3] - top) / step)) + 1
        return cls(left, top, columns, rows, step)

    def points(self) -> Floats:
        """The points, ``(rows, columns, 2) float32`` in pixels."""
        x = self.left + (np.arange(self.columns) + 0.5) * self.step - 0.5
        y = self.top + (np.arange(self.rows) + 0.5) * self.step - 0.5
        return np.dstack(np.meshgrid(x, y)).astype(np.float32)

    def values(self, of: Callable[[Floats], Floats]) -> Floats:
        """What a function of points ``(N, 2)`` says of the grid's: ``(rows, columns, ...)``."""
        values = of(self.points().reshape(-1, 2))
        return values.reshape(self.rows, self.columns, *values.shape[1:])

    def slices_within(self, low: Floats, high: Floats) -> tuple[slice, slice]:
        """The rows and columns that hold all points between ``low`` and ``high``, ``(2,)``."""
        first = np.maximum((low - (self.left, self.top)) // self.step, 0).astype(int)
        last = np.maximum((high - (self.left, self.top)) // self.step + 2, 0).astype(int)
        return slice(first[1], last[1]), slice(first[0], last[0])

    def sample(self, values: Floats, points: NDArray[Any]) -> Floats:
        """Values ``(rows, columns, ...)`` at ``points`` ``(N, 2)``, linear between the grid's.

        Beyond the outermost points the nearest one's values hold.
        """
        x = (points[:, 0] - (self.left - 0.5)) / self.step - 0.5
        y = (points[:, 1] - (self.top - 0.5)) / self.step - 0.5
        np.clip(x, 0.0, self.columns - 1.001, out=x)
        np.clip(y, 0.0, self.rows - 1.001, out=y)
        column, row = x.astype(np.intp), y.astype(np.intp)
        shape = (-1, *(1,) * (values.ndim - 2))
        right = (x - column).astype(np.float32).reshape(shape)
        down = (y - row).astype(np.float32).reshape(shape)
        flat = values.reshape(self.rows * self.columns, *values.shape[2:])
        at = row * self.columns + column
        upper = flat[at] + right * (flat[at + 1] - flat[at])
        at += self.columns
        lower = flat[at] + right * (flat[at + 1] - flat[at])
        return np.asarray(upper + down * (lower - upper), np.float32)

    def drawn(self, values: Floats, out: Floats | None = None) -> Floats:
        """``values`` ``(rows, columns, 2)`` for each pixel of the cells, as :meth:`sample` has it.

        Returns ``(rows * step, columns * step, 2)``, in ``out`` if given.
        """
        size = (self.columns * self.step, self.rows * self.step)
        return np.asarray(cv2.resize(values, size, dst=out, interpolation=cv2.INTER_LINEAR))

    def sample_many(self, values: Floats, points: Floats) -> Floats:
        """As :meth:`sample`, for ``points`` ``(h, w, 2)``, faster and a little coarser.

        OpenCV rounds the places to 1/32 of what it samples, so the values are drawn out first.
        """
        at = points - np.array([self.left, self.top], np.float32)
        drawn = self.drawn(values)
        edge = cv2.BORDER_REPLICATE
        return np.asarray(cv2.remap(drawn, at, None, cv2.INTER_LINEAR, borderMode=edge))


def pixels(width: int, height: int) -> Floats:
    """Where each pixel of an image is: ``(height, width, 2) float32``, x and y."""
    return Grid(0, 0, width, height, 1).points()
