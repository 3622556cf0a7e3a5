"""Calibration, thresholds and baselines on cases made by hand."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[train]'")

from emopulse_ros.detection.model import Card  # noqa: E402
from emopulse_ros.evaluation.metrics import calibration_error  # noqa: E402
from emopulse_ros.facs import CODES  # noqa: E402
from emopulse_ros.training.calibration import best_thresholds, platt  # noqa: E402
from emopulse_ros.training.scores import mean_of, result  # noqa: E402

UNITS = len(CODES)


def test_platt_undoes_overconfidence() -> None:
    random = np.random.default_rng(0)
    true = random.normal(-1.0, 1.5, (8000, UNITS))
    truth = random.random(true.shape) < 1.0 / (1.0 + np.exp(-true))
    shouted = (3.0 * true + 1.0).astype(np.float32)
    scale, shift = platt(shouted, truth)
    card = Card("test", "step", scale=scale, shift=shift)
    assert mean_of(calibration_error(truth, card.probability(shouted))) < 0.03
    assert scale == pytest.approx((1 / 3,) * UNITS, abs=0.05)


def test_the_best_threshold_separates() -> None:
    random = np.random.default_rng(1)
    truth = random.random((4000, UNITS)) < 0.1
    probability = np.where(truth, random.uniform(0.4, 0.9, truth.shape), 0.0)
    probability += np.where(truth, 0.0, random.uniform(0.0, 0.38, truth.shape))
    for threshold in best_thresholds(probability.astype(np.float32), truth):
        assert 0.37 <= threshold <= 0.41


def test_a_unit_that_never_occurs_keeps_one_half() -> None:
    nothing = np.zeros((50, UNITS), bool)
    assert best_thresholds(np.zeros((50, UNITS), np.float32), nothing) == (0.5,) * UNITS


def test_the_interval_holds_the_mean() -> None:
    random = np.random.default_rng(2)
    truth = random.random((2000, UNITS)) < 0.3
    logits = np.where(truth ^ (random.random(truth.shape) < 0.1), 4.0, -4.0).astype(np.float32)
    scored = result("test", logits, truth, [100] * 20, Card("test", "step"))
    low, high = scored.interval
    assert low < scored.mean_f1 < high
    assert high - low < 0.05
