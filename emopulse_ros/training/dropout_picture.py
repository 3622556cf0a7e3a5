"""What spatial dropout costs and what it hides: a figure out of several trainings.

``python -m emopulse_ros.training.dropout_picture PNG RUN RUN ...``: each RUN is the folder of a
training and holds its model and ``scores.json``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

INK, ACCURACY, F1 = "#1f2933", "#d64545", "#1f5fa8"


class Trained(NamedTuple):
    """One training: its spatial dropout, the F1 of its test part, and how often the probe named
    the person; ``chance`` is how often guessing would."""

    dropout: float
    f1: float
    accuracy: float
    chance: float


def read_run(folder: Path) -> Trained:
    """Read what a training left behind.

    :raises OSError: if it left nothing.
    :raises ValueError: if its card does not name the dropout, or nothing was probed.
    """
    told = json.loads((folder / "scores.json").read_text())
    named = re.search(r"[Ss]patial dropout ([0-9.]+)", (folder / "model-card.md").read_text())
    if named is None or told.get("identity") is None:
        raise ValueError(f"{folder} does not say its dropout, or nobody was probed in it")
    probe = told["identity"]
    dropout = float(named[1].rstrip("."))
    return Trained(dropout, told["f1"]["Tiny-I3D"], probe["accuracy"], probe["chance"])


def draw(path: Path, runs: list[Trained]) -> None:
    """Write the figure: over dropout, F1 and how often the person is named."""
    from matplotlib.figure import Figure

    runs = sorted(runs)
    places = range(len(runs))
    figure = Figure(figsize=(6.4, 3.2), dpi=150, layout="constrained")
    panel = figure.add_subplot()
    panel.plot(places, [run.f1 for run in runs], "o-", color=F1, label="F1 of action units")
    panel.plot(
        places,
        [run.accuracy for run in runs],
        "s-",
        color=ACCURACY,
        label="frames whose person a linear probe names",
    )
    panel.axhline(runs[0].chance, color=ACCURACY, linestyle=":", label="by guessing")
    panel.set_xticks(list(places), [f"{run.dropout:g}" for run in runs])
    panel.set_xlabel("spatial dropout")
    panel.set_ylim(0.0, 0.6)
    panel.grid(axis="y", alpha=0.3)
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(frameon=False, fontsize=8, loc="upper right")
    for place, run in zip(places, runs, strict=True):
        for value in (run.f1, run.accuracy):
            panel.annotate(
                f"{value:.2f}", (place, value), (0, 5), textcoords="offset points",
                ha="center", fontsize=7, color=INK,
            )  # fmt: skip
    figure.savefig(path)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), [read_run(Path(argument)) for argument in sys.argv[2:]])
