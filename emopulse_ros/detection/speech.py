"""Whether a mouth speaks: it moves again before it has rested."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.facs import DRAWN_ALONG, MOUTH

MOVED = MOUTH | DRAWN_ALONG
"""The units that a speaking mouth moves."""

BEFORE = 500_000_000
"""How long before a movement a mouth is looked at, in ns, to know whether it came out of speech;"""

CLEAR = 25_000_000
"""how long of that does not count, ns, for the movement itself may have begun;"""

AT_WORK = 1.0
"""and how many mouth units are active on average then in a mouth that speaks. Chosen, as the time,
on synthetic clips: with 0.8 to 1.1 and 300 to 800 ms false alarms are half, and hits as many."""


class Mouth:
    """Follows the runs of one face's mouth units.

    ``rest`` is how long, in ns, a mouth is still between two expressions at least; with 0 no unit
    counts as one of the mouth, and it never speaks. A run counts from ``shortest`` to ``longest``
    ns: what is briefer is noise, and a mouth that holds still for longer does not speak. While it
    speaks, ``spoken`` units are moved by that, the skin it draws along included: only the brows
    are not.
    """

    def __init__(self, codes: tuple[int, ...], rest: int, shortest: int, longest: int) -> None:
        self.units = np.array([code in MOUTH and rest > 0 for code in codes], np.bool_)
        self.spoken = np.array([code in MOVED and rest > 0 for code in codes], np.bool_)
        self.speaking = False
        self._rest = rest
        self._shortest, self._longest = shortest, longest
        self._moves = False
        self._moved: int | None = None  # Stamp of the last frame on which it moved.

    def listen(
        self,
        now: int,
        running: NDArray[np.bool_],
        start: NDArray[np.int64],
        last: NDArray[np.int64],
    ) -> bool:
        """Take the runs at stamp ``now``, ``(A,)`` each; return whether it moves anew and speaks.

        ``start`` and ``last`` are the stamps at which each run began and was last seen.
        """
        length = last - start
        counted = self.units & running & (length >= self._shortest) & (length <= self._longest)
        moves, rested = bool(counted.any()), self.has_rested(now)
        anew = moves and not self._moves and not rested
        self.speaking = anew or (self.speaking and not rested)
        if moves:
            self._moved = int(last[counted].max())
        self._moves = moves
        return anew

    def was_at_work(self, probability: NDArray[np.float32]) -> bool:
        """Whether it spoke in a stretch of probabilities ``(N, A)``."""
        return bool(probability[:, self.units].mean(axis=0).sum() > AT_WORK)

    def has_rested(self, now: int) -> bool:
        """Whether the mouth has not moved for as long as it rests between two expressions."""
        return self._moved is None or now - self._moved > self._rest

    def made(self, aus: tuple[int, ...]) -> bool:
        """Whether a mouth makes these units: some are its own, the others of what goes with it."""
        own, moved = not MOUTH.isdisjoint(aus), MOVED.issuperset(aus)
        return bool(self.units.any()) and own and moved
