"""Numbers for pictures that carry none, so that a lost one leaves a gap."""

from __future__ import annotations

LEARN = 10
"""Steps from which the camera's period is known."""


class Numbering:
    """Counts frames by their stamps: a step of n periods is n frames.

    The period is followed slowly, so that a camera may change its rate. A pause of over a second,
    or a stamp that goes back, is a new beginning and no loss.
    """

    def __init__(self) -> None:
        self._number = -1
        self._stamp = 0
        self._period = 0.0
        self._steps = 0

    def __call__(self, stamp: int) -> int:
        """The number of the frame with this stamp in ns."""
        step = stamp - self._stamp
        self._stamp = stamp
        if self._number < 0 or not 0 < step < 1_000_000_000:
            self._steps = 0
            self._number += 1
            return self._number
        count = max(1, round(step / self._period)) if self._steps >= LEARN else 1
        self._steps += 1
        # The first steps count fully, the later ones little.
        self._period += (step / count - self._period) / min(self._steps, 50)
        self._number += count
        return self._number
