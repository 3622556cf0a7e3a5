"""One look at a picture: follow the face that is known, else search the whole of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.face.finder import FaceFinder
from emopulse_ros.face.mesh import FaceMesh, Mesh, Region


class Look:
    """Finds the largest face of a picture, or again the one it is told about."""

    def __init__(self) -> None:
        self._finder = FaceFinder()
        self._mesh = FaceMesh()

    def __call__(self, image: NDArray[np.uint8], region: Region | None) -> Mesh | None:
        """The mesh of a face in ``(H, W) uint8``: in ``region`` if there is one, else anywhere."""
        if region is not None:
            mesh = self._mesh.fit(image, region)
            if mesh is not None:
                return mesh
        for detection in self._finder.find(image):
            left, top, right, bottom = detection.box
            centre = np.array([(left + right) / 2, (top + bottom) / 2], np.float32)
            mesh = self._mesh.fit(image, Region.around(centre, detection.side, *detection.eyes))
            # A second fit from the first one's own region: the detector's box is a rough one.
            if mesh is not None:
                return self._mesh.fit(image, mesh.region)
        return None
