"""Dense flow of very small motions: coarse-to-fine Lucas–Kanade on a locally normalised crop.

Lucas & Kanade, "An iterative image registration technique" (1981); the pyramid after Bouguet
(2001). A micro-expression moves the skin by hundredths of a pixel per frame. At 0.1 to 1 px
inside sensor noise this reads the motion with less noise and less loss of amplitude than DIS or
Farnebäck at the same cost, and what depends on the new crop alone (its structure tensor) is
computed once and used against every reference.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.face.contrast import even_contrast

Plane = NDArray[np.float32]

Flow = NDArray[np.float32]
"""``(2, grid, grid)``: to the right and down, in pixels of the flow grid."""

NORMALISE_WINDOW = 21
"""Side in crop pixels of the window whose mean and deviation are taken out of the picture."""

NORMALISE_FLOOR = 25.0
"""Variance, in squared gray levels, below which a window counts as noise rather than texture."""

PRIOR = 0.02
"""Weight of "nothing moved" in the structure tensor: it keeps skin without texture at rest."""

KEPT = np.float32(0.97)
"""Share of the last flow from which the next is searched for: what the pictures no longer bear out
is forgotten within a hundred frames, whatever passed before the face."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the pyramid: the flow grid, and the picture of twice its side."""

    grid: int
    window: Plane
    lattice: NDArray[np.float32]
    """``(2, 2 * grid, 2 * grid)``: column and row of each pixel of that picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Pyramid:
    """A crop made ready for flow: its normalised picture at each level, coarse to fine."""

    pictures: tuple[Plane, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """Gradients of a crop and the inverse of their structure tensor, at each level.

    An inverse is ``(3, H, W)``: xx, xy and yy.
    """

    gradients: tuple[tuple[Plane, Plane], ...]
    inverses: tuple[NDArray[np.float32], ...]


class LucasKanade:
    """Flow on a ``grid`` x ``grid`` lattice between square crops of side ``2 * grid``.

    :raises ValueError: if ``grid`` is not a multiple of 4 of at least 32.
    """

    name = "lucas-kanade-5"

    def __init__(self, grid: int = 64) -> None:
        if grid < 32 or grid % 4:
            raise ValueError(f"a flow grid of {grid} will not do: take a multiple of 4 from 32 up")
        self.grid = grid
        self.crop_size = 2 * grid
        self._levels = _level(grid // 2, 5), _level(grid, 5)

    def pyramid(self, crop: NDArray[np.uint8]) -> Pyramid:
        """Prepare a crop, ``(2 * grid, 2 * grid) uint8``, for :meth:`flow`."""
        picture = even_contrast(crop, NORMALISE_WINDOW, NORMALISE_FLOOR)
        pictures = [picture]
        for _ in self._levels[1:]:
            pictures.insert(0, shrink(pictures[0][None], pictures[0].shape[0] // 2)[0])
        return Pyramid(tuple(pictures))

    def tensor(self, crop: Pyramid) -> Tensor:
        """Structure tensor of a prepared crop; one serves for every reference."""
        made = [self._tensor(*pair) for pair in zip(self._levels, crop.pictures, strict=True)]
        gradients, inverses = zip(*made, strict=True)
        return Tensor(gradients, inverses)

    def flow(
        self, crop: Pyramid, tensor: Tensor, reference: Pyramid, last: Flow | None = None
    ) -> Flow:
        """How far each point of ``crop`` has moved since ``reference``.

        The search goes a pixel or two. It begins near ``last``, the flow of the frame before, so
        that whatever comes there by and by is found however far it goes; or else at rest.

        Returns ``(2, grid, grid) float32``, in pixels of the flow grid (two pixels of the crop),
        positive to the right and down.
        """
        side = self._levels[0].grid // 2
        if last is None:
            flow: Flow = np.zeros((2, side, side), np.float32)
        else:
            flow = shrink(last, side)
            flow *= KEPT / 2
        for index in range(len(self._levels)):
            # Flow is kept in pixels of the level's picture, which has doubled.
            flow += flow
            flow = self._search(index, crop, tensor, reference, flow)
        flow *= np.float32(0.5)
        return flow

    def _tensor(self, level: Level, picture: Plane) -> tuple[tuple[Plane, Plane], Flow]:
        """Gradients and inverse structure tensor of a picture."""
        across: Plane = cv2.Sobel(picture, cv2.CV_32F, 1, 0, scale=0.125)
        down: Plane = cv2.Sobel(picture, cv2.CV_32F, 0, 1, scale=0.125)
        xx = _pool(across * across, level)
        xy = _pool(across * down, level)
        yy = _pool(down * down, level)
        xx += PRIOR
        yy += PRIOR
        scale = xx * yy
        scale -= xy * xy
        np.reciprocal(scale, out=scale)
        inverse = np.empty((3, *xx.shape), np.float32)
        np.multiply(yy, scale, out=inverse[0])
        np.multiply(xx, scale, out=inverse[2])
        scale *= xy
        np.negative(scale, out=inverse[1])
        return (across, down), inverse

    def _search(
        self, index: int, crop: Pyramid, tensor: Tensor, reference: Pyramid, flow: Flow
    ) -> Flow:
        """One step from a flow half as fine as the level's, in pixels of its picture."""
        level, inverse = self._levels[index], tensor.inverses[index]
        where = _grow(flow, 2 * level.grid)
        np.subtract(level.lattice, where, out=where)
        past = cv2.remap(
            reference.pictures[index],
            where[0],
            where[1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        change = np.subtract(crop.pictures[index], past, out=past)
        across, down = tensor.gradients[index]
        of_x, of_y = _pool(across * change, level), _pool(down * change, level)
        step = inverse[:2] * of_x
        step += inverse[1:] * of_y
        finer: Flow = np.subtract(_grow(flow, level.grid), step, out=step)
        return finer


def _level(grid: int, side: int) -> Level:
    """``side`` is that of a box; two of them, one after the other, come close to a Gaussian."""
    box = np.full(side, 1.0 / side)
    line = np.arange(2 * grid, dtype=np.float32)
    lattice = np.array(np.meshgrid(line, line))
    return Level(grid, np.convolve(box, box).astype(np.float32), lattice)


def shrink(planes: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Planes ``(N, H, H)`` by area to ``(N, side, side)``; ``side`` divides ``H``.

    They lie below each other, and no block of pixels reaches from one into the next: one call.
    """
    count, height, width = planes.shape
    small: NDArray[np.float32] = cv2.resize(
        planes.reshape(count * height, width), (side, count * side), interpolation=cv2.INTER_AREA
    )
    return small.reshape(count, side, side)


def _grow(flow: Flow, side: int) -> Flow:
    """A flow on a finer lattice."""
    grown: Flow = np.empty((2, side, side), np.float32)
    for plane, larger in zip(flow, grown, strict=True):
        cv2.resize(plane, (side, side), larger, interpolation=cv2.INTER_LINEAR)
    return grown


def _pool(product: Plane, level: Level) -> Plane:
    """Mean of a product of gradients over a window that falls off to its edges."""
    small = cv2.resize(product, (level.grid, level.grid), interpolation=cv2.INTER_AREA)
    pooled: Plane = cv2.sepFilter2D(small, cv2.CV_32F, level.window, level.window)
    return pooled
