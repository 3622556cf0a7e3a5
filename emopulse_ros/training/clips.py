"""Training clips: synthetic faces seen through the real stages, kept as motion and truth.

A clip is made from its number alone, so that a set can be made by several processes, stopped and
taken up again, and made anew elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.face.beside import Beside
from emopulse_ros.face.look import Look, Seen
from emopulse_ros.face.stage import FaceStage
from emopulse_ros.flow.recipe import FlowRecipe
from emopulse_ros.flow.stage import FlowStage
from emopulse_ros.stream import Frame
from emopulse_ros.synthesis.corruption import CORRUPTIONS, filmed_through
from emopulse_ros.synthesis.scene import Scene, filmed
from emopulse_ros.synthesis.script import MILLISECOND, Script
from emopulse_ros.training.scripts import LENGTHS, Kind, script_of

FRAME = 5 * MILLISECOND

RESOLUTION = 1024.0
"""Steps per pixel in which motion is kept: several times finer than the noise of the flow."""

MakeScene = Callable[[int, Script], Scene]
"""From a seed and a script to a scene."""

SPOILT = 0.5
"""Share of clips whose pictures are corrupted in some way."""

SPOILERS = {
    "sensor_noise": 2.0, "motion_blur": 1.0, "exposure_flicker": 1.0, "jpeg": 1.0,
    "rolling_light": 1.0, "low_contrast": 1.0, "small_face": 1.0, "off_centre": 1.0, "glasses": 1.0,
}  # fmt: skip
"""What may be done to them, and how often against each other: all that leaves every frame in its
place."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One face over a second or so.

    ``motion`` ``(T, 2, H, W) int16``: where the skin is against the first neutral face, u and v in
    1/1024 pixel of the flow grid; ``neutral`` ``(N, 2, H, W) int16``: where the neutral faces that
    the stage went by were, likewise, and ``since`` ``(N,) int32``: the frame from which on it did.
    From these the flow against any reference follows, as :mod:`~emopulse_ros.training.windows`
    makes it. ``strength`` ``(T, A) float16``: true strength of each action unit; ``active``
    ``(T, A) bool``: between onset and offset.
    """

    motion: NDArray[np.int16]
    neutral: NDArray[np.int16]
    since: NDArray[np.int32]
    strength: NDArray[np.float16]
    active: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.motion)

    def save(self, path: Path) -> None:
        """Write to ``path`` and, the motion, beside it; whole or not at all."""
        with (half := path.with_suffix(".part")).open("wb") as file:
            np.save(file, self.motion)
        half.rename(path.with_suffix(".npy"))
        with half.open("wb") as file:
            np.savez(file, **{name: getattr(self, name) for name in self.__slots__[1:]})
        half.rename(path)

    @classmethod
    def load(cls, path: Path) -> Clip:
        """Read what :meth:`save` wrote; the motion stays on the disk until it is used."""
        # Copied where it is written to, for PyTorch takes no memory that cannot be written.
        motion = np.load(path.with_suffix(".npy"), mmap_mode="c")
        with np.load(path) as kept:
            return cls(motion, *(kept[name] for name in cls.__slots__[1:]))


def packed(motion: NDArray[np.float32]) -> NDArray[np.int16]:
    """Motion in pixels as a clip keeps it, up to 32 pixels."""
    limit = np.iinfo(np.int16).max
    steps: NDArray[np.float32] = np.rint(motion * RESOLUTION)
    return steps.clip(-limit, limit).astype(np.int16)


def pictures(scene: Scene, seed: int, kind: Kind) -> Iterator[Frame]:
    """The frames of a clip, half of them corrupted: a spoiler or two, of any level up to strong."""
    random = np.random.default_rng([seed, 0x5B01])
    if random.random() >= SPOILT:
        return filmed(scene, LENGTHS[kind])
    shares = np.array(list(SPOILERS.values()))
    count = int(random.integers(1, 3))
    chosen = random.choice(list(SPOILERS), count, replace=False, p=shares / shares.sum()).tolist()
    if kind == "slight" and "glasses" not in chosen and random.random() < 0.4:
        chosen.append("glasses")
    troubles = {}
    for name in chosen:
        mild, _, strong = CORRUPTIONS[name].levels
        troubles[name] = mild + (strong - mild) * random.random()
    return filmed_through(scene, LENGTHS[kind], seed, troubles)


def make_clip(seed: int, make_scene: MakeScene, look: Look, kind: Kind) -> Clip | None:
    """The clip of a seed, or None if its face was not found from start to end."""
    cv2.setNumThreads(1)
    scene = make_scene(seed, script_of(seed, kind))
    beside: Beside[Seen] = Beside(wait=True)
    face, flow = FaceStage(look, beside), FlowStage(FlowRecipe())
    motion, times = [], []
    neutral: list[NDArray[np.float32]] = []
    since: list[int] = []
    try:
        for frame in pictures(scene, seed, kind):
            crop = face.one(frame)
            if crop is None or crop.face_id != 1:
                continue
            step = flow(crop)
            # The last planes count from the neutral face; what the stage now says of it is for the
            # next step, but at the very first one both are the same.
            counted_from = neutral[-1] if neutral else flow.neutral_motion
            motion.append(packed(step.data[-3:-1] + counted_from))
            if not neutral or flow.neutral_motion is not counted_from:
                since.append(len(motion) if neutral else 0)
                neutral.append(flow.neutral_motion)
            times.append(frame.stamp)
    finally:
        beside.close()
    if len(times) < 0.9 * LENGTHS[kind] / FRAME or len(times) < (times[-1] - times[0]) / FRAME:
        return None
    return Clip(
        np.array(motion),
        packed(np.array(neutral)),
        np.array(since, np.int32),
        np.array([scene.script.intensity(time) for time in times]).astype(np.float16),
        np.array([scene.script.active(time) for time in times]),
    )


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


def portrait(*, mannered: bool = False) -> MakeScene:
    """Scenes with the embedded portrait, made to look like many people.

    If ``mannered``, each moves the face in its own way, too.
    """
    from emopulse_ros.synthesis.portrait import PortraitScene

    def make(seed: int, script: Script) -> Scene:
        return PortraitScene.varied(seed, script, (256, 256), mannered=mannered)

    return make


def make_clips(
    folder: Path, seeds: list[int], make_scene: MakeScene, name: str, kind: Kind
) -> None:
    """Make the clips of these seeds that ``folder`` does not hold yet.

    A clip is ``NAME-SEED.npz`` and ``.npy``; one whose face was lost leaves an empty
    ``NAME-SEED.none``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    look = Look()
    for seed in seeds:
        path = folder / f"{name}-{seed:06d}.npz"
        if path.exists() or path.with_suffix(".none").exists():
            continue
        clip = make_clip(seed, make_scene, look, kind)
        if clip is None:
            path.with_suffix(".none").touch()
        else:
            clip.save(path)
