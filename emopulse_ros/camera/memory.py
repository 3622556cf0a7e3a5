"""Another camera's pictures out of memory: drawn or decoded ahead, so that they cost nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from emopulse_ros.camera.source import Camera, CameraError, Closing
from emopulse_ros.stream import Frame
from emopulse_ros.synthesis.script import Script

AHEAD_S = 3.0
"""Seconds kept: 184 MB at 640x480 and 200 frames a second."""


class MemoryCamera(Closing):
    """Plays the first seconds of a camera to and fro, so that no picture jumps.

    For measuring: what makes the pictures is done before the first one is read. The truth of the
    camera does not hold for pictures that run backwards, so there is none.

    :raises CameraError: if the camera has no picture.
    """

    script: Script | None = None

    def __init__(self, camera: Camera, duration: float | None = None) -> None:
        with camera:
            kept = round(AHEAD_S * camera.rate)
            self._images = [frame.image for frame in islice(camera, kept)]
        if not self._images:
            raise CameraError(f"{camera.name} has no picture that could be kept in memory.")
        self.name = f"memory:{camera.name}"
        self.rate = camera.rate
        self.size = camera.size
        self._end = None if duration is None else round(duration * camera.rate)
        self._next = 0

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        number = self._next
        if not self._images or (self._end is not None and number >= self._end):
            raise StopIteration
        self._next += 1
        turn = max(2 * len(self._images) - 2, 1)
        place = number % turn
        image = self._images[min(place, turn - place)]
        return Frame(round(number * 1e9 / self.rate), number, image)

    def close(self) -> None:
        """Free the pictures."""
        self._images = []
