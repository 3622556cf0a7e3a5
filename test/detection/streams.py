"""Streams of activations made by hand, and what an event finder finds in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from emopulse_ros.detection.events import EventFinder
from emopulse_ros.stream import Activation, MicroExpression

MS = 1_000_000
CODES = (1, 4, 12, 45)


def activations(
    rows: Iterable[Sequence[float]],
    *,
    start: int = 0,
    period: int = 5 * MS,
    face_id: int = 1,
    intensity: float = 0.0,
) -> list[Activation]:
    """Activations of CODES, one row of probabilities each, ``period`` ns apart."""
    return [
        Activation(
            stamp=start + index * period,
            sequence=index,
            face_id=face_id,
            codes=CODES,
            probability=np.asarray(row, np.float32),
            intensity=np.full(len(CODES), intensity, np.float32),
            attention=1.0,
            model="test",
            model_hash="",
        )
        for index, row in enumerate(rows)
    ]


def pulse(
    count: int, first: int, last: int, code: int = 12, height: float = 0.9, floor: float = 0.05
) -> np.ndarray:
    """Probabilities ``(count, 4)``: one triangle that stands above 0.25 from first to last."""
    rows = np.full((count, len(CODES)), floor)
    middle, half = (first + last) / 2.0, (last - first) / 2.0
    distance = np.abs(np.arange(count) - middle) / max(half, 1e-9)
    shape = height - (height - 0.2501) * distance
    rows[:, CODES.index(code)] = np.maximum(shape, floor)
    return rows


def found(finder: EventFinder, stream: Iterable[Activation]) -> list[MicroExpression]:
    """Every event, the flushed one included."""
    events = [finder(item) for item in stream]
    return [event for event in [*events, finder.flush()] if event is not None]
