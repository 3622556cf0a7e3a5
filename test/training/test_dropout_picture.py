"""The figure of what dropout hides."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

from emopulse_ros.training.dropout_picture import Trained, draw, read_run


def run(folder: Path, dropout: float, f1: float) -> Path:
    folder.mkdir()
    told = {"f1": {"Tiny-I3D": f1}, "identity": {"accuracy": 0.2, "chance": 0.05}}
    (folder / "scores.json").write_text(json.dumps(told))
    (folder / "model-card.md").write_text(f"- Spatial dropout {dropout:g}, seed 1, 4 steps\n")
    return folder


def test_runs_are_read_and_drawn(tmp_path: Path) -> None:
    runs = [read_run(run(tmp_path / str(k), k / 2, 0.4 - 0.1 * k)) for k in range(2)]
    assert runs == [Trained(0.0, 0.4, 0.2, 0.05), Trained(0.5, 0.30000000000000004, 0.2, 0.05)]
    draw(tmp_path / "dropout.png", runs)
    picture = cv2.imread(str(tmp_path / "dropout.png"))
    assert picture.std() > 5.0


def test_a_run_that_was_not_probed_is_told(tmp_path: Path) -> None:
    folder = run(tmp_path / "run", 0.5, 0.3)
    (folder / "scores.json").write_text('{"f1": {"Tiny-I3D": 0.3}, "identity": null}')
    with pytest.raises(ValueError, match="nobody was probed"):
        read_run(folder)
