"""Optical strain: how much the skin is stretched or squeezed, whichever way it moves."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


def optical_strain(u: Plane, v: Plane) -> Plane:
    """Magnitude of the infinitesimal strain tensor of a flow field, ``(H, W) float32``.

    ``sqrt(exx² + eyy² + 2 exy²)`` with ``exy = (du/dy + dv/dx) / 2``, dimensionless (Shreve et
    al., "Macro- and micro-expression spotting in long videos using spatio-temporal strain", 2011).
    Blind to translation and rotation of the whole.
    """
    exx = cv2.Sobel(u, cv2.CV_32F, 1, 0, scale=0.125)
    eyy = cv2.Sobel(v, cv2.CV_32F, 0, 1, scale=0.125)
    exy = cv2.Sobel(u, cv2.CV_32F, 0, 1, scale=0.125)
    exy += cv2.Sobel(v, cv2.CV_32F, 1, 0, scale=0.125)
    squared = exx * exx
    squared += eyy * eyy
    exy *= exy
    exy *= 0.5
    squared += exy
    strain: Plane = cv2.sqrt(squared)
    return strain
