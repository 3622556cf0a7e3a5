"""What scores are made of: pieces of evidence that can be added, or drawn again and then added."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.metrics import Counts, Reliability
from emopulse_ros.evaluation.spotting import Spotting


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What was right and wrong in one piece: a clip, a recording, a stretch of it.

    ``delays_ms`` has one entry for each true event, NaN where no alarm came.
    """

    counts: Counts
    reliability: Reliability
    events: Spotting
    delays_ms: NDArray[np.float64]


def together(pieces: Sequence[Piece]) -> Piece:
    """At least one piece as one, the delays in this order."""
    return Piece(
        reduce(operator.add, (one.counts for one in pieces)),
        reduce(operator.add, (one.reliability for one in pieces)),
        reduce(operator.add, (one.events for one in pieces)),
        np.concatenate([one.delays_ms for one in pieces]),
    )
