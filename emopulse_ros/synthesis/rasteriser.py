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


# Multiply and add in one step; nothing else that "fast" arithmetic would change.
_JIT = numba.njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract", "nsz"})


def compiled(function: Function) -> Function:
    """Compile a function of arrays and numbers to machine code; kept beside its source file."""
    return cast(Function, _JIT(function))


@compiled
def draw(
    points: Floats,
    light: Floats,
    triangles: Integers,
    corners: Integers,
    uv: Floats,
    texture: Floats,
    facing: NDArray[np.bool_],
    depth: Floats,
    colour: Floats,
) -> None:
    """Draw textured, lit triangles into ``colour`` where they are nearer than ``depth``.

    ``points`` ``(N, 3)`` are x, y, depth; ``light`` ``(N, 2)`` is what multiplies the texture and
    what is added to that. ``corners`` ``(T, 3)`` index ``uv`` ``(M, 2)``, in texels of ``texture``
    ``(h, w)`` (integers at texel centres, sampled bilinearly). ``depth`` and ``colour`` ``(H, W)``
    are changed in place; triangles that turn their back are left out, and ``facing`` ``(T,)`` is
    set to tell which do not.
    """
    height, width = depth.shape
    zero, one = np.float32(0.0), np.float32(1.0)
    lowest, most = np.float32(-1e9), np.float32(1e9)
    tiny, margin = np.float32(1e-9), np.float32(1e-4)
    highest, widest = np.float32(texture.shape[0] - 1.001), np.float32(texture.shape[1] - 1.001)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay = points[a, 0], points[a, 1]
        bx, by = points[b, 0] - ax, points[b, 1] - ay
        cx, cy = points[c, 0] - ax, points[c, 1] - ay
        area = cx * by - bx * cy  # y is down: positive is counter-clockwise as seen
        facing[t] = area > tiny
        if area <= tiny:
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
        # How much each attribute grows from sample to sample, along x and along y.
        zx, zy = wbx * zb + wcx * zc, wby * zb + wcy * zc
        ux, uy = wbx * ub + wcx * uc, wby * ub + wcy * uc
        vx, vy = wbx * vb + wcx * vc, wby * vb + wcy * vc
        lx, ly = wbx * lb + wcx * lc, wby * lb + wcy * lc
        sx, sy = wbx * sb + wcx * sc, wby * sb + wcy * sc
        for y in range(top, bottom + 1):
            dy = np.float32(y) - ay
            # The part of the row where no weight is negative, with a margin against cracks.
            xb = -(margin + wby * dy) * ib
            xc = -(margin + wcy * dy) * ic
            xa = -(margin + one + way * dy) * ia
            first, final = np.float32(left) - ax, np.float32(right) - ax
            # Chosen without branches, which these triangles of few samples would mispredict.
            first = max(first, xb if ib > zero else lowest)
            first = max(first, xc if ic > zero else lowest)
            first = max(first, xa if ia > zero else lowest)
            final = min(final, most if ib > zero else xb)
            final = min(final, most if ic > zero else xc)
            final = min(final, most if ia > zero else xa)
            zr, ur, vr = za + zy * dy, ua + uy * dy, va + vy * dy
            lr, sr = la + ly * dy, sa + sy * dy
            for x in range(int(np.ceil(first + ax)), int(np.floor(final + ax)) + 1):
                dx = np.float32(x) - ax
                z = zr + zx * dx
                if z <= depth[y, x]:
                    continue
                depth[y, x] = z
                u = min(max(ur + ux * dx, zero), widest)
                v = min(max(vr + vx * dx, zero), highest)
                i, j = np.uint32(v), np.uint32(u)
                fu, fv = u - np.float32(j), v - np.float32(i)
                upper = texture[i, j] + fu * (texture[i, j + 1] - texture[i, j])
                lower = texture[i + 1, j] + fu * (texture[i + 1, j + 1] - texture[i + 1, j])
                albedo = upper + fv * (lower - upper)
                colour[y, x] = albedo * (lr + lx * dx) + (sr + sx * dx)


@compiled
def soften_outlines(
    points: Floats,
    edges: Integers,
    facing: NDArray[np.bool_],
    reach: float,
    depth: Floats,
    colour: Floats,
) -> None:
    """Blend the samples on both sides of each outline by where exactly it runs between them.

    Without this an outline jumps from sample to sample while it moves by hundredths of one.
    ``edges`` ``(E, 6)`` are two vertices, two triangles and the vertex of each that is not on the
    edge (-1, -1 where there is no second); the other arrays are as after :func:`draw`. An edge is
    an outline where one triangle faces the viewer and the other does not; it is seen where its own
    side is not nearer than ``reach`` in front of it, and the other side is behind it. The idea is
    that of Laine et al., "Modular Primitives for High-Performance Differentiable Rendering", 2020.
    """
    height, width = depth.shape
    half = np.float32(0.5)
    for e in range(edges.shape[0]):
        first, second = edges[e, 2], edges[e, 3]
        if facing[first] == (second >= 0 and facing[second]):
            continue
        a, b = edges[e, 0], edges[e, 1]
        inner = edges[e, 4] if facing[first] else edges[e, 5]
        ax, ay, bx, by = points[a, 0], points[a, 1], points[b, 0], points[b, 1]
        steep = abs(by - ay) >= abs(bx - ax)
        if not steep:  # the same with rows and columns exchanged
            ax, ay, bx, by = ay, ax, by, bx
        if ay > by:
            a, b = b, a
            ax, ay, bx, by = bx, by, ax, ay
        slope = (bx - ax) / max(by - ay, np.float32(1e-9))
        dive = (points[b, 2] - points[a, 2]) / max(by - ay, np.float32(1e-9))
        ix, iy = (
            (points[inner, 0], points[inner, 1]) if steep else (points[inner, 1], points[inner, 0])
        )
        own_is_low = ix < ax + slope * (iy - ay)
        rows, columns = (height, width) if steep else (width, height)
        for y in range(max(0, int(np.ceil(ay))), min(rows, int(np.ceil(by)))):
            x = ax + slope * (np.float32(y) - ay)
            z = points[a, 2] + dive * (np.float32(y) - ay)
            low = int(np.floor(x))
            if low < 0 or low + 1 >= columns:
                continue
            part = x - np.float32(low)
            own, far = (low, low + 1) if own_is_low else (low + 1, low)
            if not own_is_low:
                part = np.float32(1.0) - part
            oi, oj, fi, fj = (y, own, y, far) if steep else (own, y, far, y)
            if depth[oi, oj] > z + reach or depth[fi, fj] >= z:
                continue
            if depth[oi, oj] <= depth[fi, fj]:
                continue
            if part < half:
                colour[oi, oj] += (half - part) * (colour[fi, fj] - colour[oi, oj])
            else:
                colour[fi, fj] += (part - half) * (colour[oi, oj] - colour[fi, fj])


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
