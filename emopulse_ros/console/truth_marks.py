"""The truth of a synthetic camera, looked up while it runs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.spotting import overlap
from emopulse_ros.evaluation.truth import Span, event_truth, span_of
from emopulse_ros.stream import Activation, MicroExpression
from emopulse_ros.synthesis.script import Script


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
        self._movements = sorted(script.movements, key=lambda movement: movement.onset)
        self._onsets = [movement.onset for movement in self._movements]
        self._longest = max((m.offset - m.onset for m in self._movements), default=0)
        self._spans = event_truth(script)

    def see(self, activation: Activation) -> None:
        """Learn from any activation when the script began."""
        if self.origin is None:
            self.origin = activation.stamp - round(activation.sequence * 1e9 / self._rate)

    def active(self, codes: tuple[int, ...], start: int, end: int) -> NDArray[np.bool_]:
        """Which units move at some moment from stamp ``start`` to ``end``: ``(A,) bool``."""
        marks = np.zeros(len(codes), np.bool_)
        if self.origin is None:
            return marks
        start, end = start - self.origin, end - self.origin
        first = bisect_left(self._onsets, start - self._longest)
        for movement in self._movements[first : bisect_right(self._onsets, end)]:
            if movement.offset >= start:
                for code in movement.aus:
                    if code in codes:
                        marks[codes.index(code)] = True
        return marks

    def verdict(self, event: MicroExpression) -> str:
        """How an event meets the truth: ``right`` (IoU of at least 0.5), ``loose`` or ``wrong``."""
        found, origin = span_of(event), self.origin or 0
        there = Span(found.onset - origin, found.apex - origin, found.offset - origin, found.aus)
        best = max((overlap(true, there) for true in self._spans), default=0.0)
        return "right" if best >= 0.5 else "loose" if best > 0.0 else "wrong"
