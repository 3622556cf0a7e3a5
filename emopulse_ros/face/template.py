"""Where the parts of a face lie in the crop.

Lengths are in units of the distance between the middles of the eyes, the origin is halfway
between them, x points to the viewer's right and y down. The positions are the means of face
meshes of frontal faces, made symmetric.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

EYES_APART = 0.41
"""Distance between the eyes as a share of the crop's side: brows to chin fill the crop."""

EYES_DOWN = 0.26
"""How far down the crop the eyes are, as a share of its side."""

STABLE: dict[int, tuple[float, float]] = {
    33: (-0.724, -0.012), 133: (-0.276, 0.012), 362: (0.276, 0.012), 263: (0.724, -0.012),
    168: (0.0, -0.097), 6: (0.0, 0.030), 197: (0.0, 0.145), 195: (0.0, 0.248),
}  # fmt: skip
"""Points of the face mesh that lie on bone and move least: corners of the eyes, bridge of the
nose."""

_SOFT = (
    # (x, y, half width, half height, weight): ellipses of skin that moves by itself.
    (-0.50, -0.36, 0.52, 0.20, 0.15),
    (0.50, -0.36, 0.52, 0.20, 0.15),
    (0.0, -0.80, 0.95, 0.32, 0.15),
    (-0.50, 0.02, 0.36, 0.20, 0.10),
    (0.50, 0.02, 0.36, 0.20, 0.10),
    (-0.58, 0.50, 0.38, 0.36, 0.10),
    (0.58, 0.50, 0.38, 0.36, 0.10),
    (0.0, 0.50, 0.28, 0.24, 0.50),
    (0.0, 1.10, 0.95, 0.55, 0.05),
    (0.0, 1.60, 0.55, 0.25, 0.15),
)


def similarity(points: NDArray[np.float32], size: int) -> NDArray[np.float64]:
    """The ``(2, 3)`` similarity from crop pixels to picture pixels for a mesh ``(468, 2)``.

    Least squares over the stable points (Umeyama, "Least-squares estimation of transformation
    parameters", 1991).
    """
    source = crop_points(np.array(list(STABLE.values())), size)
    target = points[list(STABLE)].astype(np.float64)
    from_mean, to_mean = source.mean(axis=0), target.mean(axis=0)
    a, b = source - from_mean, target - to_mean
    norm = float((a * a).sum())
    cosine = float((a * b).sum()) / norm
    sine = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / norm
    linear = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([linear, to_mean - linear @ from_mean])


def crop_points(points: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Points ``(N, 2)`` in units of the template as pixels of a crop of side ``size``."""
    scaled: NDArray[np.float64] = points * (EYES_APART * size)
    scaled += (size * 0.5 - 0.5, size * EYES_DOWN - 0.5)
    return scaled


def bone_mask(size: int) -> NDArray[np.float32]:
    """How firmly each pixel of a crop sits on bone: ``(size, size) float32``, 0 to 1.

    Zero outside the face, low where muscles move the skin, and that is in the middle of the cheeks
    too, which a smile lifts; 1 on the bridge of the nose, the temples and before the ears.
    """
    mask = np.zeros((size, size), np.float32)
    _ellipse(mask, 0.0, 0.45, 0.98, 1.25, 1.0)
    for x, y, across, down, weight in _SOFT:
        soft = np.zeros_like(mask)
        _ellipse(soft, x, y, across, down, 1.0 - weight)
        mask *= 1.0 - soft
    soft_edged: NDArray[np.float32] = cv2.GaussianBlur(mask, (0, 0), size / 40)
    return soft_edged


def relief(size: int) -> NDArray[np.float32]:
    """How far each pixel of a crop stands out towards the viewer: ``(size, size) float32``.

    In distances of the eyes: a bowl whose rim is the ears, and the nose on it. When the head turns
    or nods, what stands out moves the further across the picture.
    """
    line = (np.arange(size) + 0.5) / size
    x, y = np.meshgrid((line - 0.5) / EYES_APART, (line - EYES_DOWN) / EYES_APART)
    bowl = -0.6 * x**2 - 0.08 * (y - 0.3) ** 2
    nose = 0.3 * np.exp(-((x / 0.22) ** 2) - ((y - 0.5) / 0.35) ** 2)
    out: NDArray[np.float32] = (bowl + nose).astype(np.float32)
    return out


def face_mask(size: int) -> NDArray[np.float32]:
    """Which pixels of a crop show the face: ``(size, size) float32``, 0 to 1."""
    mask = np.zeros((size, size), np.float32)
    _ellipse(mask, 0.0, 0.45, 1.0, 1.30, 1.0)
    soft_edged: NDArray[np.float32] = cv2.GaussianBlur(mask, (0, 0), size / 40)
    return soft_edged


def _ellipse(
    mask: NDArray[np.float32], x: float, y: float, across: float, down: float, value: float
) -> None:
    size = mask.shape[0]
    centre = crop_points(np.array([[x, y]]), size)[0]
    axes = (round(across * EYES_APART * size), round(down * EYES_APART * size))
    place = (round(float(centre[0])), round(float(centre[1])))
    cv2.ellipse(mask, place, axes, 0.0, 0.0, 360.0, value, -1)
