"""Flow, rigid part and strain with their inner loops compiled: half of the time.

Numbers differ from those of the classes they stand for by the order of sums.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.flow import kernels, rigid_kernels
from emopulse_ros.flow.dense import PRIOR, Flow, Level, LucasKanade, Plane, Pyramid, Tensor
from emopulse_ros.flow.rigid import ROUNDS, SPREAD, RigidPart
from emopulse_ros.flow.strain import Field, SkinMotion


class CompiledLucasKanade(LucasKanade):
    """:class:`LucasKanade`, by two calls for each level of the pyramid."""

    def _tensor(
        self, level: Level, picture: Plane
    ) -> tuple[tuple[Plane, Plane], NDArray[np.float32]]:
        across, down = np.empty((2, *picture.shape), np.float32)
        inverse = np.empty((3, level.grid, level.grid), np.float32)
        kernels.structure_tensor(picture, level.window, PRIOR, across, down, inverse)
        return (across, down), inverse

    def _search(
        self, index: int, crop: Pyramid, tensor: Tensor, reference: Pyramid, flow: Flow
    ) -> Flow:
        level = self._levels[index]
        finer = np.empty((2, level.grid, level.grid), np.float32)
        kernels.search(
            crop.pictures[index],
            reference.pictures[index],
            *tensor.gradients[index],
            tensor.inverses[index],
            level.window,
            flow,
            finer,
        )
        return finer


class CompiledRigidPart(RigidPart):
    """:class:`RigidPart`, by one call."""

    def remove(self, field: Field, skin: Field | None = None) -> Field:
        left: Field = np.empty_like(field) if skin is None else skin
        rigid_kernels.remove_rigid(
            field,
            self._design,
            self._products,
            self._prior,
            self._ridge,
            self._motions,
            ROUNDS,
            SPREAD,
            left,
        )
        return left

    def _robust(self, motion: NDArray[np.float64]) -> NDArray[np.float64]:
        solved = np.empty(len(self._design))
        rigid_kernels.robust_fit(
            motion,
            self._design,
            self._products,
            self._prior,
            self._ridge,
            ROUNDS,
            SPREAD,
            solved,
        )
        return solved


class CompiledSkinMotion(SkinMotion):
    """:class:`SkinMotion`, by one call each."""

    def strain(self, motion: Field) -> None:
        kernels.strain_tensor(motion)

    def since(self, motion: Field, before: Field, planes: Field) -> None:
        kernels.since(motion, before, planes)

    def mean(self, motion: Field, before: Field, mask: Plane) -> float:
        return kernels.mean_motion(motion, before, mask)
