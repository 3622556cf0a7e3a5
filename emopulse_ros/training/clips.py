"""Training clips: synthetic faces seen through the real stages, kept as flow and truth.

A clip is made from its number alone, so that a set can be made by several processes, stopped and
taken up again, and made anew elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.face.beside import Beside
from emopulse_ros.face.look import Look
from emopulse_ros.face.mesh import Mesh
from emopulse_ros.face.stage import FaceStage
from emopulse_ros.flow.recipe import FlowRecipe
from emopulse_ros.flow.stage import FlowStage
from emopulse_ros.stream import Frame
from emopulse_ros.synthesis.habits import Habits, write_script
from emopulse_ros.synthesis.scene import Scene
from emopulse_ros.synthesis.script import MILLISECOND, Script

FRAME = 5 * MILLISECOND
LENGTH = 1300 * MILLISECOND

MakeScene = Callable[[int, Script], Scene]
"""From a seed and a script to a scene."""

OTHERS = 1_000_000
"""Distance between the seeds of scripts that are laid over each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One face over a second or so.

    ``flow`` ``(T, 2 R, H, W) int8``: u and v against each of R references, packed; ``strength``
    ``(T, A) float16``: true strength of each action unit; ``active`` ``(T, A) bool``: between
    onset and offset.
    """

    flow: NDArray[np.int8]
    strength: NDArray[np.float16]
    active: NDArray[np.bool_]

    def save(self, path: Path) -> None:
        """Write to ``path``, whole or not at all."""
        half = path.with_suffix(".part")
        with half.open("wb") as file:
            np.savez(file, flow=self.flow, strength=self.strength, active=self.active)
        half.rename(path)

    @classmethod
    def load(cls, path: Path) -> Clip:
        """Read what :meth:`save` wrote."""
        with np.load(path) as kept:
            return cls(kept["flow"], kept["strength"], kept["active"])


def pack(flow: NDArray[np.float32]) -> NDArray[np.int8]:
    """Flow in pixels to bytes: steps of 0.002 px near zero, of 0.2 px at 5 px, and no further."""
    scaled: NDArray[np.float32] = np.rint(np.arcsinh(flow * 20.0) * 24.0)
    return scaled.clip(-127, 127).astype(np.int8)


def unpack(packed: NDArray[np.int8]) -> NDArray[np.float32]:
    """The flow that :func:`pack` was given, but for rounding."""
    table = np.sinh(np.arange(-128, 128) / 24.0) / 20.0
    flow: NDArray[np.float32] = table.astype(np.float32)[packed.astype(np.int16) + 128]
    return flow


def habits_of(seed: int) -> Habits:
    """What the face of a training clip does: micro-expressions mostly, of all lengths and
    strengths, now and then a large one, more blinks than in life, a still or a restless head."""
    random = np.random.default_rng([seed, 0x4AB1])
    shortest = random.uniform(40.0, 200.0)
    return Habits(
        micro_ms=(shortest, shortest + random.uniform(50.0, 300.0)),
        strength=(0.1, random.uniform(0.25, 0.6)),
        pause_ms=(60.0, random.uniform(150.0, 700.0)),
        blink_every_ms=(500.0, 2500.0),
        macro=random.choice([0.0, 0.0, 0.3]),
        macro_ms=(200.0, 1000.0),
        sway=random.uniform(0.0, 2.5),
        quiet_ms=random.uniform(50.0, 500.0),
    )


def script_of(seed: int, *, crowded: bool) -> Script:
    """The script of a clip.

    ``crowded`` lays up to three more scripts over it: units that come and go independently of each
    other, several at a time, teach more per rendered frame than a natural face does. What is
    measured, and the probabilities, come from natural ones.
    """
    script = write_script(seed, LENGTH, habits_of(seed))
    if not crowded:
        return script
    more = int(np.random.default_rng([seed, 0xDE45]).choice([0, 1, 3, 3]))
    others = [
        write_script(seed + OTHERS * number, LENGTH, habits_of(seed + OTHERS * number))
        for number in range(1, more + 1)
    ]
    laid_over = [one for other in others for one in other.movements if one.kind != "blink"]
    movements = sorted([*script.movements, *laid_over], key=lambda one: one.onset)
    return replace(script, movements=tuple(movements))


def make_clip(seed: int, make_scene: MakeScene, look: Look, *, crowded: bool) -> Clip | None:
    """The clip of a seed, or None if its face was not found from start to end."""
    cv2.setNumThreads(1)
    scene = make_scene(seed, script_of(seed, crowded=crowded))
    beside: Beside[Mesh | None] = Beside(wait=True)
    face, flow = FaceStage(look, beside), FlowStage(FlowRecipe())
    planes = [index for index, name in enumerate(flow.recipe.channels) if name[0] in "uv"]
    packed, times = [], []
    try:
        for number, time in enumerate(range(0, LENGTH, FRAME)):
            crop = face(Frame(time, number, scene.render(time)))
            if crop is None or crop.face_id != 1:
                continue
            packed.append(pack(flow(crop).data[planes]))
            times.append(time)
    finally:
        beside.close()
    if len(times) < 0.9 * LENGTH / FRAME:
        return None
    script = scene.script
    strength = np.array([script.intensity(time) for time in times]).astype(np.float16)
    return Clip(np.array(packed), strength, np.array([script.active(time) for time in times]))


def rendered(kit: Path) -> MakeScene:
    """Scenes with faces of the 3D face kit at this path; needs numba."""
    from emopulse_ros.synthesis.face_kit import load_face_kit
    from emopulse_ros.synthesis.rendered import RenderedScene

    face_kit = load_face_kit(kit)

    def make(seed: int, script: Script) -> Scene:
        random = np.random.default_rng([seed, 0xFACE])
        width = float(random.uniform(120.0, 180.0))
        noise = float(random.choice([0.5, 1.0, 2.0, 3.0]))
        return RenderedScene(script, face_kit, seed, face_width=width, noise=noise)

    return make


def portrait() -> MakeScene:
    """Scenes with the embedded portrait, made to look like many people."""
    from emopulse_ros.synthesis.portrait import PortraitScene

    def make(seed: int, script: Script) -> Scene:
        return PortraitScene.varied(seed, script, (256, 256))

    return make


def make_clips(
    folder: Path, seeds: list[int], make_scene: MakeScene, name: str, *, crowded: bool
) -> None:
    """Make the clips of these seeds that ``folder`` does not hold yet.

    A clip is ``NAME-SEED.npz``; one whose face was lost leaves an empty ``NAME-SEED.none``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    look = Look()
    for seed in seeds:
        path = folder / f"{name}-{seed:06d}.npz"
        if path.exists() or path.with_suffix(".none").exists():
            continue
        clip = make_clip(seed, make_scene, look, crowded=crowded)
        if clip is None:
            path.with_suffix(".none").touch()
        else:
            clip.save(path)
