"""One look at a picture: where the known faces are now, and who else there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.face.finder import Detection, FaceFinder
from emopulse_ros.face.mesh import FaceMesh, Mesh, Region


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a look found: for each region asked about its face, or None, and the other faces, the
    largest first."""

    again: tuple[Mesh | None, ...]
    others: tuple[Mesh, ...] = ()


class LookFunction(Protocol):
    """Anything that looks as :class:`Look` does."""

    def __call__(
        self, image: NDArray[np.uint8], regions: Sequence[Region], wanted: int, /
    ) -> Seen: ...


class Look:
    """Finds the faces of a picture, and again those it is told about."""

    def __init__(self) -> None:
        self._finder = FaceFinder()
        self._mesh = FaceMesh()

    def __call__(self, image: NDArray[np.uint8], regions: Sequence[Region], wanted: int, /) -> Seen:
        """The faces in ``regions`` of ``(H, W) uint8``, and up to ``wanted`` others anywhere.

        A face that is not in its region is searched for in the whole picture too.
        """
        again = [self._mesh.fit(image, region) for region in regions]
        others: list[Mesh] = []
        missing = [number for number, mesh in enumerate(again) if mesh is None]
        if not missing and wanted < 1:
            return Seen(tuple(again))
        for detection in self._finder.find(image):
            known = [mesh.region for mesh in (*again, *others) if mesh is not None]
            if any(region.holds(_middle(detection)) for region in known):
                continue
            mesh = self._fit(image, detection)
            if mesh is None:
                continue
            lost = [n for n in missing if again[n] is None and regions[n].is_near(mesh.region)]
            if lost:
                again[lost[0]] = mesh
            elif len(others) < wanted:
                others.append(mesh)
        return Seen(tuple(again), tuple(others))

    def _fit(self, image: NDArray[np.uint8], detection: Detection) -> Mesh | None:
        middle = np.array(_middle(detection), np.float32)
        region = Region.around(middle, detection.side, *detection.eyes)
        mesh = self._mesh.fit(image, region)
        # A second fit from the first one's own region: the detector's box is a rough one.
        return None if mesh is None else self._mesh.fit(image, mesh.region)


def _middle(detection: Detection) -> tuple[float, float]:
    left, top, right, bottom = detection.box
    return (left + right) / 2, (top + bottom) / 2
