"""How much light reaches each vertex of a head: shadow maps from many directions."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.stream import read_only
from emopulse_ros.synthesis.face_kit import FaceKit
from emopulse_ros.synthesis.rasteriser import draw
from emopulse_ros.synthesis.shading import normals

_SIZE, _SCALE = 224, 6.5  # samples of a shadow map, and samples per cm
_BIAS = 0.3  # cm


def light_reaching(
    kit: FaceKit, head: NDArray[np.float32], directions: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the share of the light from ``directions`` that reaches each vertex, 0 to 1.

    ``head`` is ``(N, 3)``, cm; ``directions`` ``(D, 3)`` unit vectors towards distant lights of
    equal power. The share is weighted by how squarely the light falls: ``(N,) float32``.
    """
    facing = np.empty_like(head)
    normals(head, kit.triangles, facing)
    texture = np.zeros((2, 2), np.float32)
    unlit = np.zeros((len(head), 2), np.float32)
    places = np.zeros((int(kit.corners.max()) + 1, 2), np.float32)
    front = np.empty(len(kit.triangles), np.bool_)
    arrived = np.zeros(len(head))
    sent = np.full(len(head), 1e-6)
    for direction in directions:
        seen = head @ _axes(direction)
        points = np.empty_like(seen)
        points[:, :2] = seen[:, :2] * _SCALE + _SIZE / 2
        points[:, 1] = _SIZE - points[:, 1]
        points[:, 2] = seen[:, 2] + 100.0
        depth = np.zeros((_SIZE, _SIZE), np.float32)
        colour = np.zeros_like(depth)
        draw(points, unlit, kit.triangles, kit.corners, places, texture, front, depth, colour)
        column, row = np.clip(np.rint(points[:, :2]).astype(np.intp), 0, _SIZE - 1).T
        squarely = np.maximum(facing @ direction, 0.0)
        sent += squarely
        arrived += squarely * np.clip(2.0 - (depth[row, column] - points[:, 2]) / _BIAS, 0.0, 1.0)
    return _smooth(kit, (arrived / sent).astype(np.float32))


@lru_cache(maxsize=2)
def ambient_share(kit: FaceKit) -> NDArray[np.float32]:
    """Return the share of light from all around that reaches each vertex of the neutral head."""
    index = np.arange(48) + 0.5
    z = 1.0 - 1.15 * index / len(index)  # a little more than the half in front
    around = index * np.pi * (3.0 - np.sqrt(5.0))  # golden angle: evenly spread
    flat = np.sqrt(1.0 - z * z)
    sky = np.stack([flat * np.cos(around), flat * np.sin(around), z], 1).astype(np.float32)
    return read_only(light_reaching(kit, kit.neutral, sky))


def _axes(direction: NDArray[np.float32]) -> NDArray[np.float32]:
    up = np.array([0.0, 1.0, 0.0]) if abs(direction[1]) < 0.9 else np.array([1.0, 0.0, 0.0])
    right = np.cross(up, direction)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(direction, right), direction], 1).astype(np.float32)


def _smooth(kit: FaceKit, values: NDArray[np.float32]) -> NDArray[np.float32]:
    # Shadow maps are coarse; two rounds of averaging with the neighbours hide their steps.
    for _ in range(2):
        total = np.zeros(len(values))
        count = np.full(len(values), 1e-6)
        mean = values[kit.triangles].mean(axis=1)
        for k in range(3):
            total += np.bincount(kit.triangles[:, k], mean, len(values))
            count += np.bincount(kit.triangles[:, k], minlength=len(values))
        values = (total / count).astype(np.float32)
    return values
