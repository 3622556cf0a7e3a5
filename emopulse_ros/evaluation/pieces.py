"""What scores are made of: pieces of evidence that can be added, or drawn again and then added."""

from __future__ import annotations

from dataclasses import dataclass

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
