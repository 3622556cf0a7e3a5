"""What runs the network, whichever library that is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.detection.model import Card

ANSWERS = ("logits", "intensity", "attention")
"""What a step model says, by the names of its outputs; the others are its next state."""

Shape = tuple[int, ...]

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

    @property
    def at_once(self) -> int:
        """Faces of one step that cost hardly more than one, 1 if each costs the same."""
        ...

    @property
    def bytes_moved(self) -> int:
        """Bytes copied to a GPU and back since the beginning."""
        ...

    def first_state(self) -> State:
        """The state that knows nothing."""
        ...

    def step(self, flow: NDArray[np.float32], state: State) -> tuple[Reading, State]:
        """One time step: ``(C, H, W) float32`` and a state to a reading and the next state."""
        ...

    def step_all(
        self, flows: Sequence[NDArray[np.float32]], states: Sequence[State]
    ) -> list[tuple[Reading, State]]:
        """One time step of several faces, as :meth:`step` of each; one piece of work if it can."""
        ...

    def describe(self) -> str:
        """Library, version and device, for people."""
        ...


class OneByOne(ABC):
    """What an engine has that takes as long for several faces at once as for one after the other,
    and that needs no GPU."""

    at_once = 1
    bytes_moved = 0

    @abstractmethod
    def step(self, flow: NDArray[np.float32], state: State) -> tuple[Reading, State]:
        """One time step: ``(C, H, W) float32`` and a state to a reading and the next state."""

    def step_all(
        self, flows: Sequence[NDArray[np.float32]], states: Sequence[State]
    ) -> list[tuple[Reading, State]]:
        """One time step of several faces, one after the other."""
        return [self.step(flow, state) for flow, state in zip(flows, states, strict=True)]
