"""What a trained network and its baselines score on people it has never seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.detection.model import Card
from emopulse_ros.evaluation.metrics import average_precision, calibration_error, count
from emopulse_ros.facs import expressive

RESAMPLES = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Scores of one reader: ``(A,)`` each, and the mean F1's 95% interval over clips."""

    name: str
    f1: NDArray[np.float64]
    macro_f1: NDArray[np.float64]
    precision: NDArray[np.float64]
    calibration: NDArray[np.float64]
    interval: tuple[float, float]

    @property
    def mean_f1(self) -> float:
        """Mean F1 of the expressive units, the blink left out."""
        return mean_of(self.f1)


def mean_of(values: NDArray[np.float64]) -> float:
    """Mean over the expressive units that occur."""
    return float(np.nanmean(values[expressive()]))


def result(
    name: str,
    logits: NDArray[np.float32],
    truth: NDArray[np.bool_],
    lengths: list[int],
    card: Card,
) -> Result:
    """Score logits ``(N, A)`` with a card's calibration and thresholds.

    ``lengths`` are the frames of each clip: the interval is a bootstrap over whole clips, since
    the frames of one are not independent.
    """
    probability = card.probability(logits)
    alarms = probability >= np.asarray(card.thresholds, np.float32)
    counts = count(truth, alarms)
    return Result(
        name,
        counts.f1,
        counts.macro_f1,
        average_precision(truth, probability),
        calibration_error(truth, probability),
        _interval(truth, alarms, lengths),
    )


def _interval(
    truth: NDArray[np.bool_], alarms: NDArray[np.bool_], lengths: list[int]
) -> tuple[float, float]:
    ends = np.cumsum(lengths)
    parts = [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]
    each = [count(truth[part], alarms[part]) for part in parts]
    tp, fp, fn = (np.array([getattr(one, key) for one in each]) for key in ("tp", "fp", "fn"))
    random = np.random.default_rng(0)
    means = []
    for _ in range(RESAMPLES):
        chosen = random.integers(len(parts), size=len(parts))
        hits, false, missed = (array[chosen].sum(axis=0) for array in (tp, fp, fn))
        with np.errstate(invalid="ignore"):
            means.append(mean_of(2 * hits / (2 * hits + false + missed)))
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)
