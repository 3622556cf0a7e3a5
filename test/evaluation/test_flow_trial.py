"""The trial of the flow stage."""

from __future__ import annotations

import re

import numpy as np
import pytest

from emopulse_ros.evaluation import flow_trial
from emopulse_ros.flow.stage import FlowStage
from emopulse_ros.pipeline import face_stage
from emopulse_ros.synthesis.portrait import PortraitScene
from emopulse_ros.synthesis.scene import filmed
from emopulse_ros.synthesis.script import MILLISECOND, SECOND, Movement, Script


def test_what_is_measured_is_what_is_true() -> None:
    """A strong smile on a still head: the flow stage's field is the scene's own."""
    smile = Movement("micro", (12,), ((0.6, 0.6),), 20 * MILLISECOND, SECOND // 4, SECOND // 2)
    scene, still = (
        PortraitScene(Script(0, SECOND, movements, np.zeros((6, 1, 3))), noise=0.5)
        for movements in ((smile,), ())
    )
    stage = FlowStage(adapts=False)
    comparison, face = flow_trial.Comparison(64), face_stage(stage.recipe, live=False)
    try:
        steps = [
            stage(crop)
            for frame in filmed(scene, SECOND // 4)
            if (crop := face.one(frame)) is not None
        ]
    finally:
        face.beside.close()
    first, last = steps[0], steps[-1]
    assert first.restarted
    assert not any(step.restarted for step in steps[1:])
    true = comparison.true_motion(scene, still, first, last)
    comparison.add(last.data[-3:-1], true)
    agreement = comparison.agreement()
    assert agreement.true > 0.2
    assert agreement.error < 0.5 * agreement.true
    assert 0.7 < agreement.gain < 1.1


def test_the_table_has_a_line_for_each_condition_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_trial, "NUMBERS", range(501, 502))
    monkeypatch.setattr(flow_trial, "CONDITIONS", (None, "jpeg"))
    monkeypatch.setattr(flow_trial, "STRENGTHS", (0.5,))
    lines: list[str] = []
    flow_trial.main([], lines.append)
    assert len(lines) == 4
    for line, name in zip(lines[1:], ("clean", "jpeg", "smile of 0.5"), strict=True):
        assert re.fullmatch(rf"portrait +{name} +0\.\d+ +0\.\d+ +[01]\.\d\d", line)
