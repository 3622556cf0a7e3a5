"""What each action unit does to the skin: displacement fields over a face, from its landmarks.

A muscle pulls the skin at its insertion towards its origin, and the skin around follows, less and
less with distance. Insertions are landmarks of the 468-point face mesh of MediaPipe; directions
and extents follow the descriptions in Ekman, Friesen & Hager, *Facial Action Coding System*
(2002). Eyelids slide over eyeballs, which no smooth field can do: they are in
:mod:`emopulse_ros.synthesis.eyelids`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.facs import ACTION_UNITS
from emopulse_ros.synthesis.face_frame import FaceFrame, distance_outside, gentle_step, smooth_step

RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
UPPER_INNER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_INNER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)

Zone = Literal["skin", "upper lip", "lower lip"]


@dataclass(frozen=True, slots=True)
class Pull:
    """One bundle of fibres on the person's right half: where it pulls, which way, how far.

    ``at`` are mesh landmarks. ``lateral`` (away from the midline) and ``up`` are the skin's
    displacement there at full strength, ``reach`` how far (sideways, upwards, downwards) it takes
    skin along; all in face widths. Pulls on a lip leave the other lip where it is.
    """

    at: tuple[int, ...]
    lateral: float
    up: float
    reach: tuple[float, float, float]
    zone: Zone = "skin"


PULLS: dict[int, tuple[Pull, ...]] = {
    1: (
        Pull((55, 107), 0.003, 0.048, (0.16, 0.24, 0.20)),
        Pull((65, 66), 0.003, 0.024, (0.14, 0.22, 0.18)),
    ),
    2: (
        Pull((46, 53, 63), 0.008, 0.048, (0.16, 0.22, 0.20)),
        Pull((52, 105), 0.005, 0.040, (0.15, 0.24, 0.18)),
        Pull((65, 66), 0.002, 0.012, (0.10, 0.22, 0.18)),
    ),
    4: (
        Pull((55, 107), -0.028, -0.032, (0.12, 0.20, 0.14)),
        Pull((65, 52), -0.026, -0.032, (0.12, 0.20, 0.12)),
        Pull((53,), -0.016, -0.018, (0.12, 0.18, 0.10)),
    ),
    5: (Pull((223, 222, 224), 0.0, 0.006, (0.10, 0.06, 0.05)),),
    6: (
        Pull((50, 118, 117), -0.004, 0.036, (0.17, 0.12, 0.22)),
        Pull((116, 123), -0.006, 0.034, (0.12, 0.12, 0.20)),
        Pull((143, 35), -0.016, 0.004, (0.09, 0.08, 0.09)),
    ),
    7: (
        Pull((230, 231, 119, 120), -0.015, 0.014, (0.12, 0.08, 0.12)),
        Pull((228, 31), -0.013, 0.006, (0.10, 0.08, 0.10)),
    ),
    9: (
        Pull((49, 129, 102), 0.004, 0.042, (0.10, 0.16, 0.10), "upper lip"),
        Pull((198, 114), 0.004, 0.024, (0.10, 0.10, 0.10), "upper lip"),
        Pull((4, 1), 0.000, 0.014, (0.08, 0.08, 0.06), "upper lip"),
        Pull((36, 100), -0.004, 0.026, (0.14, 0.12, 0.14), "upper lip"),
        Pull((37, 39), 0.002, 0.012, (0.14, 0.10, 0.06), "upper lip"),
        Pull((55, 8), -0.006, -0.014, (0.10, 0.12, 0.10)),
    ),
    10: (
        Pull((37, 39, 40), 0.004, 0.034, (0.13, 0.16, 0.07), "upper lip"),
        Pull((165, 92), 0.006, 0.032, (0.12, 0.14, 0.08), "upper lip"),
        Pull((205, 36), 0.004, 0.016, (0.12, 0.12, 0.12), "upper lip"),
    ),
    12: (
        Pull((61, 185, 146), 0.048, 0.048, (0.17, 0.13, 0.14)),
        Pull((186, 43), 0.038, 0.044, (0.16, 0.14, 0.16)),
        Pull((187, 207, 50), 0.014, 0.034, (0.18, 0.18, 0.20)),
        Pull((39, 181), 0.010, 0.012, (0.14, 0.10, 0.14)),
    ),
    14: (
        # The corner itself sinks in, towards the teeth: what is seen is the skin drawn up to it.
        Pull((61,), 0.016, 0.014, (0.11, 0.08, 0.08)),
        Pull((202, 204, 211), 0.012, 0.040, (0.13, 0.11, 0.15)),
        Pull((216, 212, 214), -0.016, 0.008, (0.10, 0.12, 0.12)),
        Pull((205, 187), 0.014, 0.002, (0.14, 0.14, 0.14)),
    ),
    15: (
        Pull((61, 146), 0.014, -0.042, (0.12, 0.10, 0.12)),
        Pull((43, 202, 91), 0.014, -0.030, (0.12, 0.10, 0.16)),
    ),
    17: (
        Pull((200, 201, 199, 208), 0.0, 0.050, (0.18, 0.10, 0.16), "lower lip"),
        Pull((17, 84, 181), 0.0, 0.036, (0.14, 0.06, 0.12), "lower lip"),
        Pull((152, 148), 0.0, 0.026, (0.18, 0.12, 0.14), "lower lip"),
    ),
    20: (
        Pull((61, 146, 185), 0.046, -0.010, (0.15, 0.11, 0.12)),
        Pull((91, 43, 202), 0.036, -0.010, (0.13, 0.10, 0.13)),
        Pull((212,), 0.026, -0.008, (0.12, 0.12, 0.12)),
    ),
    25: (
        Pull((17, 84, 181), 0.0, -0.032, (0.14, 0.08, 0.16), "lower lip"),
        Pull((200, 201), 0.0, -0.020, (0.17, 0.12, 0.14), "lower lip"),
        Pull((0, 37, 39), 0.0, 0.010, (0.12, 0.12, 0.06), "upper lip"),
    ),
    45: (),
}
"""The pulls of each action unit on the person's right; the left is their mirror image."""


