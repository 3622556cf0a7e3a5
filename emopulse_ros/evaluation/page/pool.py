"""Several recordings scored as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.assessment import Assessment
from emopulse_ros.evaluation.metrics import average_precision
from emopulse_ros.evaluation.pieces import together
from emopulse_ros.evaluation.report import Report
from emopulse_ros.evaluation.sure import parts
from emopulse_ros.evaluation.truth import frame_truth


def pool(assessments: Sequence[Assessment]) -> Report | None:
    """One report on all recordings of which the truth is known; None if there is none.

    Counts and events are added, and so is what the calibration error is made of. PR-AUC of a unit
    is taken of the frames of all recordings whose truth knows it.

    :raises ValueError: if the recordings come from models of different units.
    """
    if len({one.recording.codes for one in assessments if len(one.recording.stamp)}) > 1:
        raise ValueError("the recordings come from models of different action units: one by one")
    scored = [one for one in assessments if one.report is not None]
    # Without an activation there is nothing to add, nor does it know the units of its model.
    scored = [one for one in scored if len(one.recording.stamp)] or scored[:1]
    reports = [one.report for one in scored if one.report is not None]
    if len(reports) <= 1:
        return reports[0] if reports else None
    whole = together(reports)
    return Report(
        counts=whole.counts,
        reliability=whole.reliability,
        events=whole.events,
        delays_ms=whole.delays_ms,
        codes=reports[0].codes,
        frames=sum(report.frames for report in reports),
        precision=_precision(scored),
        drawn=parts(reports, [report.drawn.pieces for report in reports]),
    )


def _precision(scored: Sequence[Assessment]) -> NDArray[np.float64]:
    """PR-AUC of each unit over the frames of every recording that knows it: ``(A,) float64``."""
    codes = scored[0].recording.codes
    values = np.full(len(codes), np.nan)
    for a, code in enumerate(codes):
        true, said = [], []
        for one in scored:
            if one.truth is not None and one.truth.knows((code,))[0]:
                true.append(frame_truth(one.truth, one.recording.stamp, (code,)))
                said.append(one.recording.probability[:, a : a + 1])
        if true:
            values[a] = average_precision(np.concatenate(true), np.concatenate(said))[0]
    return values
