"""From a neutral head to lit vertices, and from radiance to gray levels: all but the rasteriser.

Arrays are C-contiguous float32 or int32, compiled as in :mod:`.rasteriser`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.synthesis.rasteriser import Floats, Integers, compiled


@compiled
def deform(base: Floats, offsets: Floats, weights: Floats, out: Floats) -> None:
    """Write ``base + Σ weights[k] · offsets[k]`` to ``out``; shapes of weight 0 cost nothing.

    ``base`` and ``out`` are ``(N, 3)``, ``offsets`` ``(K, N, 3)``, ``weights`` ``(K,)``.
    """
    out[:] = base
    for k in range(weights.shape[0]):
        weight = weights[k]
        if weight != 0.0:
            for i in range(base.shape[0]):
                out[i, 0] += weight * offsets[k, i, 0]
                out[i, 1] += weight * offsets[k, i, 1]
                out[i, 2] += weight * offsets[k, i, 2]


@compiled
def project(
    shape: Floats, turn: Floats, distance: float, scale: float, x: float, y: float, points: Floats
) -> None:
    """Turn ``shape`` ``(N, 3)`` in place by ``turn`` ``(3, 3)`` (row @ turn) and project it.

    The camera looks along -z from ``distance``; the origin falls on ``(x, y)`` of the screen, and
    what is ``d`` away from the camera is enlarged by ``scale / d``. ``points`` ``(N, 3)`` gets x,
    y and ``1 / d``.
    """
    m = turn
    for i in range(shape.shape[0]):
        a, b, c = shape[i, 0], shape[i, 1], shape[i, 2]
        u = a * m[0, 0] + b * m[1, 0] + c * m[2, 0]
        v = a * m[0, 1] + b * m[1, 1] + c * m[2, 1]
        w = a * m[0, 2] + b * m[1, 2] + c * m[2, 2]
        shape[i, 0], shape[i, 1], shape[i, 2] = u, v, w
        near = 1.0 / (distance - w)
        points[i, 0] = x + u * near * scale
        points[i, 1] = y - v * near * scale
        points[i, 2] = near


@compiled
def normals(vertices: Floats, triangles: Integers, out: Floats) -> None:
    """Write the unit normal of each vertex, averaged by area over its triangles, to ``out``.

    ``vertices`` and ``out`` are ``(N, 3)``, ``triangles`` ``(T, 3)``, counter-clockwise as seen
    from outside. A vertex of no triangle gets the zero vector.
    """
    out[:] = np.float32(0.0)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = (vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1],
                      vertices[b, 2] - vertices[a, 2])  # fmt: skip
        vx, vy, vz = (vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1],
                      vertices[c, 2] - vertices[a, 2])  # fmt: skip
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for i in (a, b, c):
            out[i, 0] += nx
            out[i, 1] += ny
            out[i, 2] += nz
    for i in range(out.shape[0]):
        length = np.sqrt(out[i, 0] ** 2 + out[i, 1] ** 2 + out[i, 2] ** 2)
        if length > 0.0:
            out[i, 0] /= length
            out[i, 1] /= length
            out[i, 2] /= length


@compiled
def shade(
    normal: Floats, surface: Floats, key: Floats, fill: Floats, wrap: float, out: Floats
) -> None:
    """Light each vertex: write what multiplies its albedo and what shines on top to ``out``.

    ``normal`` ``(N, 3)``, in the camera's axes (x right, y up, z to the camera). ``surface``
    ``(N, 4)``: share of the ambient light that arrives, share of the key light that arrives,
    strength of the highlight, and 1 for a wet surface with a sharp one. ``key`` and ``fill``
    ``(4,)``: unit direction and power of the two lights; ``fill`` lights half of what it does
    not face. ``wrap``, 0 to 1, lets the key light reach around, as skin does (Green, GPU Gems,
    ch. 16). ``out`` is ``(N, 2)``.
    """
    hx, hy, hz = key[0], key[1], key[2] + np.float32(1.0)
    length = np.sqrt(hx * hx + hy * hy + hz * hz)
    hx, hy, hz = hx / length, hy / length, hz / length
    zero, half, one = np.float32(0.0), np.float32(0.5), np.float32(1.0)
    soft = np.float32(wrap)
    for i in range(normal.shape[0]):
        x, y, z = normal[i, 0], normal[i, 1], normal[i, 2]
        facing = x * key[0] + y * key[1] + z * key[2]
        direct = max(zero, (facing + soft) / (one + soft)) * key[3] * surface[i, 1]
        ambient = (half + half * (x * fill[0] + y * fill[1] + z * fill[2])) * fill[3]
        out[i, 0] = direct + ambient * surface[i, 0]
        shine = max(zero, x * hx + y * hy + z * hz)
        shine *= shine
        shine *= shine
        shine *= shine
        if surface[i, 3] > half:
            shine *= shine
            shine *= shine
            shine *= shine
        out[i, 1] = shine * surface[i, 2] * key[3] * surface[i, 1]


@compiled
def expose(
    radiance: Floats, tone: Floats, grain: Floats, start: int, gain: Floats, out: NDArray[np.uint8]
) -> None:
    """Turn radiance into gray levels with sensor noise.

    ``radiance`` ``(H, W)`` is looked up, 0 to 1 and linearly between entries, in ``tone`` ``(L,)``
    (gray levels); ``grain`` ``(G,)`` holds unit noise, read from ``start`` on around its end, and
    ``gain`` ``(256,)`` its standard deviation at each gray level. ``out`` is ``(H, W)``.
    """
    last = tone.shape[0] - 1
    at = start % grain.shape[0]
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            place = min(max(radiance[y, x], np.float32(0.0)), np.float32(0.9999)) * np.float32(last)
            index = int(place)
            level = tone[index] + (place - np.float32(index)) * (tone[index + 1] - tone[index])
            level += gain[int(level)] * grain[at]
            at += 1
            if at == grain.shape[0]:
                at = 0
            out[y, x] = np.uint8(
                min(max(level + np.float32(0.5), np.float32(0.0)), np.float32(255.0))
            )
