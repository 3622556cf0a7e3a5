"""A camera that plays a video file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.ahead import Ahead
from emopulse_ros.camera.container import missing_bytes
from emopulse_ros.camera.source import Closing, check_rate, end_of
from emopulse_ros.camera.tape import Tape
from emopulse_ros.stream import Frame
from emopulse_ros.synthesis.script import Script


class VideoCamera(Closing):
    """The pictures of a video file as frames, in gray; :class:`Camera`.

    Stamps are the file's own times, counted from its first picture, or ``k / rate`` with a forced
    ``rate`` in frames per second. With ``loop`` it begins again after the last picture, its
    stamps going on; ``duration`` in s ends it there. Decoding runs ahead in a thread.

    A file that was cut off gives what can still be read; then ``complete`` is False and
    ``shortfall`` says so in a sentence, which is also logged as a warning.

    :raises ValueError: if the rate or the duration makes no sense.
    :raises CameraError: if there is no such file or OpenCV reads no picture from it.
    """

    def __init__(
        self,
        path: str | Path,
        rate: float | None = None,
        loop: bool = False,
        duration: float | None = None,
    ) -> None:
        if rate is not None:
            check_rate(rate)
        self._end = end_of(duration)
        path = Path(path).expanduser()
        tape = Tape(path, rate)
        self.name = f"video:{path}"
        self.rate = tape.rate
        self.size = tape.size
        self.script: Script | None = None
        self.shortfall: str | None = None
        self._missing = missing_bytes(path)
        self._path = path
        self._sequence = 0
        # Not the camera itself is held meanwhile, so that one that is dropped stops decoding.
        self._pictures = Ahead(_pictures(path, tape, rate, loop))
        self._is_closed = False

    @property
    def complete(self) -> bool:
        """Whether nothing was found to be missing from the file so far."""
        return self.shortfall is None

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        try:
            item = None if self._is_closed else next(self._pictures, None)
        except Exception:
            self.close()
            raise
        if item is None and not self._is_closed and self._missing:
            self.shortfall = (
                f"'{self._path}' is cut off: {self._missing} bytes are missing from its end; "
                f"{self._sequence} frames could be read."
            )
            logging.getLogger(__name__).warning(self.shortfall)
        if item is None or item[0] >= self._end:
            self.close()
            raise StopIteration
        frame = Frame(item[0], self._sequence, item[1])
        self._sequence += 1
        return frame

    def close(self) -> None:
        """Stop decoding; safe to call twice and from another thread."""
        self._is_closed = True
        self._pictures.close()


def _pictures(
    path: Path, tape: Tape, rate: float | None, loop: bool
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Every picture with its time."""
    begun = time = 0
    while True:
        read = tape.read()
        if read is not None:
            time = begun + read[0]
            yield time, read[1]
        elif loop:
            begun = time + round(1e9 / tape.rate)
            tape = Tape(path, rate)
        else:
            return
