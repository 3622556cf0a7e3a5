"""The figures of many clips together, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.benchmark.evidence import Evidence
from emopulse_ros.evaluation.metrics import Counts, Reliability, average_precision, ratio
from emopulse_ros.evaluation.report import mean
from emopulse_ros.facs import expressive

RESAMPLES = 1000

Draws = NDArray[np.int64]
"""How often each clip was drawn in each resample: ``(R, clips)``."""


class Figure(NamedTuple):
    """A figure and its 95% interval; NaN where it is undefined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """All figures of one contender under one condition.

    The means are over the expressive units, the blink left out; F1 and PR-AUC over those of them
    that occur in these clips, whatever a contender says of the others. ``unit_*`` have one entry
    for each of ``codes``, NaN where undefined; ``unit_f1_interval`` is ``(A, 2)``. ``coverage`` is
    the share of frames with an activation. ``never`` is the share of true events without an alarm.
    ``stretches`` ``(K, 2)``: false alarms and seconds of each kind of stretch.
    """

    codes: tuple[int, ...]
    clips: int
    frames: int
    coverage: float
    f1: Figure
    macro_f1: Figure
    precision: float
    calibration: Figure
    event_f1: Figure
    events: tuple[int, int, int]
    delay_ms: Figure
    never: float
    false_alarms: Figure
    stretches: NDArray[np.float64]
    unit_f1: NDArray[np.float64]
    unit_f1_interval: NDArray[np.float64]
    unit_macro_f1: NDArray[np.float64]
    unit_precision: NDArray[np.float64]
    unit_calibration: NDArray[np.float64]
    unit_event_f1: NDArray[np.float64]


def score(evidence: Sequence[Evidence], codes: tuple[int, ...]) -> Score:
    """Pool the evidence of at least one clip.

    Intervals are percentiles of a bootstrap over whole clips, for the frames of one clip are not
    independent; each kind of clip of each source keeps its number.
    """
    every = np.ones((1, len(evidence)), np.int64)
    draws = _draws(evidence)
    chosen = np.array(expressive(codes))
    counts, again = _counts(evidence, every), _counts(evidence, draws)
    errors = [_calibration(evidence, some) for some in (every, draws)]
    stretches = np.sum([one.stretches for one in evidence], axis=0)
    unit_events = np.sum([one.unit_events for one in evidence], axis=0)
    delays = np.concatenate([one.delays_ms for one in evidence])
    true, found, hits = _spotted(evidence).sum(axis=0)
    precision = average_precision(
        np.concatenate([one.truth for one in evidence]),
        np.concatenate([one.probability for one in evidence]),
    )
    return Score(
        codes=codes,
        clips=len(evidence),
        frames=sum(one.frames for one in evidence),
        coverage=_share(sum(len(one.truth) for one in evidence), sum(o.frames for o in evidence)),
        f1=_figure(*(_means(some.f1, chosen & _occurs(some)) for some in (counts, again))),
        macro_f1=_figure(
            *(_means(some.macro_f1, chosen & _occurs(some)) for some in (counts, again))
        ),
        precision=mean(precision[chosen]),
        calibration=_figure(
            *(_means(some, np.broadcast_to(chosen, some.shape)) for some in errors)
        ),
        event_f1=_figure(_event_f1(evidence, every), _event_f1(evidence, draws)),
        events=(int(true), int(found), int(hits)),
        delay_ms=_figure(_delay(evidence, every), _delay(evidence, draws)),
        never=_share(int(np.isnan(delays).sum()), len(delays)),
        false_alarms=_figure(_per_minute(evidence, every), _per_minute(evidence, draws)),
        stretches=stretches,
        unit_f1=counts.f1[0],
        unit_f1_interval=_interval(again.f1),
        unit_macro_f1=counts.macro_f1[0],
        unit_precision=precision,
        unit_calibration=errors[0][0],
        unit_event_f1=_f1(*unit_events.T),
    )


