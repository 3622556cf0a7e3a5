"""A picture of the benchmark: unit by unit and condition by condition, models beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.benchmark.clips import BENCHMARK_VERSION
from emopulse_ros.evaluation.benchmark.conditions import CLEAN
from emopulse_ros.evaluation.benchmark.goals import CLEAN_GOAL, CORRUPTED_GOAL
from emopulse_ros.evaluation.benchmark.run import SAME_CLIPS, Results
from emopulse_ros.evaluation.benchmark.scores import Score
from emopulse_ros.evaluation.bootstrap import Figure
from emopulse_ros.evaluation.timeline import FAINT, GRID, INK, MISSED, SEEN, STYLE, TRUE
from emopulse_ros.facs import BLINK, unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OTHERS = (
    (TRUE, "D"), ("#5fa77a", "s"), ("#9a7fc1", "^"), (FAINT, "v"), ("#c98a5e", "P"), (INK, "X"),
    ("#b0567a", "<"), ("#3d7f8c", ">"),
)  # fmt: skip
"""Colour and mark of each model the main one is compared with, in their order."""

LINE = 5
"""Names in a line of the legend."""

Row = tuple[str, list[Figure]]
"""What stands in one line of a panel: its name and a figure of each contender."""


def draw_benchmark(path: Path, results: Results) -> None:
    """Write a PNG: frame F1 of each unit; macro-F1 and event F1 clean and under each condition.

    :raises RuntimeError: if matplotlib is not installed.
    :raises OSError: if the file cannot be written.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure as Canvas
    except ImportError as error:
        raise RuntimeError(
            "the picture is drawn with matplotlib, which is not installed: pip install matplotlib"
        ) from error
    names = [one.name for one in results.contenders]
    clean = [results.scores[name, CLEAN] for name in names]
    units = _unit_rows(clean)
    conditions = [one.name for one in results.plan.conditions]
    shown = [("clean", CLEAN), *((name.replace("_", " "), name) for name in conditions)]
    if conditions:
        shown.insert(1, ("clean, same clips", SAME_CLIPS))
    scores = [(label, [results.scores[name, key] for name in names]) for label, key in shown]
    macro: list[Row] = [(label, [one.macro_f1 for one in row]) for label, row in scores]
    events: list[Row] = [(label, [one.event_f1 for one in row]) for label, row in scores]
    with matplotlib.rc_context(STYLE):
        figure = Canvas(figsize=(12.0, 6.0), dpi=150, facecolor="white")
        top = 0.935 - 0.035 * -(-len(names) // LINE)
        figure.set_layout_engine("constrained", rect=(0.0, 0.0, 1.0, top), wspace=0.04)
        panels = figure.subplots(1, 3, width_ratios=(1.25, 1.0, 1.0))
        _panel(panels[0], "frame F1 of each unit, clean", units)
        _panel(panels[1], "frame macro-F1", macro, bool(conditions))
        _panel(panels[2], "event F1 at IoU 0.5", events, bool(conditions), named=False)
        title = (
            f"EmoPulse benchmark, version {BENCHMARK_VERSION}: {results.main} on "
            f"{len(results.plan.clips)} clips it was not trained on"
        )
        figure.suptitle(title, x=0.01, y=0.985, ha="left", fontsize=11, fontweight="bold",
                        color=INK)  # fmt: skip
        handles = panels[0].get_legend_handles_labels()[0][::-1]
        figure.legend(handles, names, loc="upper left", bbox_to_anchor=(0.005, 0.95),
                      ncol=min(LINE, len(names)), frameon=False, fontsize=8)  # fmt: skip
        figure.text(0.99, 0.96, "lines: 95% intervals; dashes: the goals", ha="right",
                    color=FAINT, fontsize=8)  # fmt: skip
        figure.savefig(path, format="png")


def _unit_rows(scores: Sequence[Score]) -> list[Row]:
    rows: list[Row] = []
    for a, code in enumerate(scores[0].codes):
        if code == BLINK:
            continue
        figures = [Figure(one.unit_f1[a], *one.unit_f1_interval[a]) for one in scores]
        rows.append((f"{unit(code).name}  {unit(code).label}", figures))
    rows.append(("mean", [one.f1 for one in scores]))
    return rows


def _panel(
    panel: Axes, title: str, rows: Sequence[Row], goals: bool = False, *, named: bool = True
) -> None:
    """One line for each row, the first on top; the main model is drawn last and largest."""
    places = np.arange(len(rows))[::-1].astype(float)
    values: NDArray[np.float64] = np.array([figures for _, figures in rows])
    count = values.shape[1]
    for index in reversed(range(count)):
        value, low, high = values[:, index].T
        colour, mark = (SEEN, "o") if index == 0 else OTHERS[(index - 1) % len(OTHERS)]
        lane = places + min(0.24, 0.7 / count) * ((count - 1) / 2.0 - index)
        panel.hlines(lane, low, high, color=colour, linewidth=1.6 if index == 0 else 0.8,
                     alpha=0.9 if index == 0 else 0.5)  # fmt: skip
        panel.plot(value, lane, mark, color=colour, label=str(index), markeredgewidth=0.0,
                   markersize=5.0 if index == 0 else 3.8)  # fmt: skip
    if goals:
        panel.vlines(CLEAN_GOAL, places[1] - 0.5, places[0] + 0.5, color=MISSED, linewidth=0.8,
                     linestyle=(0, (4, 3)))  # fmt: skip
        panel.vlines(CORRUPTED_GOAL, -0.5, places[1] - 0.5, color=MISSED, linewidth=0.8,
                     linestyle=(0, (4, 3)))  # fmt: skip
    for line in places[:-1] - 0.5:
        panel.axhline(line, color=GRID, linewidth=0.6, zorder=0)
    panel.set_title(title, loc="left", fontsize=9, color=INK)
    panel.set_xlim(-0.01, 1.01)
    panel.set_ylim(-0.5, len(rows) - 0.5)
    panel.set_yticks(places, [label for label, _ in rows] if named else [""] * len(rows))
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.grid(axis="x", color=GRID, linewidth=0.6)
    panel.set_axisbelow(True)
