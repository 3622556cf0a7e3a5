"""Event-level scores: which micro-expressions were found, how soon, and what was found for nothing.

The protocol is that of the MEGC spotting challenge: a found event is a true one if the two
overlap by at least half of what they cover together (IoU 0.5), one to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emopulse_ros.evaluation.truth import Span


def overlap(one: Span, other: Span) -> float:
    """Intersection over union of two spans, onset to offset, 0 to 1."""
    common = min(one.offset, other.offset) - max(one.onset, other.onset)
    covered = max(one.offset, other.offset) - min(one.onset, other.onset)
    return max(0.0, common / covered) if covered > 0 else 0.0


def match(truth: Sequence[Span], found: Sequence[Span], iou: float = 0.5) -> list[tuple[int, int]]:
    """Pair true events with found ones, best overlap first: ``(index of true, of found)``."""
    pairs = [
        (value, i, j)
        for i, true in enumerate(truth)
        for j, said in enumerate(found)
        if (value := overlap(true, said)) >= iou
    ]
    taken: dict[int, int] = {}
    for _, i, j in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if i not in taken and j not in taken.values():
            taken[i] = j
    return sorted(taken.items())


@dataclass(frozen=True, slots=True)
class Spotting:
    """Events found and missed; those of several recordings are added.

    ``hits`` of ``true`` events were found among ``found``; ``spurious`` of the found ones touch no
    true event at all, in ``seconds`` of recording. ``unit_hits`` of the ``unit_pairs`` units named
    by either side of a hit were named by both.
    """

    true: int
    found: int
    hits: int
    spurious: int
    seconds: float
    unit_hits: int = 0
    unit_pairs: int = 0

    def __add__(self, other: Spotting) -> Spotting:
        """Both recordings together."""
        return Spotting(
            self.true + other.true,
            self.found + other.found,
            self.hits + other.hits,
            self.spurious + other.spurious,
            self.seconds + other.seconds,
            self.unit_hits + other.unit_hits,
            self.unit_pairs + other.unit_pairs,
        )

    @property
    def f1(self) -> float:
        """2 hits / (true + found); NaN if there is neither."""
        total = self.true + self.found
        return 2.0 * self.hits / total if total else float("nan")

    @property
    def false_alarms_per_minute(self) -> float:
        """Found events that touch no true one, per minute; NaN without any time."""
        return 60.0 * self.spurious / self.seconds if self.seconds > 0.0 else float("nan")

    @property
    def unit_agreement(self) -> float:
        """Jaccard index of the units of matched events, pooled; NaN without a match."""
        return self.unit_hits / self.unit_pairs if self.unit_pairs else float("nan")


def spotting(
    truth: Sequence[Span], found: Sequence[Span], seconds: float, iou: float = 0.5
) -> Spotting:
    """Score the events found in ``seconds`` of one recording."""
    pairs = match(truth, found, iou)
    return Spotting(
        true=len(truth),
        found=len(found),
        hits=len(pairs),
        spurious=sum(all(overlap(true, said) == 0.0 for true in truth) for said in found),
        seconds=seconds,
        unit_hits=sum(len(set(truth[i].aus) & set(found[j].aus)) for i, j in pairs),
        unit_pairs=sum(len(set(truth[i].aus) | set(found[j].aus)) for i, j in pairs),
    )


def alarm_delays(
    truth: Sequence[Span],
    stamps: ArrayLike,
    alarmed: ArrayLike,
    codes: tuple[int, ...],
    late: int = 100_000_000,
) -> NDArray[np.float64]:
    """Milliseconds from each true onset to the first frame that calls one of its units active.

    ``alarmed`` is ``(N, A) bool`` with a column for each code. NaN where there is no such frame
    until ``late`` ns after the offset. A unit that was already called active before the onset gives
    no credit until it has been off: its alarm was about something else.
    """
    times, called = np.asarray(stamps, np.int64), np.asarray(alarmed, np.bool_)
    rises = called.copy()
    rises[1:] &= ~called[:-1]
    delays = np.full(len(truth), np.nan)
    for index, true in enumerate(truth):
        columns = [codes.index(code) for code in true.aus if code in codes]
        within = (times >= true.onset) & (times <= true.offset + late)
        hits = np.flatnonzero(within & rises[:, columns].any(axis=1))
        if hits.size:
            delays[index] = (times[hits[0]] - true.onset) / 1e6
    return delays
