"""A picture of one run: what was true and what was seen, unit by unit, over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.recording import Recording
from emopulse_ros.evaluation.spotting import match, overlap
from emopulse_ros.evaluation.truth import Span, Truth, event_truth, span_of
from emopulse_ros.facs import BLINK, INDEX, unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT, GRID = "#1f2933", "#7b8794", "#e4e7eb"
TRUE, BLINKING, SEEN, MISSED = "#ffc15e", "#d6dce3", "#1f5fa8", "#d64545"
BUDGET_MS = 5.0
HALF = 300_000_000  # Half the time of the closer look, ns.
STYLE = {
    "font.size": 8.0,
    "axes.edgecolor": GRID,
    "axes.linewidth": 0.8,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}


def draw_timeline(
    path: Path,
    recording: Recording,
    *,
    truth: Truth | None = None,
    origin: int = 0,
    title: str = "",
) -> None:
    """Write a PNG of a recording, beside the truth where it is known.

    Left the whole run: one lane for each unit, the events, attention, latency. Right the same
    around the event that shows most. Seconds are counted from ``origin``.

    :raises RuntimeError: if matplotlib is not installed.
    :raises ValueError: if the recording is empty.
    :raises OSError: if the file cannot be written.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RuntimeError(
            "the timeline is drawn with matplotlib, which is not installed: pip install matplotlib"
        ) from error
    if not len(recording.stamp):
        raise ValueError("there is nothing to draw: the run gave no activation")
    true = event_truth(truth) if truth else ()
    found = [span_of(event) for event in recording.events]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(12.0, 6.4), dpi=150, facecolor="white", layout="constrained")
        grid = figure.add_gridspec(
            4, 2, width_ratios=(3.4, 1.0), height_ratios=(len(recording.codes), 1.9, 1.5, 1.5)
        )
        best = _most_telling(true, found)
        middle = (best.onset + best.offset) // 2 if best else int(np.median(recording.stamp))
        whole, closer = (recording.stamp[0], recording.stamp[-1]), (middle - HALF, middle + HALF)
        limits = [((a - origin) / 1e9, (b - origin) / 1e9) for a, b in (whole, closer)]
        for column, (start, end) in enumerate(limits):
            panels = [figure.add_subplot(grid[row, column]) for row in range(4)]
            _units(panels[0], recording, truth, origin, named=column == 0)
            _events(panels[1], true, found, origin)
            seconds = (recording.stamp - origin) / 1e9
            names = ("attention", "latency, ms") if column == 0 else ("", "")
            _strip(panels[2], seconds, recording.attention, names[0], None)
            _strip(panels[3], seconds, recording.latency_ms, names[1], BUDGET_MS)
            for panel in panels:
                panel.set_xlim(start, end)
                panel.spines[["top", "right", "left"]].set_visible(False)
                panel.grid(axis="x", color=GRID, linewidth=0.6)
                panel.set_axisbelow(True)
                panel.tick_params(labelbottom=panel is panels[3], labelleft=column == 0)
            panels[3].set_xlabel("seconds")
        look = " + ".join(f"AU{code:02d}" for code in best.aus) if best else "600 ms"
        figure.axes[4].set_title(f"a closer look: {look}", loc="left", fontsize=8, color=FAINT)
        _head(figure, title, truth_known=truth is not None)
        figure.savefig(path, format="png")


def _most_telling(truth: Sequence[Span], found: Sequence[Span]) -> Span | None:
    """The event of most units, one that was found if there is one, the better found first."""
    hits = [truth[i] for i, _ in match(truth, found)]
    return max(
        hits or [*truth, *found],
        key=lambda span: (len(span.aus), max((overlap(span, other) for other in found), default=0)),
        default=None,
    )


