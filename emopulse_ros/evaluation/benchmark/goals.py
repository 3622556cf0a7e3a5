"""What the benchmark's figures should reach, and whether they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from emopulse_ros.evaluation.benchmark.scores import Score
from emopulse_ros.evaluation.metrics import mean

CLEAN_GOAL, CORRUPTED_GOAL = 0.85, 0.75
"""Of frame macro-F1 and event F1 alike: clean, and the mean over the corruptions."""

Measure = Callable[[Score], float]


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure to reach; ``reached`` is None where it could not be measured."""

    name: str
    goal: float
    at_least: bool
    value: float

    @property
    def reached(self) -> bool | None:
        """Whether it is."""
        if np.isnan(self.value):
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def _macro_f1(score: Score) -> float:
    """Frame macro-F1, mean over units."""
    return score.macro_f1.value


def _event_f1(score: Score) -> float:
    """Event F1 at IoU 0.5."""
    return score.event_f1.value


def _corrupted_mean(corrupted: Sequence[Score], measure: Measure) -> float:
    """Mean of a figure over the conditions it is defined under; NaN where there is none."""
    return mean(np.array([measure(score) for score in corrupted], np.float64))


def goals(clean: Score, corrupted: Sequence[Score]) -> tuple[Goal, ...]:
    """Every goal, with what was reached."""
    return (
        Goal("frame macro-F1, clean", CLEAN_GOAL, True, _macro_f1(clean)),
        Goal("frame macro-F1, corrupted mean", CORRUPTED_GOAL, True,
             _corrupted_mean(corrupted, _macro_f1)),
        Goal("event F1 at IoU 0.5, clean", CLEAN_GOAL, True, _event_f1(clean)),
        Goal("event F1 at IoU 0.5, corrupted mean", CORRUPTED_GOAL, True,
             _corrupted_mean(corrupted, _event_f1)),
        Goal("onset to first alarm, median, ms", 40.0, False, clean.delay_ms.value),
        Goal("false alarms a minute without micro-expressions", 1.0, False,
             clean.false_alarms.value),
        Goal("expected calibration error", 0.05, False, clean.calibration.value),
    )  # fmt: skip
