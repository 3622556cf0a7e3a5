"""Where faces are in a picture, and which of two detectors' faces are the same."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emopulse_ros.stream import FlowStep

Box = tuple[float, float, float, float]
"""Left, top, right and bottom of a face in parts of the picture, 0 to 1."""


def box_of(step: FlowStep) -> Box:
    """Where the face of a flow step is: the box about its field, cut to the picture."""
    _, rows, columns = step.data.shape
    corners = np.array([[0, columns, 0, columns], [0, 0, rows, rows], [1, 1, 1, 1]]) - 0.5
    corners[2] = 1.0
    size = np.maximum(np.array(step.frame_size, np.float64), 1.0)
    placed = (step.to_image @ corners + 0.5) / size[:, None]
    low, high = placed.min(axis=1).clip(0.0, 1.0), placed.max(axis=1).clip(0.0, 1.0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def overlap(one: Box, other: Box) -> float:
    """Intersection of two boxes over their union, 0 to 1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0.0 or height <= 0.0:
        return 0.0
    both = width * height
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return both / (areas - both)


def nearest(box: Box, others: Mapping[str, Box]) -> str | None:
    """The name of the box that overlaps most with this one; None if none does by a quarter."""
    name = max(others, key=lambda name: overlap(box, others[name]), default=None)
    return name if name is not None and overlap(box, others[name]) > 0.25 else None
