"""One recording beside its truth, cut into stretches whose scores can be drawn again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.metrics import count, reliability
from emopulse_ros.evaluation.pieces import Piece
from emopulse_ros.evaluation.recording import Recording
from emopulse_ros.evaluation.spotting import alarm_delays, match, overlap, spotting
from emopulse_ros.evaluation.truth import Span, Truth, event_truth, span_of
from emopulse_ros.stream import MicroExpression

STRETCH = 2_000_000_000
"""Length of a stretch in ns: several times that of a micro-expression, so that few lie across."""


def judged(recording: Recording, truth: Truth) -> tuple[list[Span], list[MicroExpression]]:
    """The events that count: the true ones, and those that were found.

    A true event counts if it began and ended while there were activations: before the first one
    the face was not yet known. One that was found of units of which the truth knows nothing is
    neither right nor wrong.
    """
    first, last = (
        (int(recording.stamp[0]), int(recording.stamp[-1])) if len(recording.stamp) else (0, -1)
    )
    true = [s for s in event_truth(truth) if first <= s.onset and s.offset <= last]
    return true, [event for event in recording.events if truth.knows(event.aus).any()]


def cut(
    recording: Recording, truth: Truth, active: NDArray[np.bool_], alarms: NDArray[np.bool_]
) -> tuple[Piece, ...]:
    """Cut a recording into stretches of 2 s, one at least; the last takes what does not fill one.

    ``active`` and ``alarms`` are ``(N, A) bool``: what moved, and what was said to. Frames go by
    their stamps, events stay whole: a true one is where it begins, and one that was found where
    the true one is that it is held against, else where it begins itself. So the pieces add up to
    the scores of the whole.
    """
    stamp, known = recording.stamp, truth.knows(recording.codes)
    true, events = judged(recording, truth)
    found = [span_of(event) for event in events]
    delays = alarm_delays(true, stamp, alarms, recording.codes)
    first, last = (int(stamp[0]), int(stamp[-1])) if len(stamp) else (0, 0)
    ends = first + STRETCH * np.arange(1, max(1, round((last - first) / STRETCH)))
    seconds = np.diff([first, *ends, last]) / 1e9
    rows = [0, *np.searchsorted(stamp, ends), len(stamp)]
    true_in = np.searchsorted(ends, [span.onset for span in true], side="right")
    found_in = np.searchsorted(ends, _begins(true, found), side="right")
    pieces = []
    for place in range(len(seconds)):
        here = slice(rows[place], rows[place + 1])
        pieces.append(
            Piece(
                count(active[here], alarms[here]).of(known),
                reliability(active[here], recording.probability[here]).of(known),
                spotting(
                    [true[i] for i in np.flatnonzero(true_in == place)],
                    [found[j] for j in np.flatnonzero(found_in == place)],
                    float(seconds[place]),
                ),
                delays[true_in == place],
            )
        )
    return tuple(pieces)


def _begins(true: Sequence[Span], found: Sequence[Span]) -> list[int]:
    """From when each found event counts: that of the true one it is matched to, or touches."""
    partner = {j: i for i, j in match(true, found)}
    begins = []
    for j, said in enumerate(found):
        touched = (i for i, span in enumerate(true) if overlap(span, said) > 0.0)
        against = partner.get(j, next(touched, None))
        begins.append(said.onset if against is None else true[against].onset)
    return begins
