"""The inner loops of the rigid part: what :mod:`~emopulse_ros.flow.rigid` does, in one call."""

from __future__ import annotations

import math

import numpy as np
from numba import types

from emopulse_ros.flow.compiler import IN, IN64, OUT, OUT64, Doubles, Floats, compiled


@compiled(OUT64[1], answer=types.float64)
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


@compiled(IN64[2], IN64[1], OUT64[1])
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


@compiled(IN64[1], IN64[2], IN64[2], IN64[1], IN64[2], types.int64, types.float64, OUT64[1])
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


@compiled(IN[3], IN64[2], IN64[2], IN64[1], IN64[2], IN[2], types.int64, types.float64, OUT[3])
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