def _units(
    panel: Axes, recording: Recording, truth: Truth | None, origin: int, *, named: bool
) -> None:
    """One lane for each unit, the first on top: truth as blocks, probability as a filled line."""
    codes, count = recording.codes, len(recording.codes)
    seconds = (recording.stamp - origin) / 1e9
    for label in truth.labels if truth else ():
        colour = BLINKING if label.kind == "blink" else TRUE
        start, length = (label.onset - origin) / 1e9, (label.offset - label.onset) / 1e9
        for code in label.aus:
            if code in codes:
                lane = count - 1 - codes.index(code)
                panel.broken_barh([(start, length)], (lane, 0.92), color=colour, linewidth=0)
    for index, code in enumerate(codes):
        lane = count - 1 - index
        level = lane + 0.9 * np.clip(recording.probability[:, index], 0.0, 1.0)
        panel.fill_between(seconds, lane, level, color=SEEN, alpha=0.35, linewidth=0)
        panel.plot(seconds, level, color=SEEN, linewidth=0.7, solid_joinstyle="round")
        panel.axhline(lane, color=GRID, linewidth=0.6, zorder=0)
        if not named:
            continue
        name = unit(code).name if code in INDEX else ""
        panel.text(
            -0.008, lane + 0.42, f"{name}  AU{code:02d}", transform=panel.get_yaxis_transform(),
            ha="right", va="center", color=FAINT if code == BLINK else INK,
        )  # fmt: skip
    panel.set_ylim(0, count)
    panel.set_yticks([])


def _events(panel: Axes, truth: Sequence[Span], found: Sequence[Span], origin: int) -> None:
    """True events above, found ones below: filled where they match, red where nothing meets them.

    Hollow in their own colour are those that meet for less than half of what they cover.
    """
    pairs = match(truth, found)
    hit, right = {i for i, _ in pairs}, {j for _, j in pairs}
    rows = ((truth, found, hit, 1.0, TRUE), (found, truth, right, 0.0, SEEN))
    for spans, others, matched, lane, colour in rows:
        for index, span in enumerate(spans):
            filled = index in matched or not truth
            met = filled or any(overlap(span, other) > 0.0 for other in others)
            start, length = (span.onset - origin) / 1e9, (span.offset - span.onset) / 1e9
            panel.broken_barh(
                [(start, length)], (lane + 0.12, 0.76), facecolor=colour if filled else "white",
                edgecolor=colour if met else MISSED, linewidth=1.0,
            )  # fmt: skip
            panel.plot(
                [(span.apex - origin) / 1e9] * 2, [lane + 0.12, lane + 0.88],
                color=INK if filled else colour if met else MISSED, linewidth=1.0,
            )  # fmt: skip
    panel.set_ylim(-0.05, 2.05)
    panel.set_yticks([0.5, 1.5], ["events found", "true events"])


def _strip(
    panel: Axes,
    seconds: NDArray[np.float64],
    values: NDArray[np.float32],
    name: str,
    budget: float | None,
) -> None:
    known = values[~np.isnan(values)]
    top = float(np.quantile(known, 0.999)) * 1.15 if known.size else 1.0
    if budget is None:
        panel.axhline(1.0, color=FAINT, linewidth=0.6, linestyle=(0, (4, 3)))
        panel.fill_between(seconds, 0.0, values, color=SEEN, alpha=0.25, linewidth=0)
        panel.plot(seconds, values, color=SEEN, linewidth=0.6)
    else:
        panel.axhline(budget, color=MISSED, linewidth=0.8, linestyle=(0, (4, 3)))
        panel.plot(seconds, values, ".", color=SEEN, markersize=1.2, alpha=0.6)
        top = max(top, budget * 1.15)
        if not known.size:
            panel.text(0.5, 0.4, "not measured", transform=panel.transAxes, color=FAINT)
    panel.set_ylim(0.0, max(top, 1e-3))
    panel.text(-0.035, 0.5, name, transform=panel.transAxes, ha="right", va="center")
    panel.locator_params(axis="y", nbins=3)


def _head(figure: Figure, title: str, *, truth_known: bool) -> None:
    from matplotlib.patches import Patch

    handles: list[Any] = [Patch(color=SEEN, alpha=0.5, label="probability seen")]
    if truth_known:
        handles.insert(0, Patch(color=TRUE, label="true movement"))
        handles.insert(1, Patch(color=BLINKING, label="blink"))
        handles.append(Patch(facecolor="white", edgecolor=SEEN, label="overlap below half"))
        handles.append(Patch(facecolor="white", edgecolor=MISSED, label="missed, or false alarm"))
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
    figure.legend(handles=handles, loc="upper right", ncol=len(handles), frameon=False, fontsize=8)
