"""What runs the network, whichever library that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.detection.model import Card

State = Any
"""What earlier steps left behind. Only the engine that made it looks inside."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the network says of one time step: ``logits`` and ``intensity`` ``(A,) float32``."""

    logits: NDArray[np.float32]
    intensity: NDArray[np.float32]
    attention: float


class Engine(Protocol):
    """Runs the step form of one model.

    The state is explicit: it goes in and comes out, so that one engine serves any number of faces
    and a step can be repeated.
    """

    card: Card
    model_hash: str

    def first_state(self) -> State:
        """The state that knows nothing."""
        ...

    def step(self, flow: NDArray[np.float32], state: State) -> tuple[Reading, State]:
        """One time step: ``(C, H, W) float32`` and a state to a reading and the next state."""
        ...

    def describe(self) -> str:
        """Library, version and device, for people."""
        ...
