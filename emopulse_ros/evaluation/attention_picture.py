"""Temporal attention against what moved.

``python -m emopulse_ros.evaluation.attention_picture PNG``. Left three seconds of the synthetic
face: how strongly its units moved, how fast, and the weight the network gave each moment. Right,
over a minute of it, how far the highest weight of each expression lies from the nearest moment of
fastest motion or apex, beside what a moment drawn by chance would.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.camera import SyntheticCamera
from emopulse_ros.evaluation.assessment import assess
from emopulse_ros.facs import expressive
from emopulse_ros.pipeline import build
from emopulse_ros.synthesis.script import MILLISECOND, Script

INK, MOVED, FAST, ATTENDED = "#1f2933", "#ffc15e", "#d64545", "#1f5fa8"
SHOWN_MS = 3000.0
FRAME_MS = 5.0
BINS = np.arange(0.0, 60.0, 10.0)


def strengths(script: Script, stamps: NDArray[np.int64]) -> NDArray[np.float32]:
    """Of the unit that moves most at each stamp, the blink left out: ``(N,) float32``."""
    rows = np.array([script.intensity(int(stamp)) for stamp in stamps])
    strongest: NDArray[np.float32] = rows[:, expressive()].max(axis=1)
    return strongest


def distances(
    script: Script, stamps: NDArray[np.int64], attention: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """From the highest attention of each expression to the nearest telling moment, in ms; and from
    every other moment of it, as by chance.

    Telling are the apex and the moments of fastest motion: half way up and half way down.
    """
    nearest, chance = [], []
    for movement in script.movements:
        within = np.flatnonzero((stamps >= movement.onset) & (stamps <= movement.offset))
        if movement.kind == "blink" or within.size < 3:
            continue
        down = (movement.apex + movement.hold + movement.offset) // 2
        telling = np.array([(movement.onset + movement.apex) // 2, movement.apex, down])
        away = np.abs(stamps[within][:, None] - telling).min(axis=1) / MILLISECOND
        nearest.append(away[np.argmax(attention[within])])
        chance.append(away)
    return np.array(nearest), np.concatenate(chance)


def draw(path: Path, seconds: float = 60.0, seed: int = 21) -> str:
    """Write the picture; return its second panel in a sentence.

    :raises RuntimeError: if matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RuntimeError(
            "the picture is drawn with matplotlib: pip install matplotlib"
        ) from error
    with SyntheticCamera(seed, seconds) as camera, build() as pipeline:
        script = camera.script
        recording = assess(camera, pipeline).recording
    assert script is not None
    stamps, attention = recording.stamp, recording.attention
    moved = strengths(script, stamps)
    near, chance = distances(script, stamps, attention)
    figure = Figure(figsize=(10.0, 3.4), dpi=150, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2.4, 1.0))
    begin = int(np.argmax(moved > 0.1)) - 40
    shown = slice(max(begin, 0), max(begin, 0) + round(SHOWN_MS / FRAME_MS))
    time = stamps[shown] / 1e9
    speed = np.abs(np.gradient(moved[shown]))
    left.fill_between(time, moved[shown], color=MOVED, label="true strength", linewidth=0)
    left.plot(
        time, speed / max(speed.max(), 1e-6), color=FAST, linewidth=0.8, label="its speed, scaled"
    )
    left.set_ylabel("strength")
    left.set_xlabel("seconds")
    weight = left.twinx()
    weight.plot(time, attention[shown], color=ATTENDED, linewidth=1.4, label="attention")
    weight.axhline(1.0, color=ATTENDED, linewidth=0.5, linestyle=":")
    weight.set_ylabel("attention, 1 is average", color=ATTENDED)
    weight.set_ylim(0.0, None)
    lines = [*left.get_legend_handles_labels()[0], *weight.get_legend_handles_labels()[0]]
    left.legend(handles=lines, frameon=False, fontsize=8, loc="upper left", ncol=3)
    left.set_ylim(0.0, 1.25)
    shares = [np.histogram(values, [*BINS, np.inf])[0] / len(values) for values in (near, chance)]
    names = [*(f"{low:.0f} to {low + 10:.0f}" for low in BINS[:-1]), f"over {BINS[-1]:.0f}"]
    for values, colour, shift, label in (
        (shares[0], ATTENDED, -0.2, "highest attention"),
        (shares[1], "#c3cbd4", 0.2, "any moment"),
    ):
        right.bar(np.arange(len(names)) + shift, values, 0.4, color=colour, label=label)
    right.set_xticks(range(len(names)), names, fontsize=7, rotation=30)
    right.set_xlabel("ms to the nearest telling moment")
    right.set_ylabel(f"share of {len(near)} expressions")
    right.legend(frameon=False, fontsize=8)
    for panel in (left, right, weight):
        panel.spines["top"].set_visible(False)
        panel.tick_params(colors=INK)
    figure.savefig(path)
    return (
        f"{np.mean(near <= 10.0):.0%} of {len(near)} expressions have their highest attention "
        f"within 10 ms of a telling moment; {np.mean(chance <= 10.0):.0%} by chance"
    )


if __name__ == "__main__":
    print(draw(Path(sys.argv[1])))
