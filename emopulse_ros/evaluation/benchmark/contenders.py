"""Who is measured: model files by name, and the constant that any of them must beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.detection.engine import Engine, OneByOne, Reading, State
from emopulse_ros.detection.model import Card, ModelError, model_at
from emopulse_ros.evaluation.benchmark.clips import BenchmarkError
from emopulse_ros.pipeline import open_engine

CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Entry:
    """A contender before it is opened: a name, and a model file unless it is the constant."""

    name: str
    path: Path | None


@dataclass(frozen=True, slots=True)
class Contender:
    """A contender ready to be run."""

    name: str
    engine: Engine


class AlwaysActive(OneByOne):
    """The reader that calls every unit active, whatever it sees; an engine without a network.

    It takes flow by the recipe of the model it is compared with, and knows the same units.
    """

    def __init__(self, card: Card) -> None:
        units = len(card.codes)
        none, sure, half = (0.0,) * units, (30.0,) * units, (0.5,) * units
        self.card = Card(CONSTANT, "step", card.codes, card.recipe, card.tick_ms, none, sure, half)
        self.model_hash = ""
        self._reading = Reading(np.zeros(units, np.float32), np.zeros(units, np.float32), 1.0)

    def first_state(self) -> State:
        """There is none."""
        return None

    def step(self, flow: NDArray[np.float32], state: State) -> tuple[Reading, State]:
        """The same answer to every flow."""
        del flow
        return self._reading, state

    def describe(self) -> str:
        """What it is, for people."""
        return "calls every unit active"


def entries(model: Path | None, against: Sequence[str]) -> tuple[Entry, ...]:
    """The main model first, then those of ``NAME=FILE``, the constant last.

    :raises BenchmarkError: for an entry that is not ``NAME=FILE``, or a name given twice.
    :raises ModelError: if the main model is missing or not ours.
    """
    path = model_at(model)
    listed = [Entry(open_engine(path).card.name, path)]
    for given in against:
        name, equals, file = given.partition("=")
        if not (name and equals and file):
            raise BenchmarkError(f"--against wants NAME=FILE, not {given!r}")
        listed.append(Entry(name, Path(file)))
    listed.append(Entry(CONSTANT, None))
    names = [entry.name for entry in listed]
    for name in names:
        if names.count(name) > 1:
            raise BenchmarkError(f"two contenders are called {name!r}: give each its own name")
    return tuple(listed)


def opened(listed: Sequence[Entry]) -> tuple[Contender, ...]:
    """Open every contender.

    :raises ModelError: if a file is missing, not ours, or knows other units than the first.
    """
    engines: list[Engine] = []
    for entry in listed:
        engine: Engine = (
            AlwaysActive(engines[0].card) if entry.path is None else open_engine(entry.path)
        )
        if engines and engine.card.codes != engines[0].card.codes:
            raise ModelError(
                f"{entry.path} knows the action units {engine.card.codes}, but {listed[0].path} "
                f"{engines[0].card.codes}: compare models of the same units"
            )
        engines.append(engine)
    return tuple(
        Contender(entry.name, engine) for entry, engine in zip(listed, engines, strict=True)
    )
