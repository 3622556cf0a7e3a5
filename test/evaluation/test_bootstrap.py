"""Intervals keep the laws they are for."""

from __future__ import annotations

import numpy as np
import pytest

from emopulse_ros.evaluation.bootstrap import (
    calibration,
    counts,
    delay,
    draw,
    event_f1,
    false_alarms,
    figure,
    interval,
    once,
)
from emopulse_ros.evaluation.metrics import count, reliability
from emopulse_ros.evaluation.pieces import Piece, together
from emopulse_ros.evaluation.spotting import Spotting

STATISTICS = {
    "frames": lambda pieces, draws: counts(pieces, draws).f1[:, 0],
    "calibration": lambda pieces, draws: calibration(pieces, draws)[:, 0],
    "events": event_f1,
    "alarms": false_alarms,
    "delay": delay,
}


def piece(seed: int, rate: float = 3.0) -> Piece:
    """Two seconds of someone who is right now and then, with so many false alarms a minute."""
    random = np.random.default_rng(seed)
    truth = random.random((400, 2)) < 0.2
    said = np.clip(random.normal(0.3 + 0.4 * truth, 0.2), 0.0, 1.0)
    spurious, hits = int(random.poisson(rate / 30.0)), int(random.integers(3))
    return Piece(
        count(truth, said > 0.5),
        reliability(truth, said),
        Spotting(2, hits + spurious, hits, spurious, 2.0),
        np.where(random.random(2) < 0.3, np.nan, random.normal(40.0, 10.0, 2)),
    )


@pytest.mark.parametrize("name", STATISTICS)
def test_what_is_alike_everywhere_is_certain(name: str) -> None:
    statistic, same = STATISTICS[name], [piece(1, 30.0)] * 9
    whole = statistic([same[0]], once([same[0]]))
    value, low, high = figure(whole, statistic(same, draw([0] * 9)))
    assert low <= high
    assert (low, high) == pytest.approx((value, value))


@pytest.mark.parametrize("name", STATISTICS)
def test_an_interval_holds_its_figure_and_shrinks_with_more_data(name: str) -> None:
    statistic, widths = STATISTICS[name], []
    for pieces in ([piece(s) for s in range(20)], [piece(s) for s in range(320)]):
        value, low, high = figure(
            statistic(pieces, once(pieces)), statistic(pieces, draw([0] * len(pieces)))
        )
        assert low < value < high
        widths.append(high - low)
    # The width goes with the root of the number: a quarter of it for 16 times as much.
    assert 0.1 < widths[1] / widths[0] < 0.5


@pytest.mark.parametrize("name", STATISTICS)
def test_a_resample_is_the_figure_of_what_was_drawn(name: str) -> None:
    statistic, pieces = STATISTICS[name], [piece(seed) for seed in range(7)]
    draws = draw([0] * 7)[:50]
    for times, value in zip(draws, statistic(pieces, draws), strict=True):
        drawn = together([one for one, n in zip(pieces, times, strict=True) for _ in range(n)])
        assert value == pytest.approx(statistic([drawn], once([drawn]))[0], nan_ok=True)
        if name == "delay":
            assert value == np.nanmedian(drawn.delays_ms)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    held = 0
    for trial in range(100):
        pieces = [piece(1000 * trial + seed, rate=30.0) for seed in range(30)]
        ((low, high),) = interval(false_alarms(pieces, draw([0] * 30))[:, None])
        held += low <= 30.0 <= high
    assert 85 <= held <= 99


def test_draws_are_always_the_same_and_strata_keep_their_number() -> None:
    strata = ["a", "b", "a", "a", "b"]
    draws = draw(strata)
    assert np.array_equal(draws, draw(strata))
    assert draws.shape == (1000, 5)
    assert (draws[:, [0, 2, 3]].sum(axis=1) == 3).all()
    assert (draws[:, [1, 4]].sum(axis=1) == 2).all()
    assert draws.mean(axis=0) == pytest.approx(1.0, abs=0.1)


def test_what_is_nowhere_defined_has_no_interval() -> None:
    nothing = Piece(
        count(np.zeros((0, 2)), np.zeros((0, 2))),
        reliability(np.zeros((0, 2)), np.zeros((0, 2))),
        Spotting(0, 0, 0, 0, 0.0),
        np.zeros(0),
    )
    for statistic in STATISTICS.values():
        assert np.isnan(figure(statistic([nothing], once([nothing])),
                               statistic([nothing] * 9, draw([0] * 9)))).all()  # fmt: skip
