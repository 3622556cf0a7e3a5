"""How exactly the flow stage sees skin move: its measure against the true flow of synthetic faces.

``python -m emopulse_ros.evaluation.flow_trial [--face-kit PATH]`` prints it, after some minutes.
Faces that make micro-expressions, or smile, while their heads sway are held still and measured as
on a robot.
Both what is measured and what is true are motion of the skin since the first picture, in pixels of
the flow grid. What the head's own motion makes of it is known too, from the same head without an
expression, so that an expression which the stage takes for a motion of the head is an error.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.benchmark.clips import SOURCES, Clip, MakeScene, scene_maker
from emopulse_ros.face.template import face_mask
from emopulse_ros.flow.recipe import FlowRecipe
from emopulse_ros.flow.stage import FlowStage
from emopulse_ros.pipeline import face_stage
from emopulse_ros.stream import FlowStep
from emopulse_ros.synthesis.corruption import CORRUPTIONS, filmed_through
from emopulse_ros.synthesis.grid import pixels
from emopulse_ros.synthesis.scene import Scene
from emopulse_ros.synthesis.script import SECOND, Movement, Script

NUMBERS = range(500, 503)
"""Clips of each source, beyond those of the benchmark."""

LENGTH = 2 * SECOND

EVERY = 10
"""Of so many frames one is compared."""

CONDITIONS = (
    None, "sensor_noise", "motion_blur", "exposure_flicker", "jpeg", "rolling_light",
    "low_contrast", "glasses",
)  # fmt: skip
"""Nothing, and all that spoils a picture without moving it; at the medium level."""

STRENGTHS = (0.25, 0.5, 1.0)
"""Of a broad smile; a micro-expression has 0.1 to 0.4."""

SMILE = (6, 12, 25)
"""Cheeks, corners of the mouth, and lips."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Root mean squares over the face, in pixels of the grid.

    ``gain`` is the share of the true motion that is measured: the slope of a line through 0.
    """

    true: float
    error: float
    gain: float


class Comparison:
    """Gathers what was measured and what is true."""

    def __init__(self, grid: int) -> None:
        self._face = face_mask(grid) > 0.5
        self._points = pixels(grid, grid).astype(np.float64)
        self._sums = np.zeros(4)  # Of points, true squares, squared errors and products.

    def add(self, measured: NDArray[np.float32], true: NDArray[np.float32]) -> None:
        """Take two fields ``(2, G, G)``; NaN where nothing is true."""
        known = np.isfinite(true).all(axis=0) & self._face
        seen, real = measured[:, known], true[:, known]
        self._sums += (
            real.shape[1], (real**2).sum(), ((seen - real) ** 2).sum(), (seen * real).sum()
        )  # fmt: skip

    def true_motion(
        self, scene: Scene, still: Scene, first: FlowStep, now: FlowStep
    ) -> NDArray[np.float32]:
        """How far the skin under each grid point has come since the first step: ``(2, G, G)``.

        ``still`` is the scene without an expression: what moves there is the head.
        """
        return self._come(scene, first, now) - self._come(still, first, now)

    def _come(self, scene: Scene, first: FlowStep, now: FlowStep) -> NDArray[np.float32]:
        """How far all that is seen has."""
        # Tells where in the first picture what the present one shows was.
        flow = scene.flow(now.stamp, first.stamp)
        here = cv2.transform(self._points, now.to_image)
        way = cv2.remap(
            flow, here.astype(np.float32), None, cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT, borderValue=(np.nan, np.nan, 0.0, 0.0),
        )  # fmt: skip
        before = cv2.transform(here + way, cv2.invertAffineTransform(first.to_image))
        return np.moveaxis(self._points - before, -1, 0).astype(np.float32)

    def agreement(self) -> Agreement:
        """What came of it all."""
        points, true, error, product = self._sums
        return Agreement(
            float(np.sqrt(true / points)), float(np.sqrt(error / points)), float(product / true)
        )


def compare(scenes: Sequence[tuple[Scene, Scene]], condition: str | None) -> Agreement:
    """Measure the flow of these scenes, each beside itself without an expression."""
    troubles = {} if condition is None else {condition: CORRUPTIONS[condition].levels[1]}
    recipe = FlowRecipe()
    comparison = Comparison(recipe.grid)
    for scene, still in scenes:
        face, stage = face_stage(recipe, live=False), FlowStage(recipe, adapts=False)
        first: FlowStep | None = None
        try:
            for frame in filmed_through(scene, LENGTH, scene.script.seed, troubles):
                crop = face.one(frame)
                if crop is None:
                    continue
                step = stage(crop)
                if step.restarted:
                    first = step
                elif first is not None and step.sequence % EVERY == 0:
                    true = comparison.true_motion(scene, still, first, step)
                    comparison.add(step.data[-3:-1], true)
        finally:
            face.beside.close()
    return comparison.agreement()


def smiling(clip: Clip, strength: float) -> Script:
    """A smile that breaks out in 100 ms and is held, on the head of the clip's script."""
    times = (3 * SECOND // 10, 4 * SECOND // 10, 19 * SECOND // 10)
    sides = ((strength, strength),) * len(SMILE)
    smile = Movement("macro", SMILE, sides, *times, hold=13 * SECOND // 10)
    return replace(clip.script(), movements=(smile,))


def pair(make: MakeScene, clip: Clip, script: Script) -> tuple[Scene, Scene]:
    """A clip's scene with this script, and the same without an expression."""
    return make(clip, script), make(clip, replace(script, movements=()))


def main(argv: Sequence[str] | None = None, told: Callable[[str], None] = print) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="measured against true flow, on synthetic faces")
    parser.add_argument("--face-kit", type=Path, help="the 3D face kit, for rendered people too")
    kit: Path | None = parser.parse_args(argv).face_kit
    cv2.setNumThreads(1)
    make = scene_maker(kit)
    told("source     condition           true   error    gain")
    for source in SOURCES if kit else SOURCES[:1]:
        clips = [Clip(source, "micro", number, False, LENGTH) for number in NUMBERS]
        scenes = [pair(make, clip, clip.script()) for clip in clips]
        for condition in CONDITIONS:
            one = compare(scenes, condition)
            name = (condition or "clean").replace("_", " ")
            told(_line(source, name, one))
        for strength in STRENGTHS:
            smiles = [pair(make, clip, smiling(clip, strength)) for clip in clips]
            one = compare(smiles, None)
            told(_line(source, f"smile of {strength:g}", one))


def _line(source: str, name: str, one: Agreement) -> str:
    return f"{source:<11}{name:<17}{one.true:7.3f}{one.error:8.3f}{one.gain:8.2f}"


if __name__ == "__main__":
    main()
