"""One run against its truth, in a few lines a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.metrics import (
    Counts,
    average_precision,
    calibration_error,
    count,
    mean,
)
from emopulse_ros.evaluation.recording import Recording
from emopulse_ros.evaluation.spotting import Spotting, alarm_delays, spotting
from emopulse_ros.evaluation.truth import Span, Truth, event_truth, frame_truth, span_of
from emopulse_ros.facs import expressive
from emopulse_ros.stream import MicroExpression

DIGITS = 6
"""Decimals of a figure in a file that programs read."""


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """Scores of one run; arrays have one entry for each of ``codes``, NaN where undefined."""

    codes: tuple[int, ...]
    frames: int
    counts: Counts
    precision: NDArray[np.float64]
    calibration: NDArray[np.float64]
    events: Spotting
    delays_ms: NDArray[np.float64]

    @property
    def expressive(self) -> NDArray[np.bool_]:
        """Which units are expression: all but the blink, ``(A,) bool``."""
        return np.array(expressive(self.codes))

    @property
    def known(self) -> NDArray[np.bool_]:
        """Of which units the truth says anything on any frame, ``(A,) bool``."""
        counted: NDArray[np.bool_] = (
            self.counts.tp + self.counts.fp + self.counts.fn + self.counts.tn > 0
        )
        return counted

    def lines(self) -> list[str]:
        """What the summary at the end of a run says."""
        chosen, events = self.expressive, self.events
        seen = self.delays_ms[~np.isnan(self.delays_ms)]
        lines = [
            f"frame F1 {number(mean(self.counts.f1[chosen]))}, "
            f"macro {number(mean(self.counts.macro_f1[chosen]))}, "
            f"PR-AUC {number(mean(self.precision[chosen]))}, "
            f"calibration error {number(mean(self.calibration[chosen]))}  "
            f"({self.frames} frames, mean over {len(self.codes) - (~chosen).sum()} units)",
            f"events: {events.true} true, {events.found} found, {events.hits} of them right "
            f"(F1 {number(events.f1)} at IoU 0.5), "
            f"{number(events.false_alarms_per_minute, 1)} false alarms a minute",
        ]
        if seen.size:
            lines.append(
                f"first alarm {np.median(seen):.0f} ms after the onset (median), "
                f"in {seen.size} of {events.true} events"
            )
        return lines


def score(
    recording: Recording,
    truth: Truth,
    *,
    thresholds: Mapping[int, float] | float = 0.5,
) -> Report:
    """Score a recording against its truth.

    Units of which the truth knows nothing have no score; which events count says :func:`judged`.
    """
    active = frame_truth(truth, recording.stamp, recording.codes)
    alarms = recording.alarms(thresholds)
    true, events = judged(recording, truth)
    found = [span_of(event) for event in events]
    unknown = ~truth.knows(recording.codes)
    counts = count(active, alarms)
    for part in (counts.tp, counts.fp, counts.fn, counts.tn):
        part[unknown] = 0
    precision = average_precision(active, recording.probability)
    calibration = calibration_error(active, recording.probability)
    calibration[unknown] = precision[unknown] = np.nan
    return Report(
        codes=recording.codes,
        frames=len(recording.stamp),
        counts=counts,
        precision=precision,
        calibration=calibration,
        events=spotting(true, found, recording.seconds),
        delays_ms=alarm_delays(true, recording.stamp, alarms, recording.codes),
    )


def judged(recording: Recording, truth: Truth) -> tuple[list[Span], list[MicroExpression]]:
    """The events that count: the true ones, and those that were found.

    A true event counts if it began and ended while there were activations: before the first one
    the face was not yet known. One that was found of units of which the truth knows nothing is
    neither right nor wrong.
    """
    first, last = (
        (int(recording.stamp[0]), int(recording.stamp[-1])) if len(recording.stamp) else (0, -1)
    )
    true = [s for s in event_truth(truth) if first <= s.onset and s.offset <= last]
    return true, [event for event in recording.events if truth.knows(event.aus).any()]


def number(value: float, digits: int = 2) -> str:
    """A score as text, a dash where it is undefined."""
    return "-" if np.isnan(value) else f"{value:.{digits}f}"


def plain(value: float) -> float | None:
    """A score as JSON can hold it: null where it is undefined."""
    return round(float(value), DIGITS) if np.isfinite(value) else None
