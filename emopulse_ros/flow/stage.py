"""The flow stage: from a crop to how its skin has moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.face.template import bone_mask, face_mask, relief
from emopulse_ros.flow.dense import Flow
from emopulse_ros.flow.methods import methods
from emopulse_ros.flow.recipe import FlowRecipe
from emopulse_ros.flow.references import Field, NeutralFace, PastMotion
from emopulse_ros.stream import FaceCrop, FlowStep, read_only

CALM = 0.10
"""Mean motion, in pixels of the flow grid and beyond the pictures' noise, below which a face is at
rest."""

OUTLIVES = 1.2
"""What noise adds to a flow that is followed is partly there in the next picture, too: what two in
succession show of it, measured on still pictures of many noises, is to all of it as 1 to this."""

GAP_MS = 60.0
"""A hole in the stream after which the past is forgotten."""

_GRID_TO_CROP = np.array([[2.0, 0.0, 0.5], [0.0, 2.0, 0.5], [0.0, 0.0, 1.0]])


class FlowStage:
    """Measures the flow of one face against its neutral picture, and so against its past.

    The flow since 160 ms ago is the difference of two flows since the neutral face, its own and
    the one of 160 ms ago. Measured directly it cost as much again, and told the network no more.
    It starts clean with a new face and after a hole in the stream, and says so in ``restarted``.
    Unless it ``adapts``, a face's first picture stays its neutral one: for comparison only.
    """

    def __init__(self, recipe: FlowRecipe | None = None, *, adapts: bool = True) -> None:
        self.recipe = recipe or FlowRecipe()
        self._adapts = adapts
        self._channels = self.recipe.channels
        grid = self.recipe.grid
        how = methods()
        self._dense = how.dense(grid)
        self.crop_size = self._dense.crop_size
        self._rigid = how.rigid(bone_mask(grid), relief(grid))
        self._motion = how.motion()
        self._at_rest = np.zeros((5, grid, grid), np.float32)
        face = face_mask(grid)
        self._face = face / face.sum()
        self._longest = max(self.recipe.baselines_ms)
        self._past = PastMotion(self._longest)
        self._neutral = NeutralFace(CALM)
        self._last: FaceCrop | None = None
        self._fresh = True
        self._flow: Flow | None = None
        self.neutral_motion: Field = np.zeros((2, grid, grid), np.float32)
        """Where the neutral face that the next step counts from is, against the first one."""

    def __call__(self, crop: FaceCrop) -> FlowStep:
        """Return how the skin has moved; the first crop of a face has not moved at all.

        :raises ValueError: if the crop's size is not the one the recipe asks for.
        """
        if crop.image.shape != (self.crop_size, self.crop_size):
            raise ValueError(
                f"the crop is {crop.image.shape}, but the flow wants {self.crop_size} pixels square"
            )
        last = self._last
        if last is not None and (
            crop.face_id != last.face_id or not 0 < crop.stamp - last.stamp <= GAP_MS * 1e6
        ):
            self._fresh = True
        self._last = crop
        pyramid = self._dense.pyramid(crop.image)
        if self._fresh:
            self._past.clear()
            self._neutral.start(crop.stamp, pyramid)
            self._flow = None
            self.neutral_motion = np.zeros_like(self.neutral_motion)
        tensor = self._dense.tensor(pyramid)
        self._flow = self._dense.flow(pyramid, tensor, self._neutral.crop, self._flow)
        motion = np.empty((5, *self._flow.shape[1:]), np.float32)
        self._rigid.remove(self._flow, motion[:2])
        self._motion.strain(motion)
        last_motion = motion if self._fresh else self._past.before(crop.stamp, 0.0)
        noise = OUTLIVES * self._motion.mean(motion, last_motion, self._face)
        self._past.add(crop.stamp, motion)
        data = np.empty((len(self._channels) // 3, 3, *motion.shape[1:]), np.float32)
        for planes, ms in zip(data, self.recipe.baselines_ms, strict=False):
            self._motion.since(motion, self._past.before(crop.stamp, ms), planes)
        if self.recipe.neutral:
            self._motion.since(motion, self._at_rest, data[-1])
        longest = data[self.recipe.baselines_ms.index(self._longest)]
        moving = self._motion.mean(longest, self._at_rest, self._face)
        away = self._motion.mean(motion, self._at_rest, self._face)
        if self._adapts and self._neutral.update(crop.stamp, pyramid, moving, away, noise):
            self.neutral_motion = self.neutral_motion + self._past.rebase()[:2]
            self._flow = None
        step = FlowStep(
            crop.stamp,
            crop.sequence,
            crop.face_id,
            read_only(data.reshape(-1, *data.shape[2:])),
            self._channels,
            read_only(_grid_to_image(crop)),
            self._fresh,
            crop.frame_id,
            crop.frame_size,
        )
        self._fresh = False
        return step


def _grid_to_image(crop: FaceCrop) -> NDArray[np.float64]:
    """Geometry of the flow grid: a grid pixel is the middle of two by two crop pixels."""
    to_image: NDArray[np.float64] = crop.to_image @ _GRID_TO_CROP
    return to_image
