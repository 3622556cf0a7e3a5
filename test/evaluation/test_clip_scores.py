"""Clips of a data set scored one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emopulse_ros.evaluation.assessment import Assessment, Stream
from emopulse_ros.evaluation.au_string import parse_units
from emopulse_ros.evaluation.clip_scores import clip_lines, clip_scores
from emopulse_ros.evaluation.datasets.clip import Annotation, LabelledClip
from emopulse_ros.evaluation.protocol import CD6ME_CODES
from emopulse_ros.evaluation.recording import Recorder
from emopulse_ros.facs import CODES, INDEX
from emopulse_ros.stream import Activation


def clip(subject: str, units: str) -> LabelledClip:
    annotation = Annotation(1, 5, 9, parse_units(units))
    return LabelledClip("set", "set", subject, units, Path(), 200.0, 1, (annotation,), CD6ME_CODES)


def seen(*codes: int) -> Assessment:
    """A run that calls these units active on its middle frame alone."""
    recorder = Recorder()
    for frame in range(3):
        level = np.full(len(CODES), 0.1, np.float32)
        level[[INDEX[code] for code in codes if frame == 1]] = 0.9
        recorder.add(Activation(frame, frame, 1, CODES, level, level, 1.0, "", ""))
    stream = Stream(np.arange(3, dtype=np.int64), {})
    return Assessment("clip", recorder.recording(), np.zeros((3, 4), np.float32), stream, {})


def test_counts_are_pooled_over_people() -> None:
    scored = [
        (clip("a", "4"), seen(4, 12)),
        (clip("a", "12"), seen(12)),
        (clip("b", "4+7"), seen(4)),
    ]
    model, constant = clip_scores(scored)
    column = {code: k for k, code in enumerate(CD6ME_CODES)}
    assert model.f1[column[4]] == 1.0
    assert model.f1[column[12]] == pytest.approx(2 / 3)
    assert model.f1[column[7]] == 0.0
    assert np.isnan(model.f1[column[1]]), "nobody moved it, nobody said so"
    assert constant.f1[column[12]] == pytest.approx(2 / 4)
    assert "pooled over 2 people: F1 0.56" in clip_lines(scored)[0]


def test_what_the_coders_left_undecided_is_not_scored() -> None:
    model, constant = clip_scores([(clip("a", "4 + 12 or 14"), seen(4, 12))])
    column = {code: k for k, code in enumerate(CD6ME_CODES)}
    assert model.f1[column[4]] == 1.0
    assert np.isnan(model.f1[[column[12], column[14]]]).all()
    assert np.isnan(constant.f1[[column[12], column[14]]]).all()
