"""The set: which clips there are, and how each is made from its seed.

The seeds are the benchmark's own. A seed draws the script and the camera, and of the rendered the
person and the skin too: none of them was ever seen in training. The portrait is one person, whom
each seed gives other features, light and tone; training has the same one, so that on the portrait
it is looks, motions and pictures that are new, not the person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from emopulse_ros.synthesis.habits import MICRO, QUIET, Habits, write_script
from emopulse_ros.synthesis.portrait import PortraitScene
from emopulse_ros.synthesis.scene import Scene
from emopulse_ros.synthesis.script import SECOND, Script

BENCHMARK_VERSION = 3
"""Figures are comparable only within one version: whatever changes a clip raises it."""

FIRST_SEED = 900_000
LENGTH = 6 * SECOND

Source = Literal["portrait", "rendered"]
SOURCES: tuple[Source, ...] = ("portrait", "rendered")

Kind = Literal["micro", "quiet"]
HABITS: dict[Kind, Habits] = {"micro": MICRO, "quiet": QUIET}

WHOLE: dict[Kind, tuple[int, int]] = {"micro": (24, 6), "quiet": (30, 4)}
"""Clips of each source and, the first of them, those that are shown under corruptions too."""

QUICK: dict[Kind, tuple[int, int]] = {"micro": (4, 2), "quiet": (2, 1)}
"""Likewise of the quick part."""

MakeScene = Callable[["Clip", Script], Scene]
"""From a clip and its script to what it shows."""


class BenchmarkError(ValueError):
    """The benchmark cannot be run as asked."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip, ``length`` ns long; ``number`` counts those of a source and kind.

    ``corrupted`` says whether it is shown under corruptions too.
    """

    source: Source
    kind: Kind
    number: int
    corrupted: bool
    length: int = LENGTH

    @property
    def name(self) -> str:
        """How reports call it."""
        return f"{self.source}-{self.kind}-{self.number:02d}"

    @property
    def seed(self) -> int:
        """What it is made from."""
        place = 2 * SOURCES.index(self.source) + list(HABITS).index(self.kind)
        return FIRST_SEED + 1_000 * place + self.number

    def script(self) -> Script:
        """What its face does; micro-expressions, or all else that faces do."""
        return write_script(self.seed, self.length, HABITS[self.kind])


def the_set(sources: Sequence[Source] = SOURCES, *, quick: bool = False) -> tuple[Clip, ...]:
    """The clips of these sources; ``quick`` takes the first few of each kind."""
    return tuple(
        Clip(source, kind, number, number < corrupted)
        for source in sources
        for kind, (count, corrupted) in (QUICK if quick else WHOLE).items()
        for number in range(count)
    )


def scene_maker(face_kit: Path | None) -> MakeScene:
    """What makes the scene of a clip; those of rendered people need the face kit.

    :raises BenchmarkError: if numba, which draws them, is not installed.
    :raises ValueError: if the file is no face kit.
    """
    if face_kit is None:
        return _portrait
    try:
        from emopulse_ros.synthesis.face_kit import load_face_kit
        from emopulse_ros.synthesis.rendered import RenderedScene
    except ModuleNotFoundError as error:
        raise BenchmarkError(
            f"rendered people need {error.name}, which is not installed: pip install {error.name}, "
            "or leave out --face-kit"
        ) from error
    kit = load_face_kit(face_kit)

    def make(clip: Clip, script: Script) -> Scene:
        if clip.source == "portrait":
            return _portrait(clip, script)
        random = np.random.default_rng([clip.seed, 0xBE2C])
        width, noise = random.uniform(120.0, 180.0), random.uniform(0.5, 3.0)
        return RenderedScene(script, kit, clip.seed, face_width=float(width), noise=float(noise))

    return make


def _portrait(clip: Clip, script: Script) -> Scene:
    return PortraitScene.varied(clip.seed, script)
