"""What a face was doing when it made no micro-expression, and what was alarmed of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.truth import Span
from emopulse_ros.synthesis.script import Script

STRETCHES = ("macro", "speech", "head", "gaze", "blink", "neutral")
"""Kinds of stretch. Of two at a time the earlier one counts: it moves more of the face."""

LONGEST_FRAME = 60_000_000
"""ns that one frame stands for at most: in a longer hole nobody was watching."""

NEUTRAL = STRETCHES.index("neutral")


def kinds_at(script: Script, stamps: NDArray[np.int64]) -> NDArray[np.int64]:
    """What goes on at each stamp, as a place in :data:`STRETCHES`: ``(N,) int64``."""
    kinds = np.full(len(stamps), NEUTRAL)
    for place, begin, end in _doings(script):
        within = (stamps >= begin) & (stamps <= end)
        kinds[within] = np.minimum(kinds[within], place)
    return kinds


def kind_of(script: Script, span: Span) -> int:
    """What went on during a span, as a place in :data:`STRETCHES`."""
    during = (
        place for place, begin, end in _doings(script) if begin <= span.offset and end >= span.onset
    )
    return min(during, default=NEUTRAL)


def false_alarms(
    script: Script, stamps: NDArray[np.int64], found: Sequence[Span]
) -> NDArray[np.float64]:
    """Alarms and seconds of each kind, in a clip without micro-expressions: ``(K, 2) float64``.

    Every event found is a false one. Time counts from frame to frame as ``stamps`` have it.
    """
    table = np.zeros((len(STRETCHES), 2))
    for span in found:
        table[kind_of(script, span), 0] += 1
    if len(stamps):
        lasting = np.minimum(np.diff(stamps, append=stamps[-1]), LONGEST_FRAME) / 1e9
        table[:, 1] = np.bincount(kinds_at(script, stamps), lasting, minlength=len(STRETCHES))
    return table


def _doings(script: Script) -> list[tuple[int, int, int]]:
    """All that goes on but micro-expressions: (place in STRETCHES, begin, end)."""
    doings = [
        (STRETCHES.index(movement.kind), movement.onset, movement.offset)
        for movement in script.movements
        if movement.kind != "micro"
    ]
    for turn in script.turns:
        kind = "gaze" if turn.axis.startswith("gaze") else "head"
        doings.append((STRETCHES.index(kind), turn.begin, turn.end))
    return doings