ALSO: dict[int, tuple[Pull, ...]] = {
    6: (Pull((46, 53, 63), 0.0, -0.014, (0.14, 0.14, 0.14)),),
    12: (
        Pull((0, 37, 39, 40), 0.008, 0.024, (0.15, 0.14, 0.06), "upper lip"),
        Pull((49, 129, 102), 0.016, 0.014, (0.10, 0.12, 0.10), "upper lip"),
        Pull((4, 1), 0.0, 0.010, (0.10, 0.12, 0.08), "upper lip"),
    ),
    25: (Pull((0, 37, 39), 0.0, 0.024, (0.14, 0.13, 0.06), "upper lip"),),
    45: (Pull((55, 65, 52, 105, 53), 0.0, -0.010, (0.14, 0.12, 0.12)),),
}
"""What some people show of a unit besides: a smile that draws the upper lip up over the teeth and
the wings of the nose aside, cheeks and lids that draw the brows down."""


def manner(random: np.random.Generator) -> dict[int, tuple[Pull, ...]]:
    """How somebody shows the action units: like :data:`PULLS`, each pull of another strength,
    direction and reach, and more or less of :data:`ALSO`."""
    return {
        code: tuple(
            _varied(pull, share, random)
            for share, shown in ((1.0, pulls), (random.random(), ALSO.get(code, ())))
            for pull in shown
        )
        for code, pulls in PULLS.items()
    }


def _varied(pull: Pull, share: float, random: np.random.Generator) -> Pull:
    strength = share * float(np.exp(random.normal(0.0, 0.2)))
    turn = random.normal(0.0, 0.2)
    across, up = strength * pull.lateral, strength * pull.up
    lateral = float(np.cos(turn) * across - np.sin(turn) * up)
    upwards = float(np.sin(turn) * across + np.cos(turn) * up)
    wide = float(np.exp(random.normal(0.0, 0.12)))
    sideways, above, below = (float(reach * wide) for reach in pull.reach)
    return replace(pull, lateral=lateral, up=upwards, reach=(sideways, above, below))


