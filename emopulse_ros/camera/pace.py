"""A camera's frames at their own times, as a real camera gives them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from emopulse_ros.camera.live import Live
from emopulse_ros.camera.source import Camera, Closing
from emopulse_ros.stream import Frame

SHORT_SLEEP_NS = 150_000
"""How long before a frame is due the coarse sleep ends; Linux wakes a sleeper some 60 µs late."""

LONG_SLEEP_S = 0.1
"""Longest sleep at a time: who ends the stream in a pause of it waits no longer than that."""


class Paced(Closing):
    """Hands out another camera's frames when they are due, in the time of a wall clock.

    A camera that has a ``speed`` is played that many times as fast as its stamps say; what is said
    of time here is then its own. The first frame is due at once and sets ``origin``, the wall time
    of stamp 0; each frame's stamp becomes ``origin + stamp``. ``now`` is read only for that; the
    pace is kept by ``clock`` (monotonic) and ``sleep``. A frame is fetched before it is due, so
    that the camera's own work is done by then.

    A reader that comes back more than ``patience`` frames late finds, as with a real camera, that
    the oldest are gone: they are counted in ``skipped`` and leave a gap in ``sequence``. Frames
    are skipped for the reader's absence only: those of a camera that is slower than its rate come
    late (``belated`` counts them), but all of them come. ``patience`` must not be negative, and may
    be changed while a reader reads. The stream ends with the camera's, or when :meth:`rest` or
    :meth:`close` is called, from another thread as well.
    """

    status = ""

    def __init__(
        self,
        camera: Camera,
        now: Callable[[], int] = time.time_ns,
        *,
        patience: int = 4,
        clock: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if patience < 0:
            raise ValueError(f"patience is {patience} frames; it must be 0 or more.")
        self.camera = camera
        self.name = camera.name
        self.rate = camera.rate
        self.size = camera.size
        self.script = camera.script
        self.origin: int | None = None
        """Wall time of the camera's stamp 0 in ns; None before the first frame."""
        self.skipped = 0
        """Frames the reader was too late for."""
        self.belated = 0
        """Frames that the camera behind gave more than a period late, the reader waiting."""
        self._now = now
        self._clock = clock
        self._sleep = sleep
        self._start = self._left = 0
        self._resting = threading.Event()
        self._speed: float = getattr(camera, "speed", 1.0)
        self._period = round(1e9 / camera.rate / self._speed)
        self.patience = patience

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        if self._resting.is_set():
            raise StopIteration
        asked = self._clock()
        frame = next(self.camera)
        if self.origin is None:
            self._start = self._clock() - self._after(frame)
            self.origin = self._now() - frame.stamp
        else:
            absence = asked - self._left
            late = self.patience * self._period
            while asked - (self._start + self._after(frame)) > late and absence >= self._period:
                frame = next(self.camera)
                self.skipped += 1
                absence -= self._period
            due = self._start + self._after(frame)
            self.belated += self._clock() - max(due, asked) > self._period
            self._wait(due)
        self._left = self._clock()
        return replace(frame, stamp=self.origin + frame.stamp)

    def _after(self, frame: Frame) -> int:
        """How long after the start a frame is due, in ns."""
        return frame.stamp if self._speed == 1.0 else round(frame.stamp / self._speed)

    def _wait(self, due: int) -> None:
        while (coarse := (due - self._clock() - SHORT_SLEEP_NS) / 1e9) > 0.0:
            self._sleep(min(coarse, LONG_SLEEP_S))
            if self._resting.is_set():
                raise StopIteration
        while self._clock() < due:
            # Gives the processor and the interpreter's lock away, for the last moment only.
            self._sleep(0.0)

    def remarks(self) -> list[str]:
        """Nothing: what is played has no will of its own."""
        return []

    def rest(self) -> None:
        """End the stream, and a reader's waiting; the camera behind may be paced anew."""
        self._resting.set()

    def close(self) -> None:
        """End the stream and close the camera behind."""
        self.rest()
        self.camera.close()


def in_time(camera: Camera, patience: int) -> Paced | Live:
    """A camera whose frames come when they are due: a device by itself, any other one paced."""
    return camera if isinstance(camera, Live) else Paced(camera, patience=patience)
