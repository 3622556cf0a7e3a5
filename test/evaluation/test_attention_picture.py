"""Attention beside what moved."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from emopulse_ros.evaluation.attention_picture import distances, draw, strengths
from emopulse_ros.synthesis.script import Movement, Script

MS = 1_000_000
STAMPS = np.arange(200, dtype=np.int64) * 5 * MS
SCRIPT = Script(
    0,
    1000 * MS,
    (
        Movement("micro", (12,), ((0.5, 0.4),), 200 * MS, 300 * MS, 440 * MS, 40 * MS),
        Movement("blink", (45,), ((1.0, 1.0),), 600 * MS, 650 * MS, 800 * MS),
    ),
    np.zeros((6, 1, 3)),
)


def test_the_strength_is_that_of_the_expression_alone() -> None:
    moved = strengths(SCRIPT, STAMPS)
    assert moved.max() == pytest.approx(0.5)
    assert moved[STAMPS > 450 * MS].max() == 0.0


@pytest.mark.parametrize(("peak_ms", "away_ms"), [(250, 0.0), (300, 0.0), (390, 0.0), (205, 45.0)])
def test_distances_are_to_the_nearest_telling_moment(peak_ms: int, away_ms: float) -> None:
    attention = np.ones(len(STAMPS), np.float32)
    attention[peak_ms // 5] = 2.0
    near, chance = distances(SCRIPT, STAMPS, attention)
    assert near.tolist() == [away_ms], "the blink is no expression"
    assert len(chance) == 49


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    said = draw(tmp_path / "attention.png", seconds=4.0)
    assert "by chance" in said
    assert cv2.imread(str(tmp_path / "attention.png")).std() > 5.0
