"""The flow stage: from a crop to how its skin has moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.face.template import bone_mask, face_mask
from emopulse_ros.flow.dense import LucasKanade
from emopulse_ros.flow.recipe import FlowRecipe
from emopulse_ros.flow.references import NeutralFace, PastCrops, mean_motion
from emopulse_ros.flow.rigid import RigidPart
from emopulse_ros.flow.strain import optical_strain
from emopulse_ros.stream import FaceCrop, FlowStep, read_only

CALM = 0.10
"""Mean motion, in pixels of the flow grid, below which a face is at rest."""

GAP_MS = 60.0
"""A hole in the stream after which the past is forgotten."""


class FlowStage:
    """Measures the flow of one face against its past and its neutral picture.

    It starts clean with a new face and after a hole in the stream, and says so in ``restarted``.
    """

    def __init__(self, recipe: FlowRecipe | None = None) -> None:
        self.recipe = recipe or FlowRecipe()
        self._channels = self.recipe.channels
        grid = self.recipe.grid
        self._dense = LucasKanade(grid)
        self.crop_size = self._dense.crop_size
        self._rigid = RigidPart(bone_mask(grid))
        face = face_mask(grid)
        self._face = face / face.sum()
        self._longest = max(self.recipe.baselines_ms)
        self._past = PastCrops(self._longest)
        self._neutral = NeutralFace(CALM)
        self._last: FaceCrop | None = None
        self._fresh = True

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
            self._past.clear()
            self._neutral.clear()
            self._fresh = True
        self._last = crop
        pyramid = self._dense.pyramid(crop.image)
        self._past.add(crop.stamp, pyramid)
        references = [self._past.before(crop.stamp, ms) for ms in self.recipe.baselines_ms]
        neutral = self._neutral.crop or self._neutral.start(crop.stamp, pyramid)
        if self.recipe.neutral:
            references.append(neutral)
        tensor = self._dense.tensor(pyramid)
        flows = [self._dense.flow(pyramid, tensor, reference) for reference in references]
        fields = self._rigid.remove(np.array(flows))
        data = np.empty((len(fields), 3, *fields.shape[2:]), np.float32)
        data[:, :2] = fields
        for planes in data:
            planes[2] = optical_strain(planes[0], planes[1])
        motion = [mean_motion(planes[0], planes[1], self._face) for planes in data]
        moving = motion[self.recipe.baselines_ms.index(self._longest)]
        away = motion[-1] if self.recipe.neutral else moving
        self._neutral.update(crop.stamp, self._past, moving, away)
        step = FlowStep(
            crop.stamp,
            crop.sequence,
            crop.face_id,
            read_only(data.reshape(-1, *data.shape[2:])),
            self._channels,
            read_only(_grid_to_image(crop)),
            self._fresh,
            crop.frame_id,
        )
        self._fresh = False
        return step


def _grid_to_image(crop: FaceCrop) -> NDArray[np.float64]:
    """Geometry of the flow grid: a grid pixel is the middle of two by two crop pixels."""
    to_image: NDArray[np.float64] = crop.to_image.copy()
    to_image[:, 2] += to_image[:, :2] @ (0.5, 0.5)
    to_image[:, :2] *= 2.0
    return to_image
