"""How a recorded run kept its pace: stamps of its messages against the times they were received."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.bag.file import Received
from emopulse_ros.bag.messages import from_time


@dataclass(frozen=True, slots=True)
class Timing:
    """Figures of one stream of stamped messages; NaN where there are too few.

    ``rate`` is in messages a second, by the median interval of the stamps, ``jitter_ms`` the
    standard deviation of those intervals that are no gap. ``gaps`` counts intervals of more than
    one and a half times the median, ``longest_gap_ms`` is the longest; ``duplicates`` are stamps
    that came before, ``out_of_order`` those that are older than one before them. ``delay_ms`` is
    from stamp to receiving, median, p99 and largest; only where both are on one clock does it say
    how late a message was.
    """

    messages: int
    rate: float
    jitter_ms: float
    gaps: int
    longest_gap_ms: float
    duplicates: int
    out_of_order: int
    delay_ms: tuple[float, float, float]
    stated_latency_ms: tuple[float, float, float]
    """As the messages themselves say, from capture to publish: median, p99 and largest."""

    def figures(self) -> dict[str, tuple[float, str]]:
        """Each figure by its name in words, with its unit."""
        named = zip(
            ("median", "p99", "largest"), self.delay_ms, self.stated_latency_ms, strict=True
        )
        rows = {
            "messages": (float(self.messages), ""),
            "rate": (self.rate, "Hz"),
            "jitter": (self.jitter_ms, "ms"),
            "gaps": (float(self.gaps), ""),
            "longest gap": (self.longest_gap_ms, "ms"),
            "duplicates": (float(self.duplicates), ""),
            "out of order": (float(self.out_of_order), ""),
        }
        for name, delay, stated in named:
            rows[f"stamp to recording, {name}"] = (delay, "ms")
            rows[f"capture to publish as stated, {name}"] = (stated, "ms")
        return rows


def timing(
    stamps: NDArray[np.int64], received: NDArray[np.int64], stated_ms: NDArray[np.float64]
) -> Timing:
    """Figures of messages in the order in which they were received; all ``(N,)``, times in ns."""
    fresh = np.unique(stamps)
    steps = np.diff(fresh) / 1e6
    usual = float(np.median(steps)) if steps.size else float("nan")
    is_gap = gaps(steps)
    newest = np.maximum.accumulate(stamps) if stamps.size else stamps
    return Timing(
        messages=len(stamps),
        rate=1e3 / usual if usual > 0.0 else float("nan"),
        jitter_ms=float(np.std(steps[~is_gap])) if steps.size else float("nan"),
        gaps=int(is_gap.sum()),
        longest_gap_ms=float(steps[is_gap].max()) if is_gap.any() else 0.0,
        duplicates=len(stamps) - len(fresh),
        out_of_order=int((stamps[1:] < newest[:-1]).sum()),
        delay_ms=_spread((received - stamps) / 1e6),
        stated_latency_ms=_spread(stated_ms),
    )


def gaps(steps: NDArray[Any]) -> NDArray[np.bool_]:
    """Which intervals lack a message or more: those over one and a half times the median."""
    if not steps.size:
        return np.zeros(0, np.bool_)
    wide: NDArray[np.bool_] = steps > 1.5 * np.median(steps)
    return wide


class RecordedTiming:
    """Listens to ``AUActivation`` while a bag is read; ``figures`` are those of each topic."""

    def __init__(self) -> None:
        self._columns: dict[str, tuple[array[int], array[int], array[float]]] = {}

    def hear(self, received: Received) -> None:
        """Take a message."""
        topic, time, message = received
        stamps, times, stated = self._columns.setdefault(
            topic, (array("q"), array("q"), array("d"))
        )
        stamps.append(from_time(message.header.stamp))
        times.append(time)
        stated.append(float(message.latency_ms))

    @property
    def figures(self) -> dict[str, Timing]:
        """How the messages on each topic came."""
        return {
            topic: timing(np.array(stamps), np.array(times), np.array(stated))
            for topic, (stamps, times, stated) in sorted(self._columns.items())
        }


def _spread(values: NDArray[np.float64]) -> tuple[float, float, float]:
    known = values[np.isfinite(values)]
    if not known.size:
        return (float("nan"),) * 3
    median, p99, largest = np.percentile(known, (50.0, 99.0, 100.0))
    return float(median), float(p99), float(largest)
