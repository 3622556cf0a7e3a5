"""The inner loops of the flow, compiled by numba: one call where OpenCV and numpy take dozens.

Each computes what its counterpart in :mod:`~emopulse_ros.flow.dense` or
:mod:`~emopulse_ros.flow.rigid` does, up to the order of sums, and lets go of the interpreter's
lock for all of it. They are compiled when this file is imported, once for a processor and a
version, and kept beside it; nothing is compiled in the stream. All arrays are C-contiguous.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Function = TypeVar("Function", bound=Callable[..., Any])


def _arrays(kind: types.Type, *, given: bool = True) -> list[types.Type]:
    """Arrays of 0 to 3 dimensions; ``given`` ones are only read from."""
    return [kind, *(types.Array(kind, count, "C", readonly=given) for count in (1, 2, 3))]


# What is read, what is written, and the same in double precision, by number of dimensions.
_IN, _OUT = _arrays(types.float32), _arrays(types.float32, given=False)
_IN64, _OUT64 = _arrays(types.float64), _arrays(types.float64, given=False)


def compiled(
    *arguments: types.Type, answer: types.Type = types.void
) -> Callable[[Function], Function]:
    """Compile a function of such arguments to machine code."""
    jit = numba.njit(
        answer(*arguments),
        cache=True,
        error_model="numpy",
        nogil=True,
        # Multiply and add in one step, and sums of several at once; infinities stay what they are.
        fastmath={"contract", "nsz", "reassoc"},
    )
    return cast(Callable[[Function], Function], jit)


def _inlined(function: Function) -> Function:
    """Compile a function into those that call it."""
    return cast(Function, numba.njit(function))


@_inlined
def _mirrored(index: int, count: int) -> int:
    """The place within that one beyond an edge stands for: OpenCV's BORDER_REFLECT_101."""
    if index < 0:
        return -index
    return index if index < count else 2 * count - 2 - index


@compiled(_OUT[3], _IN[1])
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


@compiled(_IN[2], _OUT[2], _OUT[2])
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


@compiled(_IN[2], _IN[1], _IN[0], _OUT[2], _OUT[2], _OUT[3])
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


@compiled(_IN[3], _OUT[3])
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


@compiled(_IN[2], _IN[2], _IN[3], _OUT[2])
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


@compiled(_IN[2], _IN[2], _IN[2], _IN[2], _IN[3], _IN[1], _IN[3], _OUT[3])
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


@compiled(_OUT[3])
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


@compiled(_IN[3], _IN[3], _OUT[3])
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


