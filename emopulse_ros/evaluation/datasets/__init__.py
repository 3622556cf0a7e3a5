"""Data sets that people bring with a licence of their own, read as they lie on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from emopulse_ros.evaluation.datasets.casme2 import load_casme2
from emopulse_ros.evaluation.datasets.casme_squared import load_casme_squared
from emopulse_ros.evaluation.datasets.clip import LabelledSet
from emopulse_ros.evaluation.datasets.samm import load_samm
from emopulse_ros.evaluation.datasets.samm_long import load_samm_long

LOADERS: dict[str, Callable[[str | Path], LabelledSet]] = {
    "casme2": load_casme2,
    "samm": load_samm,
    "samm-long": load_samm_long,
    "casme-squared": load_casme_squared,
}
"""What reads a data set, by its short name."""


def load(name: str, root: str | Path) -> LabelledSet:
    """Read the data set of a short name out of the folder that holds it.

    :raises RuntimeError: if openpyxl is not installed.
    :raises ValueError: if there is no such data set, or it is not in that folder.
    """
    if name not in LOADERS:
        raise ValueError(f"There is no data set '{name}'; there are {', '.join(LOADERS)}.")
    return LOADERS[name](root)
