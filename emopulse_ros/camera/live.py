"""Cameras that are devices: they take pictures at their own time, come late, and are unplugged."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from emopulse_ros.camera.judged_rate import JudgedRate
from emopulse_ros.camera.source import CameraError, Closing, end_of
from emopulse_ros.stream import Frame
from emopulse_ros.synthesis.script import Script

RETRY_S = 0.5
"""Between two attempts to open a device that has gone away."""

SILENCE_S = 0.5
"""A device that sends nothing for so long, and for :data:`PERIODS`, has gone away."""

PERIODS = 4.0
"""Times what a picture takes to come."""

START_S = 3.0
"""How long a device may take to send its first picture."""


class UnpluggedError(CameraError):
    """A device that was there has gone away, and may come back."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a device; None leaves it to the device.

    ``rate`` in frames per second, ``size`` (width, height) in pixels, ``exposure`` in µs.

    :raises ValueError: if the size lacks a side.
    """

    rate: float | None = None
    size: tuple[int, int] | None = None
    exposure: float | None = None

    def __post_init__(self) -> None:
        if self.size is not None and min(self.size) <= 0:
            raise ValueError(
                "A picture is asked for with a width of {} and a height of {}; give both, or "
                "neither for the camera's own choice.".format(*self.size)
            )


class Device(Protocol):
    """An open device. It is read by one thread, and closed by one that has seen that thread end.

    Stamps are wall time in ns and never come twice; ``sequence`` counts the pictures that were
    taken, so that each one that was lost on its way leaves a gap.
    """

    rate: float
    """Frames per second that it says it takes."""
    size: tuple[int, int]
    """Width and height of a frame in pixels."""
    lost: int
    """Pictures that were taken and did not come, or came damaged."""
    remarks: list[str]
    """Sentences on what it does otherwise than asked; whoever reads them empties the list."""

    def read(self) -> Frame | None:
        """The next picture; None if there is none within a fifth of a second.

        :raises UnpluggedError: if the device has gone away.
        :raises CameraError: if it has failed for good.
        """
        ...

    def expose(self, exposure: float) -> None:
        """Expose for so many µs from now on; what came of it otherwise is in ``remarks``.

        :raises UnpluggedError: if the device has gone away.
        """
        ...

    def close(self) -> None:
        """Give it back; safe to call twice."""
        ...


def taken(remarks: list[str]) -> list[str]:
    """Empty a list, to which another thread may add, or take from, meanwhile: each is told once."""
    told: list[str] = []
    with suppress(IndexError):
        while True:
            told.append(remarks.pop(0))
    return told


class Live(Closing):
    """A device as a :class:`Camera`, whose frames come when they are taken.

    It is opened by :meth:`open`, or at the begin of a ``with`` block, and given back by
    :meth:`rest`, after which it can be opened again. While it is unplugged a reader waits, and
    ``status`` says so. A rate other than the one asked for is told once in ``remarks``. The stream
    ends ``duration`` s after its first picture.
    """

    script: Script | None = None
    origin: int | None = None
    belated = 0

    def __init__(
        self,
        name: str,
        make: Callable[[Wish], Device],
        wish: Wish,
        duration: float | None = None,
    ) -> None:
        """``make`` opens the device, as wished.

        :raises ValueError: if the duration makes no sense.
        """
        self._length = end_of(duration)
        self.name = name
        self.rate = wish.rate or 200.0
        self.size = wish.size or (0, 0)
        self.status = ""
        """Why no picture comes, in words; empty while they do."""
        self._make = make
        self._wish = self._granted = wish
        self._judge = JudgedRate(name, wish.rate)
        self._remarks: list[str] = []
        self._device: Device | None = None
        self._reading = threading.Lock()
        self._resting = threading.Event()
        self._resting.set()
        self._lost = self._repeated = 0
        self._first: Frame | None = None
        self._next = 0
        self._offset: int | None = None
        self._last_stamp = 0

    def open(self) -> None:
        """Open the device; nothing, if it is open.

        :raises CameraError: a sentence on why it cannot be opened.
        """
        if self._device is None:
            self._take()
            self.status = ""
        self._resting.clear()

    def expose(self, exposure: float | None) -> None:
        """Have pictures exposed for so many µs from the next one on, and whenever it is opened.

        None leaves it as it is. Whoever reads sets it: what came of it otherwise is in ``remarks``.
        """
        self._wish = replace(self._wish, exposure=exposure)

    def rest(self) -> None:
        """End a reader's waiting and give the device back, until it is opened again."""
        self._resting.set()
        with self._reading:
            self._give_back()

    def close(self) -> None:
        """As :meth:`rest`."""
        self.rest()

    @property
    def skipped(self) -> int:
        """Pictures that were taken and did not come, or came twice."""
        device = self._device
        return self._lost + self._repeated + (device.lost if device is not None else 0)

    def remarks(self) -> list[str]:
        """What is to be told and was not yet, in sentences."""
        device = self._device
        return taken(self._remarks) + (taken(device.remarks) if device is not None else [])

    def __enter__(self) -> Live:
        self.open()
        return self

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        with self._reading:
            while not self._resting.is_set():
                frame = self._read()
                if frame is not None:
                    remark = self._judge(frame)
                    if remark is not None:
                        self._remarks.append(remark)
                    return frame
        raise StopIteration

    def _read(self) -> Frame | None:
        """The device's next picture, numbered on from before it was opened last."""
        if self._device is None and not self._plugged_in():
            return None
        assert self._device is not None
        try:
            if self._wish != self._granted:
                self._grant(self._device)
            frame = self._device.read()
        except UnpluggedError as error:
            self._give_back()
            told, self.status = self.status, f"{error} It is looked for again."
            if self.status != told:
                self._remarks.append(self.status)
            return None
        if frame is None:
            return None
        if self.status:
            # Not before: one that can be opened need not send anything.
            self.status = ""
            self._remarks.append(f"{self.name} is back.")
        if self._first is None:
            self._first = frame
        if frame.stamp - self._first.stamp >= self._length:
            self._resting.set()
            return None
        if self._offset is None:
            self._offset = self._next - frame.sequence
        elif frame.stamp <= self._last_stamp:
            self._repeated += 1
            return None
        self._last_stamp = frame.stamp
        self._next = frame.sequence + self._offset + 1
        return frame if self._offset == 0 else replace(frame, sequence=self._next - 1)

    def _plugged_in(self) -> bool:
        """Try to open a device that has gone away, after a while."""
        if self._resting.wait(RETRY_S):
            return False
        try:
            self._take()
        except CameraError:
            return False
        return True

    def _take(self) -> None:
        wish = self._wish
        device = self._device = self._make(wish)
        self._granted = wish
        self.rate, self.size = device.rate, device.size
        self._offset = None
        self._judge.start_anew()

    def _grant(self, device: Device) -> None:
        """Set another exposure, by which the rate may be another, too."""
        self._granted = wish = self._wish
        if wish.exposure is not None:
            self._judge = JudgedRate(self.name, wish.rate)
            device.expose(wish.exposure)

    def _give_back(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            self._lost += device.lost
            self._remarks += taken(device.remarks)
            device.close()
