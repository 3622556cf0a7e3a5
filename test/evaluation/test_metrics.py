"""Frame scores, by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from emopulse_ros.evaluation.metrics import average_precision, calibration_error, count


def test_counts_and_f1_by_hand() -> None:
    truth = np.array([[1, 0], [1, 0], [0, 0], [0, 0]], bool)
    said = np.array([[1, 0], [0, 0], [1, 0], [0, 0]], bool)
    counts = count(truth, said)
    assert (counts.tp[0], counts.fp[0], counts.fn[0], counts.tn[0]) == (1, 1, 1, 1)
    assert counts.f1[0] == counts.macro_f1[0] == counts.precision[0] == counts.recall[0] == 0.5
    # Neither a positive nor an alarm: there is nothing to score.
    assert np.isnan(counts.f1[1])


def test_folds_are_pooled_not_averaged() -> None:
    good = count(np.ones((90, 1), bool), np.ones((90, 1), bool))
    bad = count(np.ones((10, 1), bool), np.zeros((10, 1), bool))
    assert (good + bad).f1[0] == pytest.approx(2 * 90 / (2 * 90 + 10))


def test_scores_of_different_frames_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(3, 2\) and \(4, 2\)"):
        count(np.zeros((3, 2), bool), np.zeros((4, 2), bool))


def test_average_precision_by_hand() -> None:
    truth = np.array([[1], [0], [1], [0]], bool)
    assert average_precision(truth, [[0.9], [0.8], [0.7], [0.1]])[0] == pytest.approx(
        0.5 * 1.0 + 0.5 * 2 / 3
    )
    # A constant score knows nothing: its precision is the rate of positives.
    assert average_precision(truth, np.full((4, 1), 0.3))[0] == pytest.approx(0.5)
    assert np.isnan(average_precision(np.zeros((4, 1), bool), np.zeros((4, 1)))[0])


def test_calibration_error_by_hand() -> None:
    truth = np.array([[1], [1], [0], [0]], bool)
    assert calibration_error(truth, [[1.0], [1.0], [0.0], [0.0]])[0] == 0.0
    assert calibration_error(truth, np.full((4, 1), 0.5))[0] == 0.0
    assert calibration_error(truth, np.full((4, 1), 0.9))[0] == pytest.approx(0.4)
    assert np.isnan(calibration_error(np.zeros((0, 1), bool), np.zeros((0, 1)))[0])


def test_scores_agree_with_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    random = np.random.default_rng(0)
    truth = random.random((500, 6)) < np.linspace(0.02, 0.6, 6)
    # Rounded, so that many scores are equal.
    score = np.round(np.clip(random.normal(0.3 + 0.3 * truth, 0.2), 0, 1), 2)
    counts = count(truth, score >= 0.5)
    precision = average_precision(truth, score)
    for a in range(6):
        true, said = truth[:, a], score[:, a] >= 0.5
        assert counts.f1[a] == pytest.approx(sklearn.f1_score(true, said))
        assert counts.macro_f1[a] == pytest.approx(sklearn.f1_score(true, said, average="macro"))
        assert counts.precision[a] == pytest.approx(sklearn.precision_score(true, said))
        assert counts.recall[a] == pytest.approx(sklearn.recall_score(true, said))
        assert precision[a] == pytest.approx(sklearn.average_precision_score(true, score[:, a]))


def test_macro_f1_weighs_both_sides_alike() -> None:
    truth = np.array([[1], [0], [0], [0], [0]], bool)
    said = np.array([[1], [1], [0], [0], [0]], bool)
    # "Active" is right once of two alarms (F1 2/3), "not active" three times of four (6/7).
    counts = count(truth, said)
    assert counts.f1[0] == pytest.approx(2 / 3)
    assert counts.macro_f1[0] == pytest.approx((2 / 3 + 6 / 7) / 2)


def test_equal_scores_pass_the_threshold_together() -> None:
    truth = np.array([[0], [1], [1]], bool)
    # Whatever their order: first two of three at once, one of them right, then the third.
    assert average_precision(truth, [[0.8], [0.8], [0.4]])[0] == pytest.approx(
        0.5 * 1 / 2 + 0.5 * 2 / 3
    )
