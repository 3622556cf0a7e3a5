"""The truth of a synthetic camera, looked up while it runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.script_truth import truth_of
from emopulse_ros.evaluation.spotting import overlap
from emopulse_ros.evaluation.truth import Span, Truth, event_truth
from emopulse_ros.facs import INDEX
from emopulse_ros.stream import Activation, MicroExpression
from emopulse_ros.synthesis.script import Script

STEP_NS = 20_000_000
"""How finely a stretch is looked through; no movement is shorter than twice this."""


class TruthMarks:
    """Which units really moved, asked by stamp.

    The stream says when the script began: frame ``sequence`` of a synthetic camera was taken
    ``sequence / rate`` after it.
    """

    def __init__(self, script: Script, rate: float) -> None:
        self.script = script
        self._rate = rate
        self.origin: int | None = None
        """Stamp of the script's time 0; None before the first activation."""
        self._spans = event_truth(truth_of(script))

    def see(self, activation: Activation) -> None:
        """Learn from any activation when the script began."""
        if self.origin is None:
            self.origin = activation.stamp - round(activation.sequence * 1e9 / self._rate)

    def truth(self, until: int) -> Truth:
        """All that was true until a stamp."""
        return truth_of(self.script, self.origin or 0, until)

    def active(self, codes: tuple[int, ...], start: int, end: int) -> NDArray[np.bool_]:
        """Which units move at some moment from stamp ``start`` to ``end``: ``(A,) bool``."""
        if self.origin is None:
            return np.zeros(len(codes), np.bool_)
        times = (*range(start - self.origin, end - self.origin, STEP_NS), end - self.origin)
        moved = np.any([self.script.active(time) for time in times], axis=0)
        return np.array([code in INDEX and bool(moved[INDEX[code]]) for code in codes], np.bool_)

    def verdict(self, event: MicroExpression) -> str:
        """How an event meets the truth: ``right`` (IoU of at least 0.5), ``loose`` or ``wrong``."""
        origin = self.origin or 0
        if self.script.repeats:
            origin += (event.onset - origin) // self.script.duration * self.script.duration
        there = Span(event.onset - origin, event.apex - origin, event.offset - origin, event.aus)
        best = max((overlap(true, there) for true in self._spans), default=0.0)
        return "right" if best >= 0.5 else "loose" if best > 0.0 else "wrong"
