"""Steps of the network at the true pace, on each engine there is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emopulse_ros.detection.engine import Engine

FACES = (1, 4, 16)
PERIOD_S = 1.0 / 200.0
WARM_UP_S = 0.5

HEAD = f"{'faces':>5}{'median, ms':>12}{'p99, ms':>10}{'past 5 ms':>11}{'kB moved':>10}  engine"


@dataclass(frozen=True, slots=True)
class Row:
    """One engine with so many faces: in each 5 ms a step for all of them.

    ``median_ms`` and ``p99_ms`` are for all faces together, as are the ``bytes_moved`` to a GPU and
    back each time. ``late`` of ``ticks`` took longer than the 5 ms there are; the next one then
    begins at once, and what it missed is left out.
    """

    engine: str
    faces: int
    ticks: int
    median_ms: float
    p99_ms: float
    late: int
    bytes_moved: int

    def as_line(self) -> str:
        """The row for people."""
        return (
            f"{self.faces:>5}{self.median_ms:>12.3f}{self.p99_ms:>10.3f}"
            f"{self.late / self.ticks:>11.1%}{self.bytes_moved / 1e3:>10.0f}  {self.engine}"
        )


def run_engine(
    engine: Engine,
    seconds: float,
    *,
    faces: Sequence[int] = FACES,
    on_row: Callable[[Row], None] = lambda _: None,
) -> list[Row]:
    """Measure an engine for some seconds with each number of faces.

    :raises ValueError: if the duration cannot be worked with.
    """
    if not 0.1 <= seconds <= 3600.0:
        raise ValueError(f"the duration is {seconds} s; it must be from 0.1 to 3600")
    rows = []
    for count in faces:
        _times(engine, count, min(WARM_UP_S, seconds))
        before = engine.bytes_moved
        took = _times(engine, count, seconds)
        rows.append(_row(engine, count, took, (engine.bytes_moved - before) // len(took)))
        on_row(rows[-1])
    return rows


def _times(engine: Engine, faces: int, seconds: float) -> list[float]:
    """Seconds that the steps of all faces took, each time."""
    recipe = engine.card.recipe
    shape = (16, faces, len(recipe.channels), recipe.grid, recipe.grid)
    flows = [list(each) for each in np.random.default_rng(0).normal(0.0, 0.5, shape).astype("f4")]
    states: list[Any] = [engine.first_state() for _ in range(faces)]
    took: list[float] = []
    due = time.perf_counter()
    end = due + seconds
    while due < end:
        time.sleep(max(due - time.perf_counter(), 0.0))
        begun = time.perf_counter()
        states = [after for _, after in engine.step_all(flows[len(took) % len(flows)], states)]
        now = time.perf_counter()
        took.append(now - begun)
        due = max(due + PERIOD_S, now)
    return took


def _row(engine: Engine, faces: int, took: list[float], moved: int) -> Row:
    median, p99 = 1e3 * np.percentile(took, (50.0, 99.0))
    late = sum(one > PERIOD_S for one in took)
    return Row(
        engine.describe(),
        faces,
        len(took),
        round(float(median), 4),
        round(float(p99), 4),
        late,
        moved,
    )