def displacement_fields(
    landmarks: NDArray[np.float32],
    mirror: NDArray[np.int16],
    points: NDArray[np.float32],
    pulls: Mapping[int, tuple[Pull, ...]] = PULLS,
) -> NDArray[np.float32]:
    """How each action unit at full strength displaces the skin of a face at ``points``.

    ``landmarks`` is ``(468, 2 or 3)`` in pixels, ``mirror`` ``(468,)`` each landmark's
    counterpart on the other half of the face, ``points`` ``(N, 2)`` in pixels. Returns
    ``(A, 2, N, 2) float32`` in pixels, right and down positive: for each unit of
    :data:`~emopulse_ros.facs.ACTION_UNITS` the share of the person's left and right half. The
    fields are zero on the eyes and fade out past the face's outline.
    """
    frame = FaceFrame.of(landmarks)
    marks, places = frame.to_face(landmarks), frame.to_face(points)
    zones = _zones(marks, mirror, places)
    # A unit without sides is drawn on both halves; they share the midline smoothly.
    left_share = smooth_step((places[:, 0] + 0.05) / 0.10)
    fields = np.zeros((len(ACTION_UNITS), 2, len(places), 2), np.float32)
    for unit, field in zip(ACTION_UNITS, fields, strict=True):
        own = pulls[unit.code]
        if unit.sided:
            field[0] = _pulled(own, marks, mirror, places, zones, sides=(0,))
            field[1] = _pulled(own, marks, mirror, places, zones, sides=(1,))
        else:
            both = _pulled(own, marks, mirror, places, zones, sides=(0, 1))
            field[0] = both * left_share[:, None]
            field[1] = both - field[0]
    return frame.vectors_to_image(fields)


def _pulled(
    pulls: tuple[Pull, ...],
    marks: NDArray[np.float32],
    mirror: NDArray[np.int16],
    places: NDArray[np.float32],
    zones: dict[Zone, NDArray[np.float32]],
    sides: tuple[int, ...],
) -> NDArray[np.float32]:
    """The joint displacement of some pulls on some sides (0 left, 1 right), in face widths."""
    total = np.zeros_like(places)
    for zone, share in zones.items():
        weight_sum = np.full(len(places), 1e-6, np.float32)
        free = np.ones(len(places), np.float32)
        moved = np.zeros_like(places)
        for pull in (pull for pull in pulls if pull.zone == zone):
            for side in sides:
                outwards = 1.0 if side == 0 else -1.0
                move = np.array([outwards * pull.lateral, -pull.up], np.float32)
                for at in pull.at:
                    weight = _follows(places - marks[mirror[at] if side == 0 else at], pull.reach)
                    moved += weight[:, None] * move
                    weight_sum += weight
                    free *= 1.0 - weight
        # The mean of the pulls that reach a place, times how firmly it is held by any of them.
        total += (share * (1.0 - free) / weight_sum)[:, None] * moved
    return total


def _follows(away: NDArray[np.float32], reach: tuple[float, float, float]) -> NDArray[np.float32]:
    """How much skin follows a pull, by its place from the insertion: 1 there, 0 out of reach."""
    sideways, upwards, downwards = reach
    x = away[:, 0] / sideways
    y = away[:, 1] / np.where(away[:, 1] < 0.0, upwards, downwards)
    near: NDArray[np.float32] = np.square(np.maximum(0.0, 1.0 - x * x - y * y), dtype=np.float32)
    return near


def _zones(
    marks: NDArray[np.float32], mirror: NDArray[np.int16], places: NDArray[np.float32]
) -> dict[Zone, NDArray[np.float32]]:
    """For each zone, how much of a pull on it arrives at each place: ``(N,) float32``, 0 to 1."""
    free = smooth_step((0.06 - distance_outside(marks[list(OVAL)], places)) / 0.12)
    for eye in (marks[list(RIGHT_EYE)], marks[mirror[list(RIGHT_EYE)]]):
        free = free * gentle_step((distance_outside(eye, places) - 0.02) / 0.10)
    corners = marks[[78, 308]]
    upper, lower = marks[list(UPPER_INNER_LIP)], marks[list(LOWER_INNER_LIP)]
    order_up, order_low = np.argsort(upper[:, 0]), np.argsort(lower[:, 0])
    top = np.interp(places[:, 0], upper[order_up, 0], upper[order_up, 1])
    bottom = np.interp(places[:, 0], lower[order_low, 0], lower[order_low, 1])
    # Beyond the corners the two lips are one skin: the border between them widens there.
    beyond = np.maximum(corners[0, 0] - places[:, 0], places[:, 0] - corners[1, 0])
    soft = 0.022 + np.maximum(0.0, beyond + 0.03)
    below = gentle_step((places[:, 1] - top + soft) / (bottom - top + 2.0 * soft))
    return {"skin": free, "upper lip": free * (1.0 - below), "lower lip": free * below}
