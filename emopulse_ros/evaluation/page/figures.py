"""The key figures of a report: what is read first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emopulse_ros.evaluation.metrics import mean
from emopulse_ros.evaluation.report import Report


class Figure(NamedTuple):
    """A figure, NaN where it is undefined, and of how much it was taken."""

    key: str
    name: str
    value: float
    digits: int
    unit: str
    taken_of: str


def figures(report: Report) -> tuple[Figure, ...]:
    """The key figures, in the order in which they are shown.

    Those of frames are means over the expressive units, the blink left out.
    """
    chosen, events, counts = report.expressive, report.events, report.counts
    seen = report.delays_ms[~np.isnan(report.delays_ms)]
    frames = f"{report.frames} frames, {(chosen & report.known).sum()} units"
    return (
        Figure("frame_f1", "frame F1", mean(counts.f1[chosen]), 2, "", frames),
        Figure("macro_f1", "macro F1", mean(counts.macro_f1[chosen]), 2, "", frames),
        Figure("pr_auc", "PR-AUC", mean(report.precision[chosen]), 2, "", frames),
        Figure(
            "event_f1", "event F1, IoU 0.5", events.f1, 2, "",
            f"{events.true} true, {events.found} found, {events.hits} right",
        ),
        Figure(
            "onset_to_alarm_ms", "onset to first alarm",
            float(np.median(seen)) if seen.size else float("nan"), 0, "ms",
            f"median of {seen.size} of {events.true} events",
        ),
        Figure(
            "false_alarms_per_minute", "false alarms", events.false_alarms_per_minute, 1, "/ min",
            f"{events.spurious} in {events.seconds:.0f} s",
        ),
        Figure(
            "calibration_error", "calibration error", mean(report.calibration[chosen]), 3, "",
            frames,
        ),
    )  # fmt: skip
