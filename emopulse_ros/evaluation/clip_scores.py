"""Clips of a data set scored as the field does: did a unit take part in a clip, or not?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emopulse_ros.evaluation.assessment import Assessment
from emopulse_ros.evaluation.datasets.clip import LabelledClip
from emopulse_ros.evaluation.metrics import Counts
from emopulse_ros.evaluation.protocol import (
    CD6ME_CODES,
    PooledScores,
    always_active,
    count_known,
    person,
    pooled_scores,
)
from emopulse_ros.evaluation.report import number

Scored = tuple[LabelledClip, Assessment]


def clip_scores(scored: Sequence[Scored]) -> tuple[PooledScores, PooledScores]:
    """The model's scores and those of the constant "always active", over CD6ME's units.

    A unit is said to take part where any frame of the clip calls it active. Counts are pooled over
    people, each of whom is a fold; the model was trained on none of them.
    """
    model, constant = [], []
    for who in sorted({person(clip) for clip, _ in scored}):
        counts = [_counts(clip, seen) for clip, seen in scored if person(clip) == who]
        model += [of_model for of_model, _ in counts]
        constant += [of_constant for _, of_constant in counts]
    return pooled_scores(CD6ME_CODES, model), pooled_scores(CD6ME_CODES, constant)


def clip_lines(scored: Sequence[Scored]) -> list[str]:
    """The same in a line a person reads."""
    model, constant = clip_scores(scored)
    people = len({person(clip) for clip, _ in scored})
    return [
        f"clip by clip, CD6ME's {len(CD6ME_CODES)} units, pooled over {people} people: "
        f"F1 {number(model.mean_f1)}, macro {number(model.mean_macro_f1)} "
        f"(always active: F1 {number(constant.mean_f1)})"
    ]


def _counts(clip: LabelledClip, seen: Assessment) -> tuple[Counts, Counts]:
    alarms = np.atleast_1d(seen.recording.alarms(seen.thresholds).any(axis=0))
    columns = {code: alarms[k] for k, code in enumerate(seen.recording.codes)}
    said = np.array([[bool(columns.get(code, False)) for code in CD6ME_CODES]])
    true, known = clip.shows(CD6ME_CODES)[None], clip.truth.knows(CD6ME_CODES)[None]
    return count_known(true, said, known), always_active(true, known)
