"""A device's own clock, told in wall time."""

from __future__ import annotations

from collections import deque

WINDOW_NS = 5_000_000_000
"""How long an arrival is remembered: drift of 100 ppm moves the clocks by 0.5 ms meanwhile."""

JUMP_NS = 100_000_000
"""A difference that is no drift: one of the two clocks was set."""

FINE, COARSE = 5000, 500
"""Of a time that passes, the share (one in so many) by which stamps may be corrected meanwhile."""

COARSE_FROM_NS = 1_000_000
"""An error from which on the coarse share is corrected."""


class DeviceClock:
    """Makes wall time of device time, from pictures that say both when they were taken and came.

    A picture comes late by what exposure, link and system take, now more, now less, but never
    early. So the earliest arrivals of the last 5 s (or of another ``window``, in ns) tell how the
    two clocks differ, and stamps are true but for the shortest delay there is. They move with that
    difference slowly: the time between two stamps is the device's own within 0.02 %, within 0.2 %
    while the difference is off by more than a millisecond. Stamps never come twice and never go
    back, even when a clock is set.
    """

    def __init__(self, window: int = WINDOW_NS) -> None:
        """With a window of 0 the last arrival alone counts: for those that are exact."""
        self._window = window
        self._heard: deque[tuple[int, int]] = deque()
        """Device time and difference of arrivals, each earlier than all that came after it."""
        self._latest = 0
        self._difference: int | None = None
        self._device = self._stamp = 0

    def hear(self, device: int, arrival: int) -> None:
        """A picture of ``device`` time came at the wall time ``arrival``, both in ns."""
        difference, heard = arrival - device, self._heard
        if heard and (device <= self._latest or difference < heard[0][1] - JUMP_NS):
            # Nothing comes early: the device has begun its time anew, or wall time was set back.
            heard.clear()
            self._difference = None
        while heard and heard[-1][1] >= difference:
            heard.pop()
        heard.append((device, difference))
        while heard[0][0] < device - self._window:
            heard.popleft()
        self._latest = device

    def stamp(self, device: int) -> int:
        """The wall time in ns of a picture that has been heard of, later than all before."""
        least = self._heard[0][1]
        passed = device - self._device
        if self._difference is None or least - self._difference > JUMP_NS:
            self._difference = least
            if device + least <= self._stamp:
                self._difference = self._stamp + max(passed, 1) - device
        else:
            error = least - self._difference
            most = max(passed, 0) // (COARSE if abs(error) > COARSE_FROM_NS else FINE)
            self._difference += min(max(error, -most), most)
        self._device, self._stamp = device, device + self._difference
        return self._stamp
