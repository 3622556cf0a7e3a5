"""A video file, read picture by picture with the time of each."""

from __future__ import annotations

import os
from pathlib import Path

# The decoder's own complaints would stand beside ours, which say the same in a sentence.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.camera.source import CameraError
from emopulse_ros.stream import read_only

MILLISECOND = 1e6
SECOND = 1e9


class Tape:
    """The pictures of one file, from its first to its last, in gray.

    Times are ns since the first picture, by the file's own clock, and always rise: where the
    container gives no time or one that does not rise, the file's frame rate goes on from the last
    good one. With ``rate`` they are ``k / rate``. ``size`` is (width, height); ``rate`` is the
    forced one or the file's.

    :raises CameraError: if there is no such file or OpenCV reads no picture from it.
    """

    def __init__(self, path: Path, rate: float | None = None) -> None:
        _check_file(path)
        self._capture = cv2.VideoCapture(str(path))
        if not self._capture.isOpened():
            raise CameraError(f"'{path}' is no video that OpenCV can read, or it is cut off.")
        self._picture = self._decode()
        if self._picture is None:
            raise CameraError(f"'{path}' holds no picture that OpenCV can decode.")
        height, width = self._picture.shape
        self.size = (width, height)
        self.rate = rate or self._capture.get(cv2.CAP_PROP_FPS)
        if not 0.1 <= self.rate <= 10_000.0:
            raise CameraError(f"'{path}' does not say its frame rate; give one to read it at.")
        self._forced = rate is not None
        self._first = self._position()
        self._time = 0
        self._good, self._since_good = 0, 0

    def read(self) -> tuple[int, NDArray[np.uint8]] | None:
        """Return the next picture, ``(H, W) uint8`` read-only, with its time; None at the end."""
        picture, time = self._picture, self._time
        if picture is None:
            return None
        self._picture = self._decode()
        self._time = self._next_time(time)
        return time, read_only(picture)

    def _decode(self) -> NDArray[np.uint8] | None:
        more, picture = self._capture.read()
        if not more:
            return None
        gray = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        return np.asarray(gray, np.uint8)

    def _position(self) -> int:
        return round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * MILLISECOND)

    def _next_time(self, time: int) -> int:
        own = self._position() - self._first
        if own > time and not self._forced:
            self._good, self._since_good = own, 0
            return own
        self._since_good += 1
        return self._good + round(self._since_good * SECOND / self.rate)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise CameraError(f"There is no file '{path}'.")
    if path.is_dir():
        raise CameraError(f"'{path}' is a folder, not a video.")
    if not path.is_file():
        raise CameraError(f"'{path}' is not an ordinary file.")
    if path.stat().st_size == 0:
        raise CameraError(f"'{path}' is empty.")
    if not os.access(path, os.R_OK):
        raise CameraError(f"'{path}' may not be read; check its permissions.")
