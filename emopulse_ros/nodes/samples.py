"""Measurements, added one by one in the stream and read beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CAPACITY = 1 << 16
"""More than five minutes at 200 a second, in 256 KB."""


class Samples:
    """The latest measurements of one kind, in milliseconds; ``count`` are all there were."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.count = 0
        self._values = np.zeros(capacity, np.float32)

    def add(self, value: float) -> None:
        """Add one; takes a fraction of a microsecond."""
        self._values[self.count % len(self._values)] = value
        self.count += 1

    def since(self, count: int) -> NDArray[np.float32]:
        """Those that came after the first ``count``, as far back as they are kept, in order."""
        now = self.count
        first = max(count, now - len(self._values), 0)
        latest: NDArray[np.float32] = self._values[np.arange(first, now) % len(self._values)]
        return latest


def percentiles(values: NDArray[np.float32], *percents: float) -> tuple[float, ...]:
    """Percentiles of measurements; NaN where there are none."""
    if len(values) == 0:
        return (float("nan"),) * len(percents)
    return tuple(float(value) for value in np.percentile(values, percents))
