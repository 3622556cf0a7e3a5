"""Frame-level scores: F1 from pooled counts, PR-AUC, calibration. numpy only.

Truth is ``(N, A) bool``, probability ``(N, A)`` in 0 to 1; every result has one entry per unit.
A score that is undefined (no positive and no alarm, say) is NaN: take means with :func:`mean`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """True and false positives and negatives, ``(A,) int64`` each.

    Counts of several recordings or folds are added, and the score is taken of the sum ("pooled",
    as in CD6ME): a mean of F1 over folds favours folds with few positives (Forman & Scholz, 2010).
    """

    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    tn: NDArray[np.int64]

    def __add__(self, other: Counts) -> Counts:
        """The counts of both."""
        return Counts(
            self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn
        )

    def of(self, units: NDArray[np.bool_]) -> Counts:
        """The counts of these units, ``(A,) bool``, and none of any other."""
        return Counts(self.tp * units, self.fp * units, self.fn * units, self.tn * units)

    @property
    def f1(self) -> Scores:
        """F1 of "active": 2 TP / (2 TP + FP + FN)."""
        return ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def macro_f1(self) -> Scores:
        """Mean of the F1 of "active" and the F1 of "not active"."""
        return (self.f1 + ratio(2 * self.tn, 2 * self.tn + self.fp + self.fn)) / 2.0

    @property
    def precision(self) -> Scores:
        """How many of the alarms were right."""
        return ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> Scores:
        """How many of the active frames were seen."""
        return ratio(self.tp, self.tp + self.fn)


def count(truth: ArrayLike, predicted: ArrayLike) -> Counts:
    """Count the agreements of two ``(N, A) bool`` arrays.

    :raises ValueError: if their shapes differ.
    """
    true, said = np.asarray(truth, np.bool_), np.asarray(predicted, np.bool_)
    _same_shape(true, said)
    return Counts(
        (true & said).sum(axis=0),
        (~true & said).sum(axis=0),
        (true & ~said).sum(axis=0),
        (~true & ~said).sum(axis=0),
    )


def average_precision(truth: ArrayLike, probability: ArrayLike) -> Scores:
    """Area under the precision-recall curve, as the sum of precision times the step in recall.

    No interpolation, which would flatter (Davis & Goadrich, 2006). NaN without a positive frame.
    """
    true, score = np.asarray(truth, np.bool_), np.asarray(probability, np.float64)
    _same_shape(true, score)
    return np.array([_average_precision(true[:, a], score[:, a]) for a in range(true.shape[1])])


def _average_precision(true: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    positives = int(true.sum())
    if positives == 0:
        return float("nan")
    order = np.argsort(-score, kind="stable")
    true, score = true[order], score[order]
    hits = np.cumsum(true)
    # Equal scores pass the threshold together: only the last of them is a point of the curve.
    point = np.flatnonzero(np.append(score[1:] != score[:-1], True))
    precision = hits[point] / (point + 1)
    recall = hits[point] / positives
    return float(np.sum(precision * np.diff(recall, prepend=0.0)))


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """How far stated probabilities are from the rates at which it is so, before it is averaged.

    ``gap`` ``(A, B) float64`` is, for each bin of probability, the sum of what was said less the
    number of frames on which it was so, ``frames`` ``(A,) int64`` how many there were. Those of
    several recordings are added; both may have more dimensions in front, alike.
    """

    gap: NDArray[np.float64]
    frames: NDArray[np.int64]

    def __add__(self, other: Reliability) -> Reliability:
        """The frames of both."""
        return Reliability(self.gap + other.gap, self.frames + other.frames)

    def of(self, units: NDArray[np.bool_]) -> Reliability:
        """Of these units, ``(A,) bool``, and nothing of any other."""
        return Reliability(self.gap * units[:, None], self.frames * units)

    @property
    def error(self) -> Scores:
        """Expected calibration error, ``(A,) float64``; NaN without a frame."""
        return ratio(np.abs(self.gap).sum(axis=-1), self.frames)


def reliability(truth: ArrayLike, probability: ArrayLike, bins: int = 15) -> Reliability:
    """Gather what the expected calibration error is made of.

    Equal-width bins, weighted by the frames in them (Guo et al., 2017).
    """
    true, score = np.asarray(truth, np.bool_), np.asarray(probability, np.float64)
    _same_shape(true, score)
    frames, units = true.shape
    where = np.clip((score * bins).astype(np.int64), 0, bins - 1)
    excess = score - true
    gap = np.zeros((units, bins))
    for a in range(units):
        gap[a] = np.bincount(where[:, a], excess[:, a], minlength=bins)
    return Reliability(gap, np.full(units, frames))


def calibration_error(truth: ArrayLike, probability: ArrayLike, bins: int = 15) -> Scores:
    """Expected calibration error: how far a stated probability is from the rate at which it is so.

    See :func:`reliability`.
    """
    return reliability(truth, probability, bins).error


def ratio(part: NDArray[Any], whole: NDArray[Any]) -> Scores:
    """A part of a whole, element by element; NaN where there is no whole."""
    whole = np.broadcast_to(whole, np.shape(part))
    shares: Scores = np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
    return shares


def mean(values: Scores) -> float:
    """Mean of the defined values; NaN, without a warning, where none is."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")


def _same_shape(truth: NDArray[np.generic], predicted: NDArray[np.generic]) -> None:
    if truth.shape != predicted.shape or truth.ndim != 2:
        raise ValueError(
            f"truth and prediction must both be (frames, units): got {truth.shape} and "
            f"{predicted.shape}"
        )
