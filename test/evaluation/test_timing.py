"""How a recorded run kept its pace."""

from __future__ import annotations

import numpy as np
import pytest

from emopulse_ros.evaluation.timing import timing

MS = 1_000_000
STAMPS = np.arange(200, dtype=np.int64) * 5 * MS


def test_a_run_as_it_should_be() -> None:
    told = timing(STAMPS, STAMPS + 3 * MS, np.full(200, 2.5))
    assert (told.messages, told.rate, told.jitter_ms) == (200, 200.0, 0.0)
    assert (told.gaps, told.longest_gap_ms, told.duplicates, told.out_of_order) == (0, 0.0, 0, 0)
    assert told.delay_ms == (3.0, 3.0, 3.0)
    assert told.stated_latency_ms == (2.5, 2.5, 2.5)
    assert told.figures()["rate"] == (200.0, "Hz")


def test_what_goes_wrong_is_counted() -> None:
    kept = np.delete(STAMPS, [50, 51, 52, 120])
    order = np.concatenate([kept[:80], kept[81:83], kept[80:81], kept[83:], kept[-1:]])
    told = timing(order, order + 3 * MS, np.full(len(order), np.nan))
    assert (told.gaps, told.longest_gap_ms) == (2, 20.0)
    assert (told.duplicates, told.out_of_order) == (1, 1)
    assert told.rate == 200.0
    assert np.isnan(told.stated_latency_ms[0])


def test_jitter_is_that_of_the_stamps() -> None:
    shaken = STAMPS + np.random.default_rng(0).normal(0.0, 0.2, 200) * MS
    told = timing(shaken.astype(np.int64), shaken.astype(np.int64), np.zeros(200))
    assert told.jitter_ms == pytest.approx(0.2 * np.sqrt(2.0), rel=0.15)


def test_too_few_messages_for_any_figure() -> None:
    for count in (0, 1):
        told = timing(STAMPS[:count], STAMPS[:count], np.zeros(count))
        assert told.messages == count
        assert np.isnan(told.rate)
        assert told.gaps == 0
