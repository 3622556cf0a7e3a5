"""What really happened, from the script that moved a synthetic face.

The script's time 0 falls on stamp ``origin`` of the stream: 0 for a camera read as it is, the
moment it was started for one that is paced.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.facs import BLINK, CODES, INDEX
from emopulse_ros.stream import MicroExpression
from emopulse_ros.synthesis.script import Script

LONGEST = 500_000_000
"""A facial expression longer than this, in ns, is no micro-expression (Yan et al., 2013)."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch in which units moved: stamps in ns, FACS codes in the order of the list."""

    onset: int
    apex: int
    offset: int
    aus: tuple[int, ...]


def span_of(event: MicroExpression) -> Span:
    """The stretch of an event that was found, for comparison with the truth."""
    return Span(event.onset, event.apex, event.offset, event.aus)


def frame_truth(
    script: Script,
    stamps: Sequence[int] | NDArray[np.int64],
    codes: tuple[int, ...] = CODES,
    origin: int = 0,
) -> NDArray[np.bool_]:
    """Which units are between onset and offset at each stamp: ``(N, len(codes)) bool``.

    A code that no script knows is never active.
    """
    times = np.asarray(stamps, np.int64) - origin
    if script.repeats:
        times %= script.duration
    truth = np.zeros((len(times), len(codes)), np.bool_)
    for movement in script.movements:
        within = (times >= movement.onset) & (times <= movement.offset)
        for code in movement.aus:
            if code in codes:
                truth[within, codes.index(code)] = True
    return truth


def event_truth(script: Script, origin: int = 0) -> tuple[Span, ...]:
    """The micro-expressions of a script, in order; of one that repeats, those of its first round.

    As in the event stage, movements that overlap in time are one, blinks and speech are none, and
    what lasts longer than 500 ms is a macro-expression.
    """
    expressions = merge(
        Span(
            origin + movement.onset,
            origin + movement.apex,
            origin + movement.offset,
            tuple(code for code in movement.aus if code != BLINK),
        )
        for movement in script.movements
        if movement.kind not in ("blink", "speech")
    )
    return tuple(span for span in expressions if span.offset - span.onset <= LONGEST)


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Join spans that overlap or touch; the apex is that of the longest one joined."""
    groups: list[list[Span]] = []
    end = 0
    for span in sorted(spans, key=lambda span: (span.onset, span.offset)):
        if groups and span.onset <= end:
            groups[-1].append(span)
            end = max(end, span.offset)
        else:
            groups.append([span])
            end = span.offset
    return tuple(_join(group) for group in groups)


def _join(group: list[Span]) -> Span:
    longest = max(group, key=lambda span: span.offset - span.onset)
    aus = {code for span in group for code in span.aus}
    return Span(
        min(span.onset for span in group),
        longest.apex,
        max(span.offset for span in group),
        tuple(sorted(aus, key=lambda code: INDEX.get(code, code))),
    )
