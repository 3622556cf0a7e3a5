"""What a training run is made of, read from YAML."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

Section = TypeVar("Section")

PARTS = {"train": 0, "validation": 100_000, "test": 200_000}
"""First seed of each part. A seed draws the person, so no one stands in two parts."""

PORTRAIT = 50_000
"""What is added to the seeds of the portrait, so that it does not follow the others' scripts."""


class ConfigurationError(ValueError):
    """A configuration file is missing or says something that cannot be followed."""


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """How many clips to make of each source for each part, and with how many processes."""

    rendered: int = 320
    portrait: int = 120
    validation: int = 48
    test: int = 40
    processes: int = 2


@dataclass(frozen=True, slots=True)
class Optimisation:
    """How the network is trained; ``look_every`` steps apart it looks at the validation part."""

    seed: int = 1
    dropout: float = 0.5
    steps: int = 1600
    batch: int = 6
    frames: int = 56
    rate: float = 0.004
    weight_decay: float = 0.01
    look_every: int = 200
    patience: int = 12


@dataclass(frozen=True, slots=True)
class Configuration:
    """A whole run."""

    name: str = "tiny-i3d"
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
    unknown = set(text) - {"name", "clips", "optimisation"}
    if unknown:
        raise ConfigurationError(f"{path}: nobody knows {', '.join(sorted(unknown))}")
    return Configuration(
        name=str(text.get("name", "tiny-i3d")),
        clips=_section(ClipPlan, text.get("clips", {}), f"{path}: clips"),
        optimisation=_section(Optimisation, text.get("optimisation", {}), f"{path}: optimisation"),
    )


def _section(kind: type[Section], given: Any, where: str) -> Section:
    known = {entry.name: entry for entry in fields(kind)}  # type: ignore[arg-type]
    if not isinstance(given, dict):
        raise ConfigurationError(f"{where} must be a mapping, not {type(given).__name__}")
    for name, value in given.items():
        if name not in known:
            raise ConfigurationError(f"{where}: nobody knows {name}; there is {', '.join(known)}")
        default = known[name].default
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ConfigurationError(f"{where}: {name} must be a number from 0 up, not {value!r}")
        if isinstance(default, int) and not isinstance(value, int):
            raise ConfigurationError(f"{where}: {name} must be a whole number, not {value!r}")
    return kind(**given)
