"""The kernel's stamps, on its monotonic clock, as wall time: also when that is set meanwhile."""

from __future__ import annotations

import time
from pathlib import Path

from emopulse_ros.camera.clock import DeviceClock
from emopulse_ros.camera.v4l2.calls import BUFFER_CLOCK, BUFFER_MONOTONIC
from emopulse_ros.camera.v4l2.layouts import Buffer

AHEAD_NS = 100_000_000
"""By how much a stamp may lie in the future before it is not believed."""

SET_NS = 1_000_000
"""The two clocks run alike. If they differ by so much more or less than before, a reading was held
up between them, or wall time was set."""

TOLD_NS = 100_000_000
"""A setting of the wall clock that is worth a word."""


class Stamps:
    """Says when pictures were taken. What is to be told is added to ``remarks``.

    Wall time that is set forward is followed at once. Set back, it is not: no stamp comes twice or
    goes back, so that they go on from where they were and lose 0.2 % until both are one again.
    """

    def __init__(self, path: Path, remarks: list[str]) -> None:
        self._path = path
        self._remarks = remarks
        self._clock = DeviceClock(window=0)
        self._wall = _wall_time_of_monotonic()
        self._is_believed = True
        self._taken = self._stamp = 0

    def __call__(self, buffer: Buffer) -> int:
        """When the picture in a buffer was taken, wall time in ns; the last stamp again, if the
        driver stamps it no later than the last one."""
        taken = self._monotonic(buffer)
        if taken > self._taken:
            if abs(time.time_ns() - time.monotonic_ns() - self._wall) > SET_NS:
                self._set()
            self._clock.hear(taken, taken + self._wall)
            self._taken, self._stamp = taken, self._clock.stamp(taken)
        return self._stamp

    def _monotonic(self, buffer: Buffer) -> int:
        now = time.monotonic_ns()
        taken: int = buffer.timestamp.seconds * 1_000_000_000 + buffer.timestamp.microseconds * 1000
        if self._is_believed and (
            buffer.flags & BUFFER_CLOCK != BUFFER_MONOTONIC or not 0 < taken < now + AHEAD_NS
        ):
            self._is_believed = False
            self._remarks.append(
                f"{self._path} does not stamp its pictures by the monotonic clock: the time of "
                "their arrival is taken, which is later and less even."
            )
        return taken if self._is_believed else now

    def _set(self) -> None:
        """Look whether wall time was set, and go by it."""
        wall = _wall_time_of_monotonic()
        by, self._wall = wall - self._wall, wall
        if by > TOLD_NS:
            self._remarks.append(
                f"The clock of this machine was set forward by {by / 1e9:.3f} s, and the stamps of "
                f"{self._path} with it."
            )
        elif by < -TOLD_NS:
            self._remarks.append(
                f"The clock of this machine was set back by {-by / 1e9:.3f} s. The stamps of "
                f"{self._path} never go back: they stay ahead, by 2 ms less each second. "
                "Deactivate its node and activate it again to have the new time at once."
            )


def _wall_time_of_monotonic() -> int:
    """Wall time in ns when the monotonic clock was 0; the closest of some readings."""
    readings = []
    for _ in range(5):
        before, wall, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        readings.append((after - before, wall - (before + after) // 2))
    return min(readings)[1]
