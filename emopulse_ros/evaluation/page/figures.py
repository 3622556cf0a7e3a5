"""The key figures of a report, as they are shown: what is read first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emopulse_ros.evaluation.bootstrap import Figure
from emopulse_ros.evaluation.metrics import mean
from emopulse_ros.evaluation.report import Report, number
from emopulse_ros.evaluation.sure import FEWEST

NAN = float("nan")


class KeyFigure(NamedTuple):
    """A figure under its name, and of how much it was taken; ``bounded`` if it has an interval.

    One that has may be of too little to say where it lies: NaN.
    """

    key: str
    name: str
    figure: Figure
    digits: int
    unit: str
    taken_of: str
    bounded: bool = True


def figures(report: Report) -> tuple[KeyFigure, ...]:
    """The key figures, in the order in which they are shown.

    Those of frames are means over the expressive units, the blink left out.
    """
    chosen, events, sure = report.expressive, report.events, report.sure
    seen = np.count_nonzero(~np.isnan(report.delays_ms))
    frames = f"{report.frames} frames, {(chosen & report.known).sum()} units"
    precision = Figure(mean(report.precision[chosen]), NAN, NAN)
    return (
        KeyFigure("frame_f1", "frame F1", sure.frame_f1, 2, "", frames),
        KeyFigure("macro_f1", "macro F1", sure.macro_f1, 2, "", frames),
        KeyFigure("pr_auc", "PR-AUC", precision, 2, "", frames, bounded=False),
        KeyFigure(
            "event_f1", "event F1, IoU 0.5", sure.event_f1, 2, "",
            f"{events.true} true, {events.found} found, {events.hits} right",
        ),
        KeyFigure(
            "onset_to_alarm_ms", "onset to first alarm", sure.delay_ms, 0, "ms",
            f"median of {seen} of {events.true} events",
        ),
        KeyFigure(
            "false_alarms_per_minute", "false alarms", sure.false_alarms, 1, "/ min",
            f"{events.spurious} in {events.seconds:.0f} s",
        ),
        KeyFigure("calibration_error", "calibration error", sure.calibration, 3, "", frames),
    )  # fmt: skip


def ranged(low: float, high: float, digits: int) -> str:
    """An interval as text, a dash where there is none."""
    return "-" if np.isnan(low) else f"{number(low, digits)} to {number(high, digits)}"


def how_sure(report: Report) -> str:
    """How the intervals were found, why so, and what they do not tell."""
    drawn, pieces = report.drawn, len(report.drawn.pieces)
    if drawn.what == "stretch" and pieces < FEWEST:
        return (
            f"No 95% intervals: the bootstrap takes {FEWEST} stretches of 2 s, and "
            f"{'this is' if pieces == 1 else 'these are'} {pieces}."
        )
    if drawn.what == "recording":
        drew = f"{pieces} whole recordings, for what is in one of them is alike"
    else:
        few = len(set(drawn.strata)) > 1
        drew = (
            f"{pieces} stretches of 2 s{f' of fewer than {FEWEST} recordings' if few else ''}, for "
            "frames close to each other are alike; of other faces they say nothing"
        )
    return (
        f"Ranges are 95% intervals by bootstrap over {drew}. A dash: fewer than {FEWEST} of these "
        "have anything to count; PR-AUC has no interval."
    )
