"""Under which conditions a clip is seen: as it is, corrupted, by other cameras, from aside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from emopulse_ros.evaluation.benchmark.clips import BenchmarkError, Clip, MakeScene
from emopulse_ros.stream import Frame
from emopulse_ros.synthesis.corruption import CORRUPTIONS, filmed_through
from emopulse_ros.synthesis.scene import Scene, filmed
from emopulse_ros.synthesis.script import Script

CLEAN = "clean"
CAMERAS = {"camera_120": 120, "camera_240": 240}
"""Frames a second of other cameras than the usual one."""

TURNED_HEAD = "turned_head"

MEDIUM = 1
"""Of a corruption's levels the benchmark shows the medium one."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; ``level``, ``unit`` and ``meaning`` say in words what it is."""

    name: str
    level: float
    unit: str
    meaning: str


ALL: tuple[Condition, ...] = (
    *(
        Condition(name, one.levels[MEDIUM], one.unit, one.meaning)
        for name, one in CORRUPTIONS.items()
    ),
    *(
        Condition(name, float(rate), "frames a second", "in place of 200")
        for name, rate in CAMERAS.items()
    ),
    Condition(TURNED_HEAD, 12.0, "degrees", "by which the head is turned aside all the time"),
)
"""Every condition but the clean one, in the order of every table."""


def chosen(names: str) -> tuple[Condition, ...]:
    """The conditions that ``none``, ``all`` or names with commas between stand for.

    :raises BenchmarkError: for a name nobody knows.
    """
    if names in ("none", "all"):
        return ALL if names == "all" else ()
    wanted = [name.strip() for name in names.split(",")]
    unknown = [name for name in wanted if name not in {one.name for one in ALL}]
    if unknown:
        raise BenchmarkError(
            f"nobody knows the corruption {', '.join(map(repr, unknown))}: there is none, all, "
            f"{', '.join(one.name for one in ALL)}"
        )
    return tuple(one for one in ALL if one.name in wanted)


class _Remembered:
    """A scene that keeps its light once drawn: all corruptions begin with the same."""

    def __init__(self, scene: Scene) -> None:
        self.script = scene.script
        self.render, self.expose = scene.render, scene.expose
        self.flow, self.eyes = scene.flow, scene.eyes
        self.light = cache(scene.light)


class Showing:
    """A clip, ready to be seen under any condition; what they share is rendered once, if at all."""

    def __init__(self, clip: Clip, make_scene: MakeScene) -> None:
        self._clip = clip
        self._make_scene = make_scene
        self._script = clip.script()

    @cached_property
    def _scene(self) -> Scene:
        scene = self._make_scene(self._clip, self._script)
        return _Remembered(scene) if self._clip.corrupted else scene

    def frames(self, condition: Condition | None = None) -> Iterable[Frame]:
        """The frames under a condition; None is the clean one."""
        if condition is None:
            return filmed(self._scene, self._clip.length)
        if condition.name in CAMERAS:
            return filmed(self._scene, self._clip.length, CAMERAS[condition.name])
        if condition.name == TURNED_HEAD:
            side = 1.0 if self._clip.number % 2 else -1.0
            turned = _turned(self._script, side * float(np.radians(condition.level)))
            scene = self._make_scene(self._clip, turned)
            return filmed(scene, self._clip.length)
        trouble = {condition.name: condition.level}
        return filmed_through(self._scene, self._clip.length, self._clip.seed, trouble)


def _turned(script: Script, yaw: float) -> Script:
    """The script with the head turned aside: a wave that stands still at its crest."""
    aside = np.zeros((len(script.sway), 1, 3))
    aside[3, 0] = (yaw, 0.0, np.pi / 2.0)
    return replace(script, sway=np.concatenate([script.sway, aside], axis=1))
