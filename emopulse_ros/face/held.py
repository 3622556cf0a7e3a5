"""A face that is being followed, from one look of the mesh to the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.face.align import Key, Matrix, Source, compose, invert
from emopulse_ros.face.mesh import Mesh
from emopulse_ros.face.template import similarity
from emopulse_ros.stream import FaceCrop, Frame, read_only

GAIN = 0.08
"""Share of the mesh's correction taken at each look: its jitter must not shake the crop."""

FAR = 4.0
"""Correction in crop pixels beyond which the crop is moved faster, by ``FAR_GAIN``."""

FAR_GAIN = 0.3

LOST = 16.0
"""Correction in crop pixels that can only mean that the crop has lost the face."""

LIKENESS = 0.5
"""Correlation with the key picture below which the crop is not trusted."""

REKEY_MS = 1000.0
"""Age of the key picture at which a new one is taken."""


class Held:
    """Where a face's key picture lies now, and the mesh's slow correction to it.

    ``weight`` is the mask of :func:`~emopulse_ros.face.template.bone_mask`, half as large as the
    crop. There is no crop until ``quiet_until`` (ns): what reads the stream then finds a hole.
    """

    def __init__(
        self,
        face_id: int,
        mesh: Mesh,
        frame: Frame,
        weight: NDArray[np.float32],
        quiet_until: int = 0,
    ) -> None:
        self.face_id = face_id
        self.misses = 0
        """Looks in a row that did not find it."""
        self.region = mesh.region
        self.last_seen = frame.stamp
        """Stamp of its last crop, or of the look that found it."""
        self.hidden = False
        """Whether the last frame did not look like it."""
        self._weight = weight
        self._size = 2 * weight.shape[0]
        self._quiet_until = quiet_until
        self._aligned = similarity(mesh.points, self._size)
        self._correction: Matrix = np.eye(2, 3)
        self._take_key(
            Source(frame.image, self._aligned, self._size).warp(self._aligned), frame.stamp
        )

    @property
    def to_image(self) -> Matrix:
        """From a pixel of the crop to a pixel of the picture."""
        return compose(self._aligned, self._correction)

    def follow(self, frame: Frame) -> None:
        """Align to the key picture."""
        self._source = Source(frame.image, self._aligned, self._size)
        self._aligned, self._likeness = self._key.align(self._source, self._aligned)

    def correct(self, mesh: Mesh, seen_from: Matrix) -> bool:
        """Move the crop a little towards where the mesh saw the face, or return False: too far.

        ``seen_from`` is where the crop was when the mesh looked.
        """
        self.misses = 0
        error = compose(invert(seen_from), similarity(mesh.points, self._size))
        middle = np.full(2, (self._size - 1) / 2)
        shift = error[:, :2] @ middle + error[:, 2] - middle
        scale, turn = error[0, 0] - 1.0, error[1, 0]
        reach = float(np.hypot(*shift)) + self._size / 4 * (abs(scale) + abs(turn))
        if reach > LOST:
            return False
        self.region = mesh.region
        gain = FAR_GAIN if reach > FAR else GAIN
        linear = np.array([[1 + gain * scale, -gain * turn], [gain * turn, 1 + gain * scale]])
        step = np.column_stack([linear, middle - linear @ middle + gain * shift])
        self._correction = compose(self._correction, step)
        return True

    def crop(self, frame: Frame) -> FaceCrop | None:
        """The face in the frame it was followed to last, unless it is ``hidden`` there."""
        to_image = self.to_image
        image = self._source.warp(to_image)
        self.hidden = self._likeness < LIKENESS
        if self.hidden:
            return None
        if frame.stamp - self._key_stamp > REKEY_MS * 1e6:
            self._take_key(image, frame.stamp)
        if frame.stamp < self._quiet_until:
            return None
        self.last_seen = frame.stamp
        return FaceCrop(
            frame.stamp,
            frame.sequence,
            self.face_id,
            read_only(image),
            read_only(to_image),
            frame.frame_id,
            (frame.image.shape[1], frame.image.shape[0]),
        )

    def _take_key(self, crop: NDArray[np.uint8], stamp: int) -> None:
        """Follow this crop from now on, which is the present one."""
        self._key = Key(crop, self._weight)
        self._key_stamp = stamp
        self._aligned = self.to_image
        self._correction = np.eye(2, 3)
