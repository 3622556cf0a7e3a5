"""Triangles into pixels: a z-buffer rasteriser, compiled by numba.

Numba is needed for training data only: nothing that runs on a robot imports this file. All arrays
are C-contiguous float32 or int32. Screen positions count samples, integers at sample centres, y
down; depth is anything that is linear on the screen and larger for what is nearer (1 / distance).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int32]
Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function of arrays and numbers to machine code; kept beside its source file."""
    return cast(Function, numba.njit(cache=True, error_model="numpy", nogil=True)(function))


@compiled
def draw(
    points: Floats,
    light: Floats,
    triangles: Integers,
    corners: Integers,
    uv: Floats,
    texture: Floats,
    depth: Floats,
    colour: Floats,
) -> None:
    """Draw textured, lit triangles into ``colour`` where they are nearer than ``depth``.

    ``points`` ``(N, 3)`` are x, y, depth; ``light`` ``(N, 2)`` is what multiplies the texture and
    what is added to that. ``corners`` ``(T, 3)`` index ``uv`` ``(M, 2)``, in texels of ``texture``
    ``(h, w)`` (integers at texel centres, sampled bilinearly). ``depth`` and ``colour`` ``(H, W)``
    are changed in place; triangles that turn their back are left out.
    """
    height, width = depth.shape
    zero, one = np.float32(0.0), np.float32(1.0)
    tiny, margin = np.float32(1e-9), np.float32(1e-4)
    highest, widest = np.float32(texture.shape[0] - 1.001), np.float32(texture.shape[1] - 1.001)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay = points[a, 0], points[a, 1]
        bx, by = points[b, 0] - ax, points[b, 1] - ay
        cx, cy = points[c, 0] - ax, points[c, 1] - ay
        area = cx * by - bx * cy  # y is down: positive is counter-clockwise as seen
        if area <= 1e-9:
            continue
        left = max(0, int(np.ceil(ax + min(zero, bx, cx))))
        right = min(width - 1, int(np.floor(ax + max(zero, bx, cx))))
        top = max(0, int(np.ceil(ay + min(zero, by, cy))))
        bottom = min(height - 1, int(np.floor(ay + max(zero, by, cy))))
        if left > right or top > bottom:
            continue
        za, zb, zc = points[a, 2], points[b, 2] - points[a, 2], points[c, 2] - points[a, 2]
        nearest = za + max(zero, zb, zc)
        hidden = True
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                hidden &= depth[y, x] >= nearest
        if hidden:
            continue
        scale = one / area
        # Weight of b at (x, y) is wbx·x + wby·y, relative to a; c alike.
        wbx, wby = -cy * scale, cx * scale
        wcx, wcy = by * scale, -bx * scale
        wax, way = -wbx - wcx, -wby - wcy
        # Where a weight is zero on a row: x = -(… )·y / slope.
        ib = one / (wbx if abs(wbx) > tiny else tiny)
        ic = one / (wcx if abs(wcx) > tiny else tiny)
        ia = one / (wax if abs(wax) > tiny else tiny)
        ta, tb, tc = corners[t, 0], corners[t, 1], corners[t, 2]
        ua, ub, uc = uv[ta, 0], uv[tb, 0] - uv[ta, 0], uv[tc, 0] - uv[ta, 0]
        va, vb, vc = uv[ta, 1], uv[tb, 1] - uv[ta, 1], uv[tc, 1] - uv[ta, 1]
        la, lb, lc = light[a, 0], light[b, 0] - light[a, 0], light[c, 0] - light[a, 0]
        sa, sb, sc = light[a, 1], light[b, 1] - light[a, 1], light[c, 1] - light[a, 1]
        for y in range(top, bottom + 1):
            dy = np.float32(y) - ay
            # The part of the row where no weight is negative, with a margin against cracks.
            first, final = np.float32(left) - ax, np.float32(right) - ax
            xb = -(margin + wby * dy) * ib
            xc = -(margin + wcy * dy) * ic
            xa = -(margin + one + way * dy) * ia
            if ib > zero:
                first = max(first, xb)
            else:
                final = min(final, xb)
            if ic > zero:
                first = max(first, xc)
            else:
                final = min(final, xc)
            if ia > zero:
                first = max(first, xa)
            else:
                final = min(final, xa)
            for x in range(int(np.ceil(first + ax)), int(np.floor(final + ax)) + 1):
                dx = np.float32(x) - ax
                wb = wbx * dx + wby * dy
                wc = wcx * dx + wcy * dy
                z = za + wb * zb + wc * zc
                if z <= depth[y, x]:
                    continue
                depth[y, x] = z
                u = ua + wb * ub + wc * uc
                v = va + wb * vb + wc * vc
                u = min(max(u, zero), widest)
                v = min(max(v, zero), highest)
                i, j = np.uint32(v), np.uint32(u)
                fu, fv = u - np.float32(j), v - np.float32(i)
                upper = texture[i, j] + fu * (texture[i, j + 1] - texture[i, j])
                lower = texture[i + 1, j] + fu * (texture[i + 1, j + 1] - texture[i + 1, j])
                albedo = upper + fv * (lower - upper)
                colour[y, x] = albedo * (la + wb * lb + wc * lc) + sa + wb * sb + wc * sc


@compiled
def spread(
    places: Floats, values: Floats, triangles: Integers, corners: Integers, out: Floats
) -> None:
    """Interpolate values of vertices over the triangles' places in a texture, into ``out``.

    ``places`` ``(M, 2)`` are texels, indexed by ``corners`` ``(T, 3)``; ``values`` ``(N, C)``
    are indexed by ``triangles`` ``(T, 3)``; ``out`` is ``(h, w, C)``.
    """
    height, width, channels = out.shape
    for t in range(triangles.shape[0]):
        ax, ay = places[corners[t, 0], 0], places[corners[t, 0], 1]
        bx, by = places[corners[t, 1], 0] - ax, places[corners[t, 1], 1] - ay
        cx, cy = places[corners[t, 2], 0] - ax, places[corners[t, 2], 1] - ay
        area = cx * by - bx * cy
        if abs(area) < 1e-12:
            continue
        left = max(0, int(np.ceil(ax + min(np.float32(0.0), bx, cx) - 1.0)))
        right = min(width - 1, int(np.floor(ax + max(np.float32(0.0), bx, cx) + 1.0)))
        top = max(0, int(np.ceil(ay + min(np.float32(0.0), by, cy) - 1.0)))
        bottom = min(height - 1, int(np.floor(ay + max(np.float32(0.0), by, cy) + 1.0)))
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                dx, dy = np.float32(x) - ax, np.float32(y) - ay
                wb = (cx * dy - cy * dx) / area
                wc = (by * dx - bx * dy) / area
                if wb < -1e-5 or wc < -1e-5 or wb + wc > 1.00001:
                    continue
                for k in range(channels):
                    out[y, x, k] = (
                        (1 - wb - wc) * values[a, k] + wb * values[b, k] + wc * values[c, k]
                    )


@compiled
def lay_over(colour: Floats, depth: Floats, background: Floats, factor: int, out: Floats) -> None:
    """Average each ``factor`` x ``factor`` block of samples, over ``background`` where none is.

    ``colour`` and ``depth`` are ``(factor·H, factor·W)``, the others ``(H, W)``; a sample of depth
    0 was not drawn.
    """
    share = np.float32(1.0 / (factor * factor))
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            total = np.float32(0.0)
            for i in range(y * factor, y * factor + factor):
                for j in range(x * factor, x * factor + factor):
                    total += colour[i, j] if depth[i, j] > 0.0 else background[y, x]
            out[y, x] = total * share
