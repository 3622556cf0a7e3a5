"""Optical strain: how much the skin is stretched or squeezed, whichever way it moves."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Field = NDArray[np.float32]

_SOBEL = 0.125
"""What makes a 3x3 Sobel a derivative per pixel."""

_HALF = _SOBEL / math.sqrt(2.0)
"""The same for one half of √2 exy."""


def strain_tensor(u: Plane, v: Plane, tensor: Field | None = None) -> Field:
    """The infinitesimal strain tensor of a flow field, ``(3, H, W) float32``: exx, eyy, √2 exy.

    ``exx = du/dx``, ``eyy = dv/dy``, ``exy = (du/dy + dv/dx) / 2``, dimensionless. It is linear:
    the tensor of a difference of fields is the difference of their tensors. It is written into
    ``tensor`` if that is given.
    """
    if tensor is None:
        tensor = np.empty((3, *u.shape), np.float32)
    cv2.Sobel(u, cv2.CV_32F, 1, 0, tensor[0], scale=_SOBEL)
    cv2.Sobel(v, cv2.CV_32F, 0, 1, tensor[1], scale=_SOBEL)
    cv2.Sobel(u, cv2.CV_32F, 0, 1, tensor[2], scale=_HALF)
    tensor[2] += cv2.Sobel(v, cv2.CV_32F, 1, 0, scale=_HALF)
    return tensor


def optical_strain(tensor: Field, strain: Plane | None = None) -> Plane:
    """Magnitude of a :func:`strain_tensor`, ``sqrt(exx² + eyy² + 2 exy²)``, ``(H, W) float32``.

    Shreve et al., "Macro- and micro-expression spotting in long videos using spatio-temporal
    strain" (2011). Blind to translation and rotation of the whole. It is written into ``strain``
    if that is given.
    """
    # Not OpenCV's magnitude, whose last bits are not the same each time.
    squares = tensor * tensor
    total = squares[0]
    total += squares[1]
    total += squares[2]
    root: Plane = cv2.sqrt(total, strain)
    return root


class SkinMotion:
    """What is kept of a moment: u, v and their strain tensor, ``(5, H, W) float32``.

    All of it is linear, so that one difference of two moments gives the flow between them, and its
    tensor.
    """

    def strain(self, motion: Field) -> None:
        """Fill in the tensor of the u and v that are there."""
        strain_tensor(motion[0], motion[1], motion[2:])

    def since(self, motion: Field, before: Field, planes: Field) -> None:
        """Write u, v and optical strain since another moment into ``planes``, ``(3, H, W)``."""
        np.subtract(motion[:2], before[:2], out=planes[:2])
        optical_strain(motion[2:] - before[2:], planes[2])

    def mean(self, motion: Field, before: Field, mask: Plane) -> float:
        """Root mean square length of u and v since another moment, under a mask that sums to 1."""
        squares = np.square(motion[:2] - before[:2]).reshape(2, -1)
        return float(np.sqrt((squares @ mask.ravel()).sum()))
