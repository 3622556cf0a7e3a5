"""What a training run is made of: what is refused, and what the shipped files say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from emopulse_ros.training.configuration import (
    Configuration,
    ConfigurationError,
    read_configuration,
)

CONFIG = Path(__file__).parents[2] / "config" / "training"
HOW = ("dropout", "masks", "attention", "baseline")
"""What may differ from a reference, besides sources and flow; nothing hidden needs one mask."""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("optimisation: {speed: 9}", "nobody knows speed"),
        ("colour: red", "nobody knows colour"),
        ("optimisation: {steps: soon}", "must be a number"),
        ("optimisation: {steps: 1.5}", "whole number"),
        ("optimisation: {look_every: 0}", "optimisation: look_every must be at least 1"),
        ("optimisation: {frames: 400}", "frames must be from 17 to 270, not 400"),
        ("clips: 7", "must be a mapping"),
        ("- 1", "must hold a mapping"),
        ("a: [", "is no YAML"),
    ],
)
def test_a_configuration_that_cannot_be_followed(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "training.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        read_configuration(path)
    assert "training.yaml" in str(caught.value)


def test_the_shipped_configuration_is_the_default() -> None:
    path = CONFIG / "first-cycle.yaml"
    assert read_configuration(path) == Configuration()


@pytest.mark.parametrize(
    ("folder", "least"), [("ablations", 6), ("baselines", 2), ("baselines/from-scratch", 1)]
)
def test_what_is_compared_changes_one_thing_of_its_reference(folder: str, least: int) -> None:
    files = sorted((CONFIG / folder).glob("*.yaml"))
    plans = {path.stem: read_configuration(path) for path in files}
    reference = plans.pop("reference")
    assert len(plans) >= least
    for name, plan in plans.items():
        assert plan.name == name
        how = {name: getattr(reference.optimisation, name) for name in HOW}
        alike = replace(
            plan,
            name=reference.name,
            sources=reference.sources,
            flow=reference.flow,
            optimisation=replace(plan.optimisation, **how),
        )
        assert alike == reference
        assert plan != replace(reference, name=name)
