"""How a stream is, in figures to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Standing:
    """Counts of a stream since it began, and how it stands with the face, in words.

    ``dropped`` frames never came through, ``late`` looks for the face took too long, ``failed``
    items raised an error.
    """

    frames: int = 0
    dropped: int = 0
    late: int = 0
    failed: int = 0
    status: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """The last second of a stream; the names of its fields are what a plot is asked for.

    ``rate`` in frames per second; latencies from capture to answer, None without an answer;
    ``not_shown`` are pictures and curves that a client should have had and did not get.
    """

    rate: float
    latency_median_ms: float | None
    latency_p99_ms: float | None
    frames: int
    dropped: int
    late: int
    failed: int
    not_shown: int
    status: str


class Pulse:
    """Turns counts, asked for now and then, into :class:`Health`."""

    def __init__(self, now: float) -> None:
        """``now`` in s, on any clock that :meth:`__call__` is given too."""
        self._then = now
        self._frames = 0

    def __call__(
        self, now: float, standing: Standing, latencies: Sequence[float], not_shown: int
    ) -> Health:
        """How it is since the last call; ``latencies`` in ms are those since then."""
        rate = (standing.frames - self._frames) / max(now - self._then, 1e-9)
        self._then, self._frames = now, standing.frames
        median, p99 = np.percentile(latencies, (50.0, 99.0)) if latencies else (None, None)
        return Health(
            rate=round(rate, 1),
            latency_median_ms=None if median is None else round(float(median), 3),
            latency_p99_ms=None if p99 is None else round(float(p99), 3),
            frames=standing.frames,
            dropped=standing.dropped,
            late=standing.late,
            failed=standing.failed,
            not_shown=not_shown,
            status=standing.status,
        )
