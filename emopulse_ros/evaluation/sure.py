"""The key figures of one or several recordings, each with its 95% interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.bootstrap import (
    Draws,
    Figure,
    calibration,
    counts,
    delay,
    draw,
    event_f1,
    false_alarms,
    figure,
    interval,
    means,
    once,
)
from emopulse_ros.evaluation.pieces import Piece
from emopulse_ros.facs import expressive

FEWEST = 6
"""Pieces that have something to say of a figure, for it to have an interval.

Between the least and the greatest of n lies the median of where they come from with a chance of
1 - 2 / 2^n: with fewer than 6 that is less than 95%, however they are drawn again.
"""

Statistic = Callable[[Sequence[Piece], Draws], NDArray[np.float64]]
"""A figure of each resample, ``(R,)``; NaN where nothing drawn has anything to say."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What is drawn again: whole recordings, or stretches of some, each of which keeps its number.

    ``strata`` says from which recording a piece is, and is the same for whole ones.
    """

    what: Literal["recording", "stretch"]
    pieces: tuple[Piece, ...]
    strata: tuple[int, ...]


def parts(wholes: Sequence[Piece], stretches: Sequence[Sequence[Piece]]) -> Parts:
    """What to draw of these recordings, each of which is there whole and in stretches.

    Whole recordings, for what is in one is alike; stretches where recordings are too few.
    """
    if len(wholes) >= FEWEST:
        return Parts("recording", tuple(wholes), (0,) * len(wholes))
    return Parts(
        "stretch",
        tuple(piece for some in stretches for piece in some),
        tuple(index for index, some in enumerate(stretches) for _ in some),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Sure:
    """Figures with their intervals, which are NaN where too few pieces have anything to say.

    The first three of frames are means over the expressive units, the blink left out.
    ``unit_f1_interval`` ``(A, 2) float64`` is that of the frame F1 of each unit.
    """

    frame_f1: Figure
    macro_f1: Figure
    calibration: Figure
    event_f1: Figure
    delay_ms: Figure
    false_alarms: Figure
    unit_f1_interval: NDArray[np.float64]


def sure(codes: tuple[int, ...], whole: Piece, drawn: Parts) -> Sure:
    """The figures of the whole, with intervals of what is drawn."""
    pieces, draws = drawn.pieces, draw(drawn.strata)
    chosen = np.array(expressive(codes))
    # Each piece drawn alone tells whether it has anything to say.
    alone = np.eye(len(pieces), dtype=np.int64)

    def of(statistic: Statistic) -> Figure:
        enough = _enough(statistic(pieces, alone))
        again = statistic(pieces, draws if enough else draws[:0])
        return figure(statistic([whole], once([whole])), again)

    def mean_of(name: str) -> Statistic:
        return lambda some, times: _means(getattr(counts(some, times), name), chosen)

    alarms = of(false_alarms)
    if not whole.events.spurious:
        # What never happened cannot be drawn again: 0 to 0 would promise too much.
        alarms = alarms._replace(low=np.nan, high=np.nan)
    units = interval(counts(pieces, draws).f1)
    units[~_enough(counts(pieces, alone).f1)] = np.nan
    return Sure(
        frame_f1=of(mean_of("f1")),
        macro_f1=of(mean_of("macro_f1")),
        calibration=of(lambda some, times: _means(calibration(some, times), chosen)),
        event_f1=of(event_f1),
        delay_ms=of(delay),
        false_alarms=alarms,
        unit_f1_interval=units,
    )


def _means(values: NDArray[np.float64], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    return means(values, np.broadcast_to(chosen, values.shape))


def _enough(alone: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether enough of the pieces ``(P, ...)`` have a figure of their own: ``(...) bool``."""
    enough: NDArray[np.bool_] = np.count_nonzero(~np.isnan(alone), axis=0) >= np.array(FEWEST)
    return enough
