"""What a camera does to the light: blur and tone of its picture, noise of its sensor."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

LEVEL = 64
"""Steps of light to one gray level. The sensor rounds after the noise is added, as real ones do:
rounding first would swallow motion of a few hundredths of a pixel."""

_SHIFTS = 64


def light_of(
    picture: NDArray[np.uint8],
    *,
    blur: float = 0.0,
    gamma: float = 1.0,
    contrast: float = 1.0,
    brightness: float = 0.0,
) -> NDArray[np.int16]:
    """Turn a picture ``(H, W) uint8`` into light ``(H, W) int16``, :data:`LEVEL` to a gray level.

    ``blur`` is the standard deviation of the lens's blur in pixels; ``gamma`` bends the tones,
    ``contrast`` stretches them about middle gray and ``brightness`` adds gray levels.
    """
    light = np.power(picture.astype(np.float32) / 255.0, gamma, dtype=np.float32) * 255.0
    light = (light - 128.0) * contrast + 128.0 + brightness
    if blur > 0.0:
        light = cv2.GaussianBlur(light, (0, 0), blur)
    return np.asarray(np.rint(np.clip(light, 0.0, 255.0) * LEVEL), np.int16)


class Sensor:
    """Turns light into pictures, with noise that is fresh at each moment and the same each time.

    ``size`` is (width, height), ``noise`` the standard deviation in gray levels.
    """

    def __init__(self, seed: int, size: tuple[int, int], noise: float = 2.0) -> None:
        width, height = size
        # Drawing a frame's noise costs ten times as much as the frame: one larger sheet is drawn
        # and each frame sees it from another place, with one of two signs.
        random = np.random.default_rng([seed, 0x5E450])
        sheet = random.standard_normal((height + _SHIFTS, width + _SHIFTS), np.float32)
        self._sheet = np.rint(sheet * (noise * LEVEL)).astype(np.int16)
        self._sum = np.empty((height, width), np.int16)
        self._seed = seed

    def expose(self, light: NDArray[np.int16], time: int) -> NDArray[np.uint8]:
        """Return the picture ``(H, W) uint8`` of some light, taken at ``time`` ns.

        Light of a smaller picture than the sensor's falls on its corner.
        """
        height, width = light.shape
        draw = _scatter(self._seed ^ _scatter(time))
        right, down = draw % _SHIFTS, (draw >> 8) % _SHIFTS
        noise = self._sheet[down : down + height, right : right + width]
        mix = cv2.add if draw >> 16 & 1 else cv2.subtract
        total = self._sum[:height, :width]
        mix(light, noise, dst=total)
        return np.asarray(cv2.convertScaleAbs(total, alpha=1.0 / LEVEL), np.uint8)


def _scatter(value: int) -> int:
    """A 64-bit number far from those of neighbouring values (SplitMix64, Steele et al. 2014)."""
    value = (value + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return value ^ (value >> 31)
