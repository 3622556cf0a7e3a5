"""A camera that plays a folder of numbered images."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.camera.numbered import numbered_images
from emopulse_ros.camera.source import CameraError, Closing, check_rate, end_of
from emopulse_ros.stream import Frame, read_only
from emopulse_ros.synthesis.script import Script

NAMED = 3
"""As many unreadable images are named; the others are only counted."""


class FolderCamera(Closing):
    """The images of a folder as frames, in gray, in the order of their numbers; :class:`Camera`.

    The first image is at stamp 0, the one numbered ``k`` more at ``k / rate`` with ``rate`` in
    frames per second; the sequence counts likewise, so a number that is missing is a dropped
    frame. ``first`` and ``last`` leave out images of lower and of higher numbers. ``loop`` begins
    again after the last image, stamps going on; ``duration`` in s ends the stream.

    An image that cannot be read is left out: it is one of the ``unreadable``, and ``shortfall``
    says so in a sentence, which is also logged as a warning at the end.

    :raises ValueError: if the rate or the duration makes no sense.
    :raises CameraError: if the folder has no numbered image that can be read; while it is read,
        if an image has another size than the first one.
    """

    def __init__(
        self,
        path: str | Path,
        rate: float = 200.0,
        first: int | None = None,
        last: int | None = None,
        loop: bool = False,
        duration: float | None = None,
    ) -> None:
        check_rate(rate)
        self._end = end_of(duration)
        self._folder = Path(path).expanduser()
        images = numbered_images(self._folder)
        self._paths = {
            number: file
            for number, file in images.paths.items()
            if (first is None or number >= first) and (last is None or number <= last)
        }
        if not self._paths:
            raise CameraError(
                f"'{self._folder}' holds no image numbered {first or 0} to {last or 'the last'}; "
                f"its numbers go from {images.numbers[0]} to {images.numbers[-1]}."
            )
        self.numbers = tuple(self._paths)
        self.name = f"folder:{self._folder}"
        self.rate = rate
        self.script: Script | None = None
        self.unreadable: set[int] = set()
        self.size = self._first_size()
        self._loop = loop
        self._next = 0
        self._open = True

    @property
    def shortfall(self) -> str | None:
        """What could not be read so far, in a sentence; None if nothing."""
        if not self.unreadable:
            return None
        names = [self._paths[number].name for number in sorted(self.unreadable)]
        named = ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
        return (
            f"{len(names)} of {len(self.numbers)} images in '{self._folder}' could not be read "
            f"and are left out: {named}."
        )

    def stamp(self, number: int) -> int:
        """When the image of this number is shown the first time, in ns; it need not exist."""
        return round((number - self.numbers[0]) * 1e9 / self.rate)

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        while self._open:
            turn, index = divmod(self._next, len(self.numbers))
            past_end = turn > 0 and not self._loop
            if past_end or len(self.unreadable) == len(self.numbers):
                break
            number = self.numbers[index]
            passed = turn * (self.numbers[-1] - self.numbers[0] + 1)
            if self.stamp(number + passed) >= self._end:
                break
            self._next += 1
            image = self._read(number)
            if image is not None:
                sequence = number - self.numbers[0] + passed
                return Frame(self.stamp(number + passed), sequence, image)
        if self._open and self.shortfall:
            logging.getLogger(__name__).warning(self.shortfall)
        self.close()
        raise StopIteration

    def close(self) -> None:
        """End the stream; safe to call twice and from another thread."""
        self._open = False

    def _first_size(self) -> tuple[int, int]:
        for number in self.numbers:
            image = _decoded(self._paths[number])
            if image is not None:
                return image.shape[1], image.shape[0]
        raise CameraError(
            f"None of the {len(self.numbers)} images in '{self._folder}' can be read; "
            "copy the folder again."
        )

    def _read(self, number: int) -> NDArray[np.uint8] | None:
        path = self._paths[number]
        image = _decoded(path)
        if image is None:
            self.unreadable.add(number)
            return None
        height, width = image.shape
        if (width, height) != self.size:
            self.close()
            raise CameraError(
                f"'{path}' is {width}x{height} pixels, the images before it "
                f"{self.size[0]}x{self.size[1]}; a folder must hold images of one size."
            )
        return read_only(image)


def _decoded(path: Path) -> NDArray[np.uint8] | None:
    """An image in gray, ``(H, W) uint8``; None if it cannot be read or is cut off."""
    try:
        data = path.read_bytes()
        # OpenCV fills what is missing of a JPEG with gray; this is the mark of its end.
        if data[:2] == b"\xff\xd8" and b"\xff\xd9" not in data:
            return None
        flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except (OSError, cv2.error):
        return None
    return None if image is None else np.asarray(image, np.uint8)
