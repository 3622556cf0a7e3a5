from __future__ import annotations

import math

import numpy as np

from emopulse_ros.nodes.samples import Samples, percentiles


def test_the_latest_are_kept_in_order() -> None:
    samples = Samples(4)
    for value in range(6):
        samples.add(value)
    assert samples.count == 6
    assert samples.since(0).tolist() == [2.0, 3.0, 4.0, 5.0]
    assert samples.since(4).tolist() == [4.0, 5.0]
    assert samples.since(6).tolist() == []


def test_percentiles_of_nothing_are_nan() -> None:
    assert percentiles(np.arange(101, dtype=np.float32), 50.0, 99.0) == (50.0, 99.0)
    assert all(math.isnan(value) for value in percentiles(np.zeros(0, np.float32), 50.0, 99.0))
