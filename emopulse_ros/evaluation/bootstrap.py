"""How sure a figure is: its 95% interval, by a bootstrap over pieces that are drawn again.

Frames close to each other are alike, so that what is drawn is not frames but pieces: clips,
recordings, stretches. What a figure is made of is added over the pieces drawn, and the figure taken
of the sum; the interval is between percentiles of these (Efron & Tibshirani, 1993, chapter 13).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.metrics import Counts, Reliability, mean, ratio
from emopulse_ros.evaluation.pieces import Piece

RESAMPLES = 1000

Draws = NDArray[np.int64]
"""How often each piece was drawn in each resample: ``(R, pieces)``."""


class Figure(NamedTuple):
    """A figure and its 95% interval; NaN where it is undefined."""

    value: float
    low: float
    high: float


def once(pieces: Sequence[Piece]) -> Draws:
    """Each piece one time, which gives the figure itself: ``(1, pieces)``."""
    return np.ones((1, len(pieces)), np.int64)


def draw(strata: Sequence[Hashable]) -> Draws:
    """Draw as many pieces as there are, with replacement; the same ones whenever it is called.

    ``strata`` has an entry for each piece: those that share one keep their number.
    """
    random = np.random.default_rng(0)
    groups: dict[Hashable, list[int]] = {}
    for index, stratum in enumerate(strata):
        groups.setdefault(stratum, []).append(index)
    draws = np.zeros((RESAMPLES, len(strata)), np.int64)
    for group in groups.values():
        draws[:, group] = random.multinomial(len(group), np.full(len(group), 1.0 / len(group)),
                                             RESAMPLES)  # fmt: skip
    return draws


def counts(pieces: Sequence[Piece], draws: Draws) -> Counts:
    """Pooled counts of each resample, ``(R, A)``."""
    tp, fp, fn, tn = (
        draws @ np.array([getattr(one.counts, name) for one in pieces])
        for name in ("tp", "fp", "fn", "tn")
    )
    return Counts(tp, fp, fn, tn)


def calibration(pieces: Sequence[Piece], draws: Draws) -> NDArray[np.float64]:
    """Expected calibration error of each resample, ``(R, A)``."""
    gap = np.tensordot(draws, np.array([one.reliability.gap for one in pieces]), 1)
    frames = draws @ np.array([one.reliability.frames for one in pieces])
    return Reliability(gap, frames).error


def event_f1(pieces: Sequence[Piece], draws: Draws) -> NDArray[np.float64]:
    """F1 of events of each resample, ``(R,)``; NaN without a true or a found one."""
    spotted = [(one.events.true, one.events.found, one.events.hits) for one in pieces]
    true, found, hits = (draws @ np.array(spotted)).T
    return ratio(2 * hits, true + found)


def false_alarms(pieces: Sequence[Piece], draws: Draws) -> NDArray[np.float64]:
    """False alarms a minute of each resample, ``(R,)``; NaN without any time."""
    alarms = draws @ np.array([one.events.spurious for one in pieces])
    return ratio(60.0 * alarms, draws @ np.array([one.events.seconds for one in pieces]))


def delay(pieces: Sequence[Piece], draws: Draws) -> NDArray[np.float64]:
    """Median time from onset to first alarm of each resample, of the events that had one."""
    delays = np.concatenate([one.delays_ms for one in pieces])
    lengths = [len(one.delays_ms) for one in pieces]
    # NaN comes last in the order, and is cut off.
    order = np.argsort(delays)[: np.count_nonzero(~np.isnan(delays))]
    medians = np.full(len(draws), np.nan)
    if order.size:
        upto = np.cumsum(np.repeat(draws, lengths, axis=1)[:, order], axis=1)
        drawn = upto[:, -1]
        some = drawn > 0
        lower, upper = (
            delays[order][(upto[some] <= middle[some, None]).sum(axis=1)]
            for middle in ((drawn - 1) // 2, drawn // 2)
        )
        medians[some] = (lower + upper) / 2.0
    return medians


def means(values: NDArray[np.float64], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Means of the defined values of the chosen units: ``(R, A)`` each to ``(R,)``."""
    return np.array([mean(row[those]) for row, those in zip(values, chosen, strict=True)])


def interval(again: NDArray[np.float64]) -> NDArray[np.float64]:
    """95% interval of each column: ``(R, A)`` to ``(A, 2)``, NaN where nothing is defined."""
    limits = np.full((again.shape[1], 2), np.nan)
    for index, column in enumerate(again.T):
        defined = column[~np.isnan(column)]
        if defined.size:
            limits[index] = np.quantile(defined, (0.025, 0.975))
    return limits


def figure(values: NDArray[np.float64], again: NDArray[np.float64]) -> Figure:
    """A figure, the first of ``values``, with the interval of the resamples ``(R,)``."""
    ((low, high),) = interval(again[:, None])
    return Figure(float(values[0]), float(low), float(high))