def per_minute(stretches: NDArray[np.float64]) -> NDArray[np.float64]:
    """False alarms a minute of ``(..., 2)`` alarms and seconds; NaN where there was no time."""
    return ratio(60.0 * stretches[..., 0], stretches[..., 1])


def _draws(evidence: Sequence[Evidence]) -> Draws:
    random = np.random.default_rng(0)
    groups: dict[tuple[str, str], list[int]] = {}
    for index, one in enumerate(evidence):
        groups.setdefault((one.clip.source, one.clip.kind), []).append(index)
    draws = np.zeros((RESAMPLES, len(evidence)), np.int64)
    for group in groups.values():
        draws[:, group] = random.multinomial(len(group), np.full(len(group), 1.0 / len(group)),
                                             RESAMPLES)  # fmt: skip
    return draws


def _counts(evidence: Sequence[Evidence], draws: Draws) -> Counts:
    """Pooled counts of each resample, ``(R, A)``."""
    tp, fp, fn, tn = (
        draws @ np.array([getattr(one.counts, name) for one in evidence])
        for name in ("tp", "fp", "fn", "tn")
    )
    return Counts(tp, fp, fn, tn)


def _calibration(evidence: Sequence[Evidence], draws: Draws) -> NDArray[np.float64]:
    """Expected calibration error of each resample, ``(R, A)``."""
    gap = np.tensordot(draws, np.array([one.reliability.gap for one in evidence]), 1)
    frames = draws @ np.array([one.reliability.frames for one in evidence])
    return Reliability(gap, frames).error


def _spotted(evidence: Sequence[Evidence]) -> NDArray[np.int64]:
    """True, found and hit events of each clip: ``(clips, 3)``."""
    return np.array([(one.events.true, one.events.found, one.events.hits) for one in evidence])


def _event_f1(evidence: Sequence[Evidence], draws: Draws) -> NDArray[np.float64]:
    return _f1(*(draws @ _spotted(evidence)).T)


def _delay(evidence: Sequence[Evidence], draws: Draws) -> NDArray[np.float64]:
    """Median time from onset to first alarm of each resample, of the events that had one."""
    delays = np.concatenate([one.delays_ms for one in evidence])
    lengths = [len(one.delays_ms) for one in evidence]
    heard = ~np.isnan(delays)
    medians = np.full(len(draws), np.nan)
    for index, times in enumerate(np.repeat(draws, lengths, axis=1)):
        drawn = np.repeat(delays[heard], times[heard])
        if drawn.size:
            medians[index] = np.median(drawn)
    return medians


def _per_minute(evidence: Sequence[Evidence], draws: Draws) -> NDArray[np.float64]:
    return per_minute(draws @ np.array([one.stretches.sum(axis=0) for one in evidence]))


def _f1(
    true: NDArray[np.int64], found: NDArray[np.int64], hits: NDArray[np.int64]
) -> NDArray[np.float64]:
    """2 hits / (true + found), NaN without either."""
    return ratio(2 * hits, true + found)


def _means(values: NDArray[np.float64], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Means of the defined values of the chosen units: ``(R, A)`` each to ``(R,)``."""
    return np.array([mean(row[those]) for row, those in zip(values, chosen, strict=True)])


def _occurs(counts: Counts) -> NDArray[np.bool_]:
    """Which units are active at any time: ``(R, A) bool``."""
    occurs: NDArray[np.bool_] = counts.tp + counts.fn > 0
    return occurs


def _interval(again: NDArray[np.float64]) -> NDArray[np.float64]:
    """95% interval of each column: ``(R, A)`` to ``(A, 2)``, NaN where nothing is defined."""
    limits = np.full((again.shape[1], 2), np.nan)
    for index, column in enumerate(again.T):
        defined = column[~np.isnan(column)]
        if defined.size:
            limits[index] = np.quantile(defined, (0.025, 0.975))
    return limits


def _figure(values: NDArray[np.float64], again: NDArray[np.float64]) -> Figure:
    ((low, high),) = _interval(again[:, None])
    return Figure(float(values[0]), float(low), float(high))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
