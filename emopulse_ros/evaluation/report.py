"""One run against its truth, in a few lines a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.bootstrap import Figure
from emopulse_ros.evaluation.cutting import cut
from emopulse_ros.evaluation.metrics import average_precision, mean
from emopulse_ros.evaluation.pieces import Piece, together
from emopulse_ros.evaluation.recording import Recording
from emopulse_ros.evaluation.sure import Parts, Sure, parts, sure
from emopulse_ros.evaluation.truth import Truth, frame_truth
from emopulse_ros.facs import expressive

DIGITS = 6
"""Decimals of a figure in a file that programs read."""


@dataclass(frozen=True, eq=False)
class Report(Piece):
    """Scores of one run, or of several; what they are made of is that of the whole.

    ``precision`` ``(A,) float64`` is the PR-AUC of each of ``codes``, NaN where undefined.
    ``drawn`` is what the intervals come of.
    """

    codes: tuple[int, ...]
    frames: int
    precision: NDArray[np.float64]
    drawn: Parts

    @property
    def calibration(self) -> NDArray[np.float64]:
        """Expected calibration error of each unit, ``(A,) float64``, NaN where undefined."""
        return self.reliability.error

    @cached_property
    def sure(self) -> Sure:
        """The key figures with their intervals."""
        return sure(self.codes, self, self.drawn)

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
        chosen, events, known = self.expressive, self.events, self.sure
        seen = np.count_nonzero(~np.isnan(self.delays_ms))
        brackets = "" if np.isnan(known.frame_f1.low) else "; in brackets: 95%"
        lines = [
            f"frame F1 {_ranged(known.frame_f1)}, "
            f"macro {number(known.macro_f1.value)}, "
            f"PR-AUC {number(mean(self.precision[chosen]))}, "
            f"calibration error {number(known.calibration.value)}  "
            f"({self.frames} frames, mean over {np.count_nonzero(chosen)} units{brackets})",
            f"events: {events.true} true, {events.found} found, {events.hits} of them right "
            f"(F1 {_ranged(known.event_f1)} at IoU 0.5), "
            f"{number(events.false_alarms_per_minute, 1)} false alarms a minute",
        ]
        if seen:
            lines.append(
                f"first alarm {known.delay_ms.value:.0f} ms after the onset (median), "
                f"in {seen} of {events.true} events"
            )
        return lines


def score(
    recording: Recording,
    truth: Truth,
    *,
    thresholds: Mapping[int, float] | float = 0.5,
) -> Report:
    """Score a recording against its truth.

    Units of which the truth knows nothing have no score; which events count says
    :func:`emopulse_ros.evaluation.cutting.judged`.
    """
    active = frame_truth(truth, recording.stamp, recording.codes)
    stretches = cut(recording, truth, active, recording.alarms(thresholds))
    whole = together(stretches)
    precision = average_precision(active, recording.probability)
    precision[~truth.knows(recording.codes)] = np.nan
    return Report(
        counts=whole.counts,
        reliability=whole.reliability,
        events=whole.events,
        delays_ms=whole.delays_ms,
        codes=recording.codes,
        frames=len(recording.stamp),
        precision=precision,
        drawn=parts([whole], [stretches]),
    )


def _ranged(figure: Figure) -> str:
    """A figure with its 95% interval in brackets, if it has one."""
    interval = f" [{number(figure.low)}, {number(figure.high)}]"
    return number(figure.value) + ("" if np.isnan(figure.low) else interval)


def number(value: float, digits: int = 2) -> str:
    """A score as text, a dash where it is undefined."""
    return "-" if np.isnan(value) else f"{value:.{digits}f}"


def plain(value: float) -> float | None:
    """A score as JSON can hold it: null where it is undefined."""
    return round(float(value), DIGITS) if np.isfinite(value) else None
