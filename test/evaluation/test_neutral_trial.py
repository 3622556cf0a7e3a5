"""The trial of the neutral face."""

from __future__ import annotations

import re

import pytest

from emopulse_ros.evaluation import neutral_trial
from emopulse_ros.pipeline import open_engine
from emopulse_ros.synthesis.habits import MICRO, write_script
from emopulse_ros.synthesis.script import SECOND


def test_a_face_that_smiles_at_first_does_nothing_else_meanwhile() -> None:
    script = neutral_trial.smiling(write_script(3, 8 * SECOND, MICRO))
    smile, *others = script.movements
    assert smile.aus == neutral_trial.SMILE
    assert smile.apex + smile.hold > neutral_trial.UNSEEN, "it is first seen smiling"
    assert all(one.onset > smile.offset for one in others)


def test_both_tables_have_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neutral_trial, "SEEDS", range(7_100_001, 7_100_002))
    monkeypatch.setattr(neutral_trial, "LENGTH", 8 * SECOND)
    engine = open_engine()
    line = neutral_trial.begun(engine, "smiling", adapts=True)
    assert re.fullmatch(r"smiling +adapts +0\.\d\d +[01]\.\d\d +\d+\.\d", line)
    assert neutral_trial.held(engine, 1_000, known=False, adapts=False) > 0.5
