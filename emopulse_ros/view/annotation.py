"""What is drawn on a picture, in pixels of it, whoever draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.face.template import face_mask
from emopulse_ros.facs import INDEX, unit
from emopulse_ros.stream import Activation, FlowStep
from emopulse_ros.view.pairing import Scene

SPACING = 4
"""Every how many pixels of the flow grid there is an arrow: the mean of so many squared."""

MAGNIFIED = 8.0
"""How many times as long as the movement an arrow is: one pixel of the picture is hardly seen."""

STILL = 0.12
"""Movement in pixels of the flow grid below which no arrow is drawn: it may be noise."""

Points = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """The outline of the face's crop, the movement of its skin, and the units that are active.

    ``outline`` is ``(4, 2) float32``, ``(0, 2)`` without a face; ``arrows`` are ``(N, 2, 2)
    float32``: tail and head, x and y of each. ``active`` are FACS codes with their probabilities,
    in the order of FACS.
    """

    outline: Points
    arrows: Points
    active: tuple[tuple[int, float], ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The active units in words: ``AU12 lip corner puller 0.93``."""
        return tuple(f"AU{code:02d} {name_of(code)} {p:.2f}" for code, p in self.active)


def annotate(scene: Scene, levels: Mapping[int, float]) -> Annotation:
    """What to draw on a scene; ``levels`` are the probabilities from which a unit is active."""
    step, activation = scene.step, scene.activation
    return Annotation(
        np.zeros((0, 2), np.float32) if step is None else _outline(step),
        np.zeros((0, 2, 2), np.float32) if step is None else _arrows(step),
        () if activation is None else _active(activation, levels),
    )


def level_of(levels: Mapping[int, float], code: int) -> float:
    """The probability from which a unit is active; one half where nobody says."""
    return levels.get(code, 0.5)


def name_of(code: int) -> str:
    """What a unit does, in words."""
    return unit(code).name if code in INDEX else "unknown"


def _outline(step: FlowStep) -> Points:
    """The four corners, from the upper left one on to the right."""
    _, height, width = step.data.shape
    left, top, right, bottom = -0.5, -0.5, width - 0.5, height - 0.5
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return _placed(step, corners)


def _arrows(step: FlowStep) -> Points:
    field = _field(step)
    if field is None:
        return np.zeros((0, 2, 2), np.float32)
    height, width = field.shape[1:]
    across, down = (
        cv2.resize(plane, (width // SPACING, height // SPACING), interpolation=cv2.INTER_AREA)
        for plane in field
    )
    places, on_face = _places(height, width)
    shift = np.stack([across.ravel(), down.ravel()], axis=1)
    moved = on_face & (np.hypot(shift[:, 0], shift[:, 1]) >= STILL)
    tails = places[moved]
    heads = tails + MAGNIFIED * shift[moved]
    return np.stack([_placed(step, tails), _placed(step, heads)], axis=1)


def _field(step: FlowStep) -> NDArray[np.float32] | None:
    """The movement since the neutral face, else since the longest ago: ``(2, H, W)``, or None."""
    for index in range(len(step.channels) - 1, 0, -1):
        name = step.channels[index]
        if name.startswith("v_") and step.channels[index - 1] == f"u_{name[2:]}":
            return step.data[index - 1 : index + 1]
    return None


@lru_cache(maxsize=4)
def _places(height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Where arrows begin, ``(N, 2)`` in pixels of the grid, and which of them are on the face."""
    rows, columns = height // SPACING, width // SPACING
    line = np.arange(max(rows, columns)) * SPACING + (SPACING - 1) / 2
    y, x = np.meshgrid(line[:rows], line[:columns], indexing="ij")
    mask = cv2.resize(face_mask(height), (columns, rows), interpolation=cv2.INTER_AREA)
    return np.stack([x.ravel(), y.ravel()], axis=1), mask.ravel() > 0.5


def _placed(step: FlowStep, points: NDArray[np.float64]) -> Points:
    """Points of the grid as points of the picture."""
    placed = points @ step.to_image[:, :2].T + step.to_image[:, 2]
    return placed.astype(np.float32)


def _active(activation: Activation, levels: Mapping[int, float]) -> tuple[tuple[int, float], ...]:
    return tuple(
        (code, probability)
        for code, probability in zip(activation.codes, activation.probability.tolist(), strict=True)
        if probability >= level_of(levels, code)
    )