@compiled(_OUT64[1], answer=types.float64)
def median(values: Doubles) -> float:
    """The median of some values, whose order is changed (Hoare, "Algorithm 65: Find", 1961)."""
    first, last = 0, values.shape[0] - 1
    middle = values.shape[0] // 2
    while first < last:
        pivot = values[(first + last) // 2]
        i, j = first, last
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if middle <= j:
            last = j
        elif middle >= i:
            first = i
        else:
            break
    upper = lower = values[middle]
    if values.shape[0] % 2 == 0:
        lower = values[0]
        for i in range(1, middle):
            lower = max(lower, values[i])
    return float((lower + upper) * 0.5)


@compiled(_IN64[2], _IN64[1], _OUT64[1])
def solve(normal: Doubles, right: Doubles, solved: Doubles) -> None:
    """Unknowns of a symmetric positive definite system, of which the upper half is read."""
    count = right.shape[0]
    upper = normal.copy()
    for i in range(count):
        for k in range(i):
            for j in range(i, count):
                upper[i, j] -= upper[k, i] * upper[k, j]
        scale = 1.0 / np.sqrt(upper[i, i])
        for j in range(i, count):
            upper[i, j] *= scale
    for i in range(count):
        rest = right[i]
        for k in range(i):
            rest -= upper[k, i] * solved[k]
        solved[i] = rest / upper[i, i]
    for i in range(count - 1, -1, -1):
        rest = solved[i]
        for k in range(i + 1, count):
            rest -= upper[i, k] * solved[k]
        solved[i] = rest / upper[i, i]


@compiled(_IN64[1], _IN64[2], _IN64[2], _IN64[1], _IN64[2], types.int64, types.float64, _OUT64[1])
def robust_fit(
    motion: Doubles,
    design: Doubles,
    products: Doubles,
    prior: Doubles,
    ridge: Doubles,
    rounds: int,
    spread: float,
    solved: Doubles,
) -> None:
    """Iteratively reweighted least squares, as ``RigidPart.fit`` has it.

    ``motion`` is ``(2P,)``, ``design`` ``(6, 2P)``, ``prior`` ``(P,)``, ``ridge`` ``(6, 6)``, and
    ``products`` ``(36, P)`` those of two motions each; ``solved``, ``(6,)``, gets the coefficients.
    """
    count, points = design.shape[0], prior.shape[0]
    moments = np.empty((count, points))
    for i in range(count):
        for p in range(points):
            moments[i, p] = design[i, p] * motion[p] + design[i, points + p] * motion[points + p]
    weights = prior.copy()
    squared, ordered = np.empty(points), np.empty(points)
    normal, right = np.empty((count, count)), np.empty(count)
    for number in range(rounds + 1):
        for i in range(count):
            for j in range(i, count):
                product, total = products[i * count + j], 0.0
                for p in range(points):
                    total += product[p] * weights[p]
                normal[i, j] = total + ridge[i, j]
            moment, total = moments[i], 0.0
            for p in range(points):
                total += moment[p] * weights[p]
            right[i] = total
        solve(normal, right, solved)
        if number == rounds:
            break
        for p in range(points):
            u, v = -motion[p], -motion[points + p]
            for i in range(count):
                u += solved[i] * design[i, p]
                v += solved[i] * design[i, points + p]
            squared[p] = u * u + v * v
        ordered[:] = squared
        scale = max(median(ordered), 1e-6) * spread
        for p in range(points):
            weight = scale / (squared[p] + scale)
            weights[p] = weight * weight * prior[p]


@compiled(
    _IN[3], _IN64[2], _IN64[2], _IN64[1], _IN64[2], _IN[2], types.int64, types.float64, _OUT[3]
)
def remove_rigid(
    field: Floats,
    design: Doubles,
    products: Doubles,
    prior: Doubles,
    ridge: Doubles,
    motions: Floats,
    rounds: int,
    spread: float,
    skin: Floats,
) -> None:
    """Fit a head's motion to every few points of a field ``(2, n, n)`` and take it out of ``skin``.

    ``motions``, ``(6, 2 n n)``, is what each coefficient does to the field.
    """
    _, side, _ = field.shape
    points = prior.shape[0]
    places = round(math.sqrt(points))
    spacing = side // places
    motion, solved = np.empty(2 * points), np.empty(design.shape[0])
    for number in range(2):
        for row in range(places):
            for column in range(places):
                total = 0.0
                for y in range(spacing * row, spacing * (row + 1)):
                    for x in range(spacing * column, spacing * (column + 1)):
                        total += field[number, y, x]
                motion[(number * places + row) * places + column] = total / (spacing * spacing)
    robust_fit(motion, design, products, prior, ridge, rounds, spread, solved)
    given, left = field.reshape(2 * side * side), skin.reshape(2 * side * side)
    left[:] = given
    for number in range(design.shape[0]):
        share, part = np.float32(solved[number]), motions[number]
        for p in range(left.shape[0]):
            left[p] -= share * part[p]


@compiled(_IN[3], _IN[3], _IN[2], answer=types.float64)
def mean_motion(motion: Floats, before: Floats, mask: Floats) -> float:
    """Root mean square length of u and v since another moment, under a mask that sums to 1."""
    height, width = mask.shape
    total = np.float32(0.0)
    for y in range(height):
        for x in range(width):
            u, v = motion[0, y, x] - before[0, y, x], motion[1, y, x] - before[1, y, x]
            total += mask[y, x] * (u * u + v * v)
    return math.sqrt(total)
