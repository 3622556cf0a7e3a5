"""Labels before it is known which frames they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.truth import Kind, Label, Truth
from emopulse_ros.facs import in_order

Unit = Literal["s", "frame", "ns"]
"""Of a time: seconds since the first frame, frames since the first one (which is 0), or the capture
stamp itself in ns."""


class LabelError(ValueError):
    """Ground truth that cannot be read; its text is one sentence that says where and what."""


@dataclass(frozen=True, slots=True)
class Timed:
    """One label; ``apex`` is None where nobody said when it was."""

    onset: float
    apex: float | None
    offset: float
    aus: tuple[int, ...]
    kind: Kind = "expression"


@dataclass(frozen=True, slots=True)
class TimedLabels:
    """All labels of one source, their times in ``unit``; ``codes`` as :class:`Truth` has them."""

    source: str
    unit: Unit
    labels: tuple[Timed, ...]
    codes: tuple[int, ...] | None = None

    def __call__(self, stamps: NDArray[np.int64]) -> Truth:
        """The truth of a recording whose frames have these stamps, ``(F,) int64`` in ns.

        :raises LabelError: if a label names a frame that the recording does not have.
        """
        return Truth(
            tuple(
                sorted(
                    (self._placed(label, stamps) for label in self.labels),
                    key=lambda label: (label.onset, label.offset),
                )
            ),
            self.codes,
        )

    def _placed(self, label: Timed, stamps: NDArray[np.int64]) -> Label:
        onset, offset = self._stamp(label.onset, stamps), self._stamp(label.offset, stamps)
        apex = (onset + offset) // 2 if label.apex is None else self._stamp(label.apex, stamps)
        return Label(onset, apex, offset, in_order(label.aus), label.kind)

    def _stamp(self, time: float, stamps: NDArray[np.int64]) -> int:
        if self.unit == "ns":
            return int(time)
        if self.unit == "s":
            return (int(stamps[0]) if len(stamps) else 0) + round(time * 1e9)
        if not 0 <= time < len(stamps):
            raise LabelError(
                f"{self.source} labels frame {time:.0f}, but the recording has {len(stamps)} "
                "frames, counted from 0: do the two belong together?"
            )
        return int(stamps[int(time)])
