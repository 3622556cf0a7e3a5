"""A portrait with its face mesh, and the variations that make other looks of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.stream import read_only
from emopulse_ros.synthesis.face_frame import FaceFrame
from emopulse_ros.synthesis.grid import pixels


@dataclass(frozen=True, eq=False)
class Likeness:
    """A picture of a face and where its features are.

    ``picture`` is ``(H, W) uint8``; ``landmarks`` ``(468, 3) float32`` are those of MediaPipe's
    face mesh in pixels, the third growing with distance from the camera; ``mirror`` ``(468,)
    int16`` is each landmark's counterpart on the other half of the face.
    """

    picture: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    mirror: NDArray[np.int16]

    @property
    def frame(self) -> FaceFrame:
        """The face's own frame."""
        return FaceFrame.of(self.landmarks)

    def enlarged(self, factor: float) -> NDArray[np.uint8]:
        """The picture, ``factor`` times as large, smooth."""
        way = cv2.INTER_CUBIC if factor > 1.0 else cv2.INTER_AREA
        larger = cv2.resize(self.picture, None, fx=factor, fy=factor, interpolation=way)
        return np.asarray(larger, np.uint8)

    def mirrored(self) -> Likeness:
        """The same face as a mirror shows it: its left half has become its right."""
        landmarks = self.landmarks[self.mirror]
        landmarks[:, 0] = self.picture.shape[1] - 1 - landmarks[:, 0]
        return Likeness(np.ascontiguousarray(self.picture[:, ::-1]), landmarks, self.mirror)

    def morphed(self, random: np.random.Generator, amount: float = 1.0) -> Likeness:
        """Another face: this one, smoothly deformed at random.

        At ``amount`` 1 its features are displaced by 2% of the face's width and its proportions
        changed by 6%, one standard deviation.
        """
        height, width = self.picture.shape
        frame = self.frame
        # Control points some half a face apart, so that features change and edges stay smooth.
        knots = (round(2.0 * height / frame.width) + 2, round(2.0 * width / frame.width) + 2, 2)
        bumps = random.normal(0.0, 0.02 * amount * frame.width, knots).astype(np.float32)
        field = cv2.resize(bumps, (width, height), interpolation=cv2.INTER_CUBIC)
        here = pixels(width, height)
        stretch = random.normal(0.0, 0.06 * amount, 2).clip(-0.12, 0.12)
        field += (here - frame.origin) * stretch
        picture = cv2.remap(
            self.picture,
            (here - field).astype(np.float32),
            None,
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REFLECT,
        )
        landmarks = self.landmarks.copy()
        for _ in range(12):
            # What the picture shows at p came from p - field(p).
            at = landmarks[None, :, :2].copy()
            landmarks[:, :2] = (
                self.landmarks[:, :2]
                + cv2.remap(field, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
            )
        return Likeness(np.asarray(picture, np.uint8), landmarks, self.mirror)


@lru_cache(maxsize=1)
def astronaut() -> Likeness:
    """The portrait that comes with the package; see ``portrait.md`` for its origin."""
    folder = resources.files(__package__)
    coded = np.frombuffer((folder / "portrait.png").read_bytes(), np.uint8)
    picture = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
    with np.load(BytesIO((folder / "portrait.npz").read_bytes())) as mesh:
        return Likeness(read_only(picture), read_only(mesh["landmarks"]), read_only(mesh["mirror"]))
