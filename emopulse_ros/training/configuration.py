"""What a training run is made of, read from YAML."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml

from emopulse_ros.flow.recipe import FlowRecipe

Section = TypeVar("Section")

SOURCES = ("rendered", "portrait")
"""What clips are made from."""

PARTS = {
    "train": 0, "slight": 20_000, "quiet": 30_000, "vivid": 40_000,
    "validation": 100_000, "test": 200_000, "people": 300_000,
}  # fmt: skip
"""First seed of each part. A seed draws the person, so no one stands in two parts."""

MORE: tuple[Literal["slight", "quiet", "vivid"], ...] = ("slight", "quiet", "vivid")
"""Parts that are trained on where a plan asks for them, each of the kind of its name."""

PORTRAIT = 50_000
"""What is added to the seeds of the portrait, so that it does not follow the others' scripts."""


SHORTEST, LONGEST = 17, 270
"""Frames of a training window: one more than an answer depends on, and what every clip has."""


class ConfigurationError(ValueError):
    """A configuration file is missing or says something that cannot be followed."""


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """How many clips to make of each source for each part, and with how many processes.

    ``slight`` are more clips for training, from each source, of units that are hard to see, and
    ``quiet`` likewise of faces that do all they do but micro-expressions, ``vivid`` of large and
    sudden expressions.
    ``people`` are rendered several times each, for the probe of what the network knows of them.
    """

    rendered: int = 800
    portrait: int = 1000
    slight: int = 0
    quiet: int = 0
    vivid: int = 0
    validation: int = 120
    test: int = 60
    people: int = 20
    processes: int = 2


@dataclass(frozen=True, slots=True)
class Optimisation:
    """How the network is trained; ``look_every`` steps apart it looks at the validation part.

    The learning rate goes up and down once within ``steps`` and, half as high, once more within
    ``steps_again``. Without any step the network stays what the given weights make of it.
    """

    seed: int = 1
    dropout: float = 0.99
    masks: int = 8
    attention: bool = True
    baseline: bool = True
    steps: int = 2400
    steps_again: int = 1400
    batch: int = 8
    frames: int = 64
    rate: float = 0.004
    weight_decay: float = 0.01
    look_every: int = 300
    patience: int = 12
    threads: int = 0

    def __post_init__(self) -> None:
        least = dict.fromkeys(("batch", "look_every", "patience", "masks"), 1)
        least |= dict.fromkeys(("steps", "steps_again"), 0)
        for name, smallest in least.items():
            if getattr(self, name) < smallest:
                raise ConfigurationError(f"{name} must be at least {smallest}")
        if not SHORTEST <= self.frames <= LONGEST:
            raise ConfigurationError(
                f"frames must be from {SHORTEST} to {LONGEST}, not {self.frames}"
            )


@dataclass(frozen=True, slots=True)
class Configuration:
    """A whole run; ``sources`` are those it is trained on, it is tested on all there are."""

    name: str = "tiny-i3d"
    sources: tuple[str, ...] = SOURCES
    flow: FlowRecipe = field(default_factory=FlowRecipe)
    clips: ClipPlan = ClipPlan()
    optimisation: Optimisation = Optimisation()


def read_configuration(path: Path) -> Configuration:
    """Read a YAML file; what it does not say keeps its default.

    :raises ConfigurationError: if the file is missing, no YAML, or holds an entry nobody knows.
    """
    try:
        text = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is no YAML: {error}") from error
    if not isinstance(text, dict):
        raise ConfigurationError(f"{path} must hold a mapping, not {type(text).__name__}")
    unknown = set(text) - {"name", "sources", "flow", "clips", "optimisation"}
    if unknown:
        raise ConfigurationError(f"{path}: nobody knows {', '.join(sorted(unknown))}")
    sources = text.get("sources", list(SOURCES))
    if not isinstance(sources, list) or not sources or not set(sources) <= set(SOURCES):
        raise ConfigurationError(f"{path}: sources are a list of {' and '.join(SOURCES)}")
    return Configuration(
        name=str(text.get("name", "tiny-i3d")),
        sources=tuple(sources),
        flow=_flow(text.get("flow", {}), f"{path}: flow"),
        clips=_section(ClipPlan, text.get("clips", {}), f"{path}: clips"),
        optimisation=_section(Optimisation, text.get("optimisation", {}), f"{path}: optimisation"),
    )


def _flow(given: Any, where: str) -> FlowRecipe:
    """Flow by the baselines that are asked for; a clip's frames are 5 ms apart."""
    known = {"baselines_ms", "neutral"}
    if not isinstance(given, dict) or set(given) - known:
        raise ConfigurationError(f"{where} must be a mapping of {' and '.join(sorted(known))}")
    baselines, neutral = given.get("baselines_ms", [40, 160]), given.get("neutral", True)
    if not isinstance(baselines, list) or not baselines or not isinstance(neutral, bool):
        raise ConfigurationError(f"{where}: baselines_ms is a list, neutral is true or false")
    if any(not isinstance(ms, int) or ms < 5 or ms % 5 for ms in baselines):
        raise ConfigurationError(f"{where}: baselines_ms are multiples of 5, not {baselines}")
    return FlowRecipe(baselines_ms=tuple(float(ms) for ms in baselines), neutral=neutral)


def _section(kind: type[Section], given: Any, where: str) -> Section:
    known = {entry.name: entry for entry in fields(kind)}  # type: ignore[arg-type]
    if not isinstance(given, dict):
        raise ConfigurationError(f"{where} must be a mapping, not {type(given).__name__}")
    for name, value in given.items():
        if name not in known:
            raise ConfigurationError(f"{where}: nobody knows {name}; there is {', '.join(known)}")
        default = known[name].default
        if isinstance(default, bool):
            if not isinstance(value, bool):
                raise ConfigurationError(f"{where}: {name} is true or false, not {value!r}")
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ConfigurationError(f"{where}: {name} must be a number from 0 up, not {value!r}")
        if isinstance(default, int) and not isinstance(value, int):
            raise ConfigurationError(f"{where}: {name} must be a whole number, not {value!r}")
    try:
        return kind(**given)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error
