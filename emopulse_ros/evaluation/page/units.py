"""The table of action units: what each of them scored, in one recording or in several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.assessment import Assessment
from emopulse_ros.evaluation.report import Report
from emopulse_ros.facs import INDEX, unit


class UnitRow(NamedTuple):
    """One unit; scores are NaN where they are undefined or nothing is known of the unit.

    ``frames_true`` are those in which it moved (None where unknown), ``frames_active`` those in
    which the model said so: its probability reached ``threshold``. From ``frame_f1_low`` to
    ``frame_f1_high`` goes the 95% interval.
    """

    au: str
    name: str
    threshold: float
    frames_true: int | None
    frames_active: int
    frame_f1: float
    frame_f1_low: float
    frame_f1_high: float
    macro_f1: float
    precision: float
    recall: float
    pr_auc: float
    calibration_error: float


def unit_rows(assessments: Sequence[Assessment], report: Report | None) -> list[UnitRow]:
    """A row for each unit of recordings of one model; ``report`` is theirs together, if any."""
    filled = [one for one in assessments if len(one.recording.stamp)] or list(assessments[:1])
    if not filled:
        return []
    codes, thresholds = filled[0].recording.codes, filled[0].thresholds
    active = np.sum([one.recording.alarms(thresholds).sum(axis=0) for one in filled], axis=0)
    scores: list[NDArray[np.float64]] = [np.full(len(codes), np.nan)] * 9
    if report is not None:
        counts = report.counts
        scores = [
            np.where(report.known, values, np.nan)
            for values in (
                counts.tp + counts.fn, counts.f1, *report.sure.unit_f1_interval.T, counts.macro_f1,
                counts.precision, counts.recall, report.precision, report.calibration,
            )
        ]  # fmt: skip
    return [
        UnitRow(
            label(code),
            unit(code).name if code in INDEX else "",
            float(thresholds.get(code, 0.5)),
            None if np.isnan(scores[0][a]) else int(scores[0][a]),
            int(active[a]),
            *(float(values[a]) for values in scores[1:]),
        )
        for a, code in enumerate(codes)
    ]


def label(code: int) -> str:
    """The name people write, of a unit we do not know too: ``AU04``."""
    return f"AU{code:02d}"


def labels(codes: Sequence[int]) -> str:
    """Several units in a row: ``AU01 + AU12``."""
    return " + ".join(map(label, codes))
