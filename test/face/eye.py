"""A double of the looks at a picture, that is told where the faces are."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import wait

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.face.look import Seen
from emopulse_ros.face.mesh import Mesh, Region
from emopulse_ros.face.stage import ANSWER_AFTER_MS, FaceStage
from emopulse_ros.face.template import STABLE, crop_points
from emopulse_ros.stream import FaceCrop, Frame

from .test_align import IMAGE

MS = 1_000_000
WAIT = int(ANSWER_AFTER_MS // 5)
PLACE = np.array([[1.6, 0.0, 150.0], [0.0, 1.6, 120.0]])


def mesh_at(matrix: NDArray[np.float64]) -> Mesh:
    """A mesh whose stable points put the crop at this place."""
    points = np.tile(matrix @ [64.0, 64.0, 1.0], (468, 1))
    for index, place in zip(STABLE, crop_points(np.array(list(STABLE.values())), 128), strict=True):
        points[index] = matrix @ [*place, 1.0]
    return Mesh(points.astype(np.float32), 1.0)


class Eye:
    """Sees faces at ``places``, of those that it is asked about the nearest."""

    def __init__(self) -> None:
        self.places: list[NDArray[np.float64]] = [PLACE]
        self.wanted: list[int] = []
        """Of each look how many more faces it was to find,"""
        self.asked: list[int] = []
        """and about how many it was asked."""

    def __call__(self, _: NDArray[np.uint8], regions: Sequence[Region], wanted: int, /) -> Seen:
        self.wanted.append(wanted)
        self.asked.append(len(regions))
        meshes = [mesh_at(place) for place in self.places]
        again = []
        for region in regions:
            near = [mesh for mesh in meshes if away(region, mesh) < region.size]
            again.append(min(near, key=lambda mesh: away(region, mesh)) if near else None)
        others = [mesh for mesh in meshes if not any(mesh is known for known in again)]
        return Seen(tuple(again), tuple(others[:wanted]))


class PromptStage(FaceStage):
    """Looks before it returns: at what is there then, not at what a test puts there next."""

    def __call__(self, frame: Frame) -> list[FaceCrop]:
        crops = super().__call__(frame)
        self.begin_look()
        if self.beside._pending is not None:
            wait([self.beside._pending])
        return crops


def away(region: Region, mesh: Mesh) -> float:
    return float(np.hypot(region.x - mesh.region.x, region.y - mesh.region.y))


def frame(number: int, image: NDArray[np.uint8] = IMAGE) -> Frame:
    return Frame(number * 5 * MS, number, image)


def ids(crops: list[FaceCrop]) -> list[int]:
    return [crop.face_id for crop in crops]
