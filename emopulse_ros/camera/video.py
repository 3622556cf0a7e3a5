"""A camera that plays a video file."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.camera.container import missing_bytes
from emopulse_ros.camera.source import Closing
from emopulse_ros.camera.tape import Tape
from emopulse_ros.stream import Frame
from emopulse_ros.synthesis.script import Script

AHEAD = 8
"""Pictures decoded ahead of the reader."""

_Item = tuple[int, NDArray[np.uint8]] | Exception | None
"""What the decoder hands over: a picture with its time, why it failed, or the end."""


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
        if rate is not None and not 0.1 <= rate <= 10_000.0:
            raise ValueError(f"The rate is {rate} frames per second; it must be 0.1 to 10000.")
        if duration is not None and not 0.0 < duration < float("inf"):
            raise ValueError(f"The duration is {duration} s; it must be more than 0.")
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
        self._end = float("inf") if duration is None else duration * 1e9
        self._pictures: queue.Queue[_Item] = queue.Queue(AHEAD)
        stop = threading.Event()
        decoder = threading.Thread(
            target=_decode,
            args=(path, tape, rate, loop, self._pictures, stop),
            name="emopulse video decoder",
            daemon=True,
        )
        # Also when a reader drops the camera without closing it, and when it exits.
        self._stop = weakref.finalize(self, _stop, decoder, stop)
        decoder.start()

    @property
    def complete(self) -> bool:
        """Whether nothing was found to be missing from the file so far."""
        return self.shortfall is None

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        if not self._stop.alive:
            raise StopIteration
        item = self._pictures.get()
        if isinstance(item, Exception):
            self.close()
            raise item
        if item is None and self._stop.alive and self._missing:
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
        self._stop()


def _decode(
    path: Path,
    tape: Tape,
    rate: float | None,
    loop: bool,
    pictures: queue.Queue[_Item],
    stop: threading.Event,
) -> None:
    """Hand over pictures until the end or ``stop``; the camera itself is not held meanwhile."""

    def hand_over(item: _Item) -> None:
        while not stop.is_set():
            with contextlib.suppress(queue.Full):
                pictures.put(item, timeout=0.1)
                break

    try:
        begun = time = 0
        while not stop.is_set():
            read = tape.read()
            if read is not None:
                time = begun + read[0]
                hand_over((time, read[1]))
            elif loop:
                begun = time + round(1e9 / tape.rate)
                tape = Tape(path, rate)
            else:
                break
        hand_over(None)
    except Exception as error:  # the reader's thread is where it can be acted on
        hand_over(error)
    with contextlib.suppress(queue.Full):
        pictures.put_nowait(None)


def _stop(decoder: threading.Thread, stop: threading.Event) -> None:
    stop.set()
    if decoder is not threading.current_thread():
        decoder.join(timeout=2.0)
