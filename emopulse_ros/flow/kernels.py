"""The inner loops of the flow and its strain: one call where OpenCV and numpy take dozens.

Each computes what its counterpart in :mod:`~emopulse_ros.flow.dense` or
:mod:`~emopulse_ros.flow.strain` does, up to the order of sums, and lets go of the interpreter's
lock for all of it. All arrays are C-contiguous.
"""

from __future__ import annotations

import math
from typing import cast

import numba
import numpy as np
from numba import types

from emopulse_ros.flow.compiler import IN, OUT, Floats, Function, compiled


def _inlined(function: Function) -> Function:
    """Compile a function into those that call it."""
    return cast(Function, numba.njit(function))


@_inlined
def _mirrored(index: int, count: int) -> int:
    """The place within that one beyond an edge stands for: OpenCV's BORDER_REFLECT_101."""
    if index < 0:
        return -index
    return index if index < count else 2 * count - 2 - index


@compiled(OUT[3], IN[1])
def blur(planes: Floats, window: Floats) -> None:
    """Weigh neighbours down and across by ``window``, symmetric and odd, in place."""
    count, height, width = planes.shape
    reach = window.shape[0] // 2
    blurred = np.empty((height, width), np.float32)
    wide = np.empty(width + 2 * reach, np.float32)
    middle = wide[reach : reach + width]
    for number in range(count):
        plane = planes[number]
        for y in range(height):
            row, line = blurred[y], plane[y]
            for x in range(width):
                row[x] = window[reach] * line[x]
            for tap in range(1, reach + 1):
                weight = window[reach + tap]
                above, below = plane[_mirrored(y - tap, height)], plane[_mirrored(y + tap, height)]
                for x in range(width):
                    row[x] += weight * (above[x] + below[x])
        for y in range(height):
            row, line = blurred[y], plane[y]
            for x in range(width):
                middle[x] = row[x]
                line[x] = window[reach] * row[x]
            for tap in range(1, reach + 1):
                wide[reach - tap] = row[tap]
                wide[reach + width - 1 + tap] = row[width - 1 - tap]
            for tap in range(1, reach + 1):
                weight = window[reach + tap]
                left, right = wide[reach - tap :], wide[reach + tap :]
                for x in range(width):
                    line[x] += weight * (left[x] + right[x])


@compiled(IN[2], OUT[2], OUT[2])
def gradients(picture: Floats, across: Floats, down: Floats) -> None:
    """Derivatives of a picture by a 3x3 Sobel, per pixel to the right and down."""
    height, width = picture.shape
    eighth, two = np.float32(0.125), np.float32(2.0)
    for y in range(height):
        above, below = picture[_mirrored(y - 1, height)], picture[_mirrored(y + 1, height)]
        line = picture[y]
        to_right, to_below = across[y], down[y]
        for x in range(1, width - 1):
            right = above[x + 1] + two * line[x + 1] + below[x + 1]
            left = above[x - 1] + two * line[x - 1] + below[x - 1]
            to_right[x] = (right - left) * eighth
            under = below[x - 1] + two * below[x] + below[x + 1]
            over = above[x - 1] + two * above[x] + above[x + 1]
            to_below[x] = (under - over) * eighth
        for x, next_to in ((0, 1), (width - 1, width - 2)):
            to_right[x] = np.float32(0.0)
            steep = (below[next_to] - above[next_to]) + (below[x] - above[x])
            to_below[x] = two * steep * eighth


