"""A camera that plays the images of a rosbag."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.bag.errors import BagError
from emopulse_ros.bag.file import BagFile, Received
from emopulse_ros.bag.messages import COMPRESSED_IMAGE, IMAGE, from_time
from emopulse_ros.camera.numbering import Numbering
from emopulse_ros.camera.pictures import decompressed, to_gray
from emopulse_ros.camera.source import CameraError, Closing, end_of
from emopulse_ros.stream import Frame
from emopulse_ros.synthesis.script import Script

IMAGES = {IMAGE: to_gray, COMPRESSED_IMAGE: decompressed}

LOOKED_AT = 20
"""Pictures from which the rate is known."""


class BagCamera(Closing):
    """The images on one topic of a bag as frames, in gray; :class:`Camera`.

    Stamps are the capture stamps of the images, counted from the first one, whose own stamp is
    ``origin``; if ``absolute`` they are left as they are. Frames are numbered by their stamps, so
    that lost ones leave a gap. An image whose stamp does not rise, or that is none, is left out;
    ``shortfall`` says so at the end, and what of the bag could not be read. ``duration`` in s ends
    the stream. Messages of the types in ``also`` are handed on as they come by, for reading a large
    bag takes its time. ``speed`` is how fast it wants to be played: 0.5 is half as fast as it was
    recorded.

    :raises ValueError: if the duration or the speed makes no sense.
    :raises CameraError: if there is no such bag, no image in it, or more than one topic of them.
    """

    def __init__(
        self,
        path: str | Path,
        topic: str | None = None,
        *,
        absolute: bool = False,
        duration: float | None = None,
        speed: float = 1.0,
        also: Mapping[str, Callable[[Received], None]] | None = None,
    ) -> None:
        self._end = end_of(duration)
        if not 0.01 <= speed <= 100.0:
            raise ValueError(f"The speed of a bag is {speed}; it must be 0.01 to 100.")
        self.path, self.speed = Path(path).expanduser(), speed
        try:
            self.bag = BagFile(self.path)
        except BagError as error:
            raise CameraError(str(error)) from error
        try:
            self.topic, kind = _topic(self.bag, topic)
            self._decode = IMAGES[kind]
            self._also = {
                one.name: (also or {})[one.type] for one in self.bag.of_type(*(also or {}))
            }
            self._useless = self._backwards = 0
            self._first_useless = ""
            self._pictures = self._read()
            self._ahead = self._look_ahead()
        except BaseException:
            self.bag.close()
            raise
        self.name = f"bag:{self.path}"
        self.script: Script | None = None
        self.origin = self._ahead[0][0]
        """Capture stamp of the first image, in ns."""
        self.rate = _rate([stamp for stamp, _ in self._ahead])
        height, width = self._ahead[0][1].shape
        self.size = (width, height)
        self._shift = 0 if absolute else self.origin
        self._numbering = Numbering()
        self._is_closed = False

    @property
    def shortfall(self) -> str | None:
        """What could not be read so far, in sentences; None if nothing is missing."""
        told = [f"{note}." for note in self.bag.notes]
        if self._backwards:
            told.append(
                f"{self._backwards} images on {self.topic} were left out because their stamps do "
                "not rise: was the camera's clock set, or are two cameras on one topic?"
            )
        if self._useless:
            told.append(
                f"{self._useless} images on {self.topic} were left out, the first because "
                f"{self._first_useless}."
            )
        return " ".join(told) or None

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        if self._is_closed:
            raise StopIteration
        item = self._ahead.pop(0) if self._ahead else next(self._pictures, None)
        if item is None or item[0] - self.origin >= self._end:
            self.close()
            raise StopIteration
        stamp, picture = item
        return Frame(stamp - self._shift, self._numbering(stamp), picture)

    def close(self) -> None:
        """Let go of the bag; safe to call twice."""
        if not self._is_closed:
            self._is_closed = True
            self.bag.close()

    def _read(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        last = -1
        for received in self.bag.messages(self.topic, *self._also):
            if received.topic != self.topic:
                self._also[received.topic](received)
                continue
            stamp = from_time(received.message.header.stamp)
            if stamp <= last:
                self._backwards += 1
                continue
            try:
                picture = self._decode(received.message)
            except ValueError as error:
                self._useless += 1
                self._first_useless = self._first_useless or str(error)
                continue
            last = stamp
            yield stamp, picture

    def _look_ahead(self) -> list[tuple[int, NDArray[np.uint8]]]:
        ahead = list(islice(self._pictures, LOOKED_AT))
        if not ahead:
            raise CameraError(
                f"no image on {self.topic} of {self.path} can be read: "
                f"{self.shortfall or 'there is none'}"
            )
        return ahead


def _topic(bag: BagFile, wanted: str | None) -> tuple[str, str]:
    there = {topic.name: topic.type for topic in bag.of_type(*IMAGES)}
    if wanted is not None:
        if wanted in there:
            return wanted, there[wanted]
        raise CameraError(
            f"there are no images on {wanted} in {bag.path}; {_listed(there) or 'there are none'}"
        )
    if not there:
        others = ", ".join(f"{topic.name} ({topic.type})" for topic in bag.topics) or "nothing"
        raise CameraError(f"there are no images in {bag.path}, which holds {others}")
    if len(there) > 1:
        raise CameraError(
            f"{bag.path} holds several topics of images: choose one; {_listed(there)}"
        )
    return next(iter(there.items()))


def _listed(topics: dict[str, str]) -> str:
    return f"there are {', '.join(sorted(topics))}" if topics else ""


def _rate(stamps: list[int]) -> float:
    if len(stamps) < 2:
        return 200.0
    return min(max(1e9 / float(np.median(np.diff(stamps))), 0.1), 10_000.0)
