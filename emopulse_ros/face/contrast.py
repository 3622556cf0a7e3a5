"""A picture without its local mean and contrast, so that lamps may change and flicker."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def even_contrast(picture: NDArray[np.uint8], side: int, floor: float) -> NDArray[np.float32]:
    """``picture``, ``(H, W) uint8``, less its mean and over its deviation in a square window.

    ``side`` is that of the window in pixels; a variance, in squared gray levels, well below
    ``floor`` counts as noise rather than texture.
    """
    window = (side, side)
    even: NDArray[np.float32] = cv2.subtract(
        picture, cv2.boxFilter(picture, cv2.CV_32F, window), dtype=cv2.CV_32F
    )
    variance = cv2.sqrBoxFilter(even, cv2.CV_32F, window)
    variance += floor
    even /= cv2.sqrt(variance, variance)
    return even