@compiled(IN[2], IN[1], IN[0], OUT[2], OUT[2], OUT[3])
def structure_tensor(
    picture: Floats,
    window: Floats,
    prior: float,
    across: Floats,
    down: Floats,
    inverse: Floats,
) -> None:
    """Gradients ``(2n, 2n)`` of a picture and the inverse ``(3, n, n)`` of their pooled tensor."""
    side, quarter = picture.shape[0], np.float32(0.25)
    gradients(picture, across, down)
    xx, xy, yy = inverse[0], inverse[1], inverse[2]
    for y in range(side // 2):
        upper_x, lower_x = across[2 * y], across[2 * y + 1]
        upper_y, lower_y = down[2 * y], down[2 * y + 1]
        for x in range(side // 2):
            left, right = 2 * x, 2 * x + 1
            a, b, c, d = upper_x[left], upper_x[right], lower_x[left], lower_x[right]
            e, f, g, h = upper_y[left], upper_y[right], lower_y[left], lower_y[right]
            xx[y, x] = (a * a + b * b + c * c + d * d) * quarter
            xy[y, x] = (a * e + b * f + c * g + d * h) * quarter
            yy[y, x] = (e * e + f * f + g * g + h * h) * quarter
    blur(inverse, window)
    for y in range(side // 2):
        for x in range(side // 2):
            a, b, c = xx[y, x] + prior, xy[y, x], yy[y, x] + prior
            scale = np.float32(1.0) / (a * c - b * b)
            xx[y, x], xy[y, x], yy[y, x] = c * scale, -b * scale, a * scale


@compiled(IN[3], OUT[3])
def grow(planes: Floats, larger: Floats) -> None:
    """Planes on a lattice a whole number of times as fine, linear in between."""
    count, height, width = planes.shape
    times = larger.shape[1] // height
    across = np.empty((height, times * width), np.float32)
    for number in range(count):
        for step in range(times):
            place = (np.float32(step) + np.float32(0.5)) / np.float32(times) - np.float32(0.5)
            weight = abs(place)
            rest, beside = np.float32(1.0) - weight, -1 if place < 0 else 1
            for y in range(height):
                line, row = planes[number, y], across[y]
                for x in range(width):
                    other = min(max(x + beside, 0), width - 1)
                    row[times * x + step] = rest * line[x] + weight * line[other]
        for step in range(times):
            place = (np.float32(step) + np.float32(0.5)) / np.float32(times) - np.float32(0.5)
            weight = abs(place)
            rest, beside = np.float32(1.0) - weight, -1 if place < 0 else 1
            for y in range(height):
                near, far = across[y], across[min(max(y + beside, 0), height - 1)]
                row = larger[number, times * y + step]
                for x in range(times * width):
                    row[x] = rest * near[x] + weight * far[x]


@compiled(IN[2], IN[2], IN[3], OUT[2])
def changes(picture: Floats, reference: Floats, moved: Floats, change: Floats) -> None:
    """``picture`` ``(n, n)`` less what ``reference`` shows where it has come from.

    ``moved`` is how far, ``(2, n, n)``. Places are rounded to 1/32 pixel, as OpenCV rounds them.
    """
    side = np.int32(picture.shape[0])
    flat = reference.ravel()
    corner, to_right = np.empty(side, np.int32), np.empty(side, np.int32)
    to_below = np.empty(side, np.int32)
    right_share, lower_share = np.empty(side, np.float32), np.empty(side, np.float32)
    one, parts, last = np.float32(1.0), np.float32(32.0), np.int32(side - 1)
    for y in range(side):
        right, under, row = moved[0, y], moved[1, y], np.float32(y)
        for x in range(side):
            # Beyond an edge the picture goes on as it is there. The bounds are kept to once more,
            # for what is no number is within any of floats.
            column_at = min(max(np.rint((np.float32(x) - right[x]) * parts), 0), 32 * last)
            row_at = min(max(np.rint((row - under[x]) * parts), 0), 32 * last)
            column = min(max(np.int32(column_at), np.int32(0)), np.int32(32) * last)
            line = min(max(np.int32(row_at), np.int32(0)), np.int32(32) * last)
            left, top = column >> np.int32(5), line >> np.int32(5)
            corner[x] = top * side + left
            to_right[x] = np.int32(1) if left < last else np.int32(0)
            to_below[x] = side if top < last else np.int32(0)
            right_share[x] = np.float32(column & np.int32(31)) / parts
            lower_share[x] = np.float32(line & np.int32(31)) / parts
        for x in range(side):
            a, b = right_share[x], lower_share[x]
            at, below = corner[x], corner[x] + to_below[x]
            upper = (one - a) * flat[at] + a * flat[at + to_right[x]]
            lower = (one - a) * flat[below] + a * flat[below + to_right[x]]
            change[y, x] = picture[y, x] - ((one - b) * upper + b * lower)


@compiled(IN[2], IN[2], IN[2], IN[2], IN[3], IN[1], IN[3], OUT[3])
def search(
    picture: Floats,
    reference: Floats,
    across: Floats,
    down: Floats,
    inverse: Floats,
    window: Floats,
    flow: Floats,
    finer: Floats,
) -> None:
    """One step from a flow ``(2, n / 2, n / 2)`` to a ``finer`` one, ``(2, n, n)``.

    Both are in pixels of the pictures and their gradients, ``(2n, 2n)``.
    """
    side = finer.shape[1]
    quarter = np.float32(0.25)
    moved = np.empty((2, 2 * side, 2 * side), np.float32)
    change = np.empty((2 * side, 2 * side), np.float32)
    pooled = np.empty((2, side, side), np.float32)
    grow(flow, moved)
    changes(picture, reference, moved, change)
    for y in range(side):
        upper_x, lower_x = across[2 * y], across[2 * y + 1]
        upper_y, lower_y = down[2 * y], down[2 * y + 1]
        upper, lower = change[2 * y], change[2 * y + 1]
        for x in range(side):
            left, right = 2 * x, 2 * x + 1
            a, b, c, d = upper[left], upper[right], lower[left], lower[right]
            of_x = a * upper_x[left] + b * upper_x[right] + c * lower_x[left] + d * lower_x[right]
            of_y = a * upper_y[left] + b * upper_y[right] + c * lower_y[left] + d * lower_y[right]
            pooled[0, y, x], pooled[1, y, x] = of_x * quarter, of_y * quarter
    blur(pooled, window)
    grow(flow, finer)
    for y in range(side):
        for x in range(side):
            of_x, of_y = pooled[0, y, x], pooled[1, y, x]
            finer[0, y, x] -= inverse[0, y, x] * of_x + inverse[1, y, x] * of_y
            finer[1, y, x] -= inverse[1, y, x] * of_x + inverse[2, y, x] * of_y


@compiled(OUT[3])
def strain_tensor(motion: Floats) -> None:
    """Fill planes 2 to 4 of ``(5, H, W)`` with exx, eyy and √2 exy of planes 0 and 1."""
    _, height, width = motion.shape
    half = np.float32(math.sqrt(0.5))
    across = np.empty((height, width), np.float32)
    # What each call leaves in the plane that is not wanted yet, the next one overwrites.
    gradients(motion[1], across, motion[3])
    gradients(motion[0], motion[2], motion[4])
    for y in range(height):
        for x in range(width):
            motion[4, y, x] = (motion[4, y, x] + across[y, x]) * half


@compiled(IN[3], IN[3], OUT[3])
def since(motion: Floats, before: Floats, planes: Floats) -> None:
    """``planes`` ``(3, H, W)``: u and v of a motion ``(5, H, W)`` since another, and its strain."""
    _, height, width = planes.shape
    for y in range(height):
        for x in range(width):
            planes[0, y, x] = motion[0, y, x] - before[0, y, x]
            planes[1, y, x] = motion[1, y, x] - before[1, y, x]
            stretch = motion[2, y, x] - before[2, y, x]
            squeeze = motion[3, y, x] - before[3, y, x]
            shear = motion[4, y, x] - before[4, y, x]
            planes[2, y, x] = np.sqrt(stretch * stretch + squeeze * squeeze + shear * shear)


@compiled(IN[3], IN[3], IN[2], answer=types.float64)
def mean_motion(motion: Floats, before: Floats, mask: Floats) -> float:
    """Root mean square length of u and v since another moment, under a mask that sums to 1."""
    height, width = mask.shape
    total = np.float32(0.0)
    for y in range(height):
        for x in range(width):
            u, v = motion[0, y, x] - before[0, y, x], motion[1, y, x] - before[1, y, x]
            total += mask[y, x] * (u * u + v * v)
    return math.sqrt(total)
