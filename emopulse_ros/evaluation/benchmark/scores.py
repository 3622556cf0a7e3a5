"""The figures of many clips together, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.benchmark.evidence import Evidence
from emopulse_ros.evaluation.bootstrap import (
    Draws,
    Figure,
    calibration,
    counts,
    delay,
    draw,
    event_f1,
    figure,
    interval,
    means,
    once,
)
from emopulse_ros.evaluation.metrics import Counts, average_precision, mean, ratio
from emopulse_ros.facs import expressive


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
    every, draws = once(evidence), draw([(one.clip.source, one.clip.kind) for one in evidence])
    chosen = np.array(expressive(codes))
    whole, again = counts(evidence, every), counts(evidence, draws)
    errors = [calibration(evidence, some) for some in (every, draws)]
    stretches = np.sum([one.stretches for one in evidence], axis=0)
    true, found, hits = np.sum([one.unit_events for one in evidence], axis=0).T
    delays = np.concatenate([one.delays_ms for one in evidence])
    events = [one.events for one in evidence]
    precision = average_precision(
        np.concatenate([one.truth for one in evidence]),
        np.concatenate([one.probability for one in evidence]),
    )
    return Score(
        codes=codes,
        clips=len(evidence),
        frames=sum(one.frames for one in evidence),
        coverage=_share(sum(len(one.truth) for one in evidence), sum(o.frames for o in evidence)),
        f1=figure(*(means(some.f1, chosen & _occurs(some)) for some in (whole, again))),
        macro_f1=figure(*(means(some.macro_f1, chosen & _occurs(some)) for some in (whole, again))),
        precision=mean(precision[chosen]),
        calibration=figure(*(means(some, np.broadcast_to(chosen, some.shape)) for some in errors)),
        event_f1=figure(event_f1(evidence, every), event_f1(evidence, draws)),
        events=(
            sum(e.true for e in events), sum(e.found for e in events), sum(e.hits for e in events),
        ),
        delay_ms=figure(delay(evidence, every), delay(evidence, draws)),
        never=_share(int(np.isnan(delays).sum()), len(delays)),
        false_alarms=figure(_per_minute(evidence, every), _per_minute(evidence, draws)),
        stretches=stretches,
        unit_f1=whole.f1[0],
        unit_f1_interval=interval(again.f1),
        unit_macro_f1=whole.macro_f1[0],
        unit_precision=precision,
        unit_calibration=errors[0][0],
        unit_event_f1=ratio(2 * hits, true + found),
    )  # fmt: skip


def per_minute(stretches: NDArray[np.float64]) -> NDArray[np.float64]:
    """False alarms a minute of ``(..., 2)`` alarms and seconds; NaN where there was no time."""
    return ratio(60.0 * stretches[..., 0], stretches[..., 1])


def _per_minute(evidence: Sequence[Evidence], draws: Draws) -> NDArray[np.float64]:
    return per_minute(draws @ np.array([one.stretches.sum(axis=0) for one in evidence]))


def _occurs(counts: Counts) -> NDArray[np.bool_]:
    """Which units are active at any time: ``(R, A) bool``."""
    occurs: NDArray[np.bool_] = counts.tp + counts.fn > 0
    return occurs


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
