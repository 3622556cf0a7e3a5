"""A camera of Video for Linux 2 (USB, as a rule), streaming out of mapped buffers."""

from __future__ import annotations

import errno
import select
import time
from contextlib import suppress
from ctypes import c_int
from pathlib import Path

from emopulse_ros.camera.live import PERIODS, SILENCE_S, START_S, UnpluggedError, Wish
from emopulse_ros.camera.v4l2.calls import (
    BUFFER_ERROR,
    CAPTURE,
    DQBUF,
    MMAP,
    QBUF,
    QUERYBUF,
    REQBUFS,
    STREAMOFF,
    STREAMON,
)
from emopulse_ros.camera.v4l2.exposure import settle_exposure
from emopulse_ros.camera.v4l2.kernel import Kernel
from emopulse_ros.camera.v4l2.layouts import Buffer, BufferRequest, PixelFormat
from emopulse_ros.camera.v4l2.modes import choose, offered
from emopulse_ros.camera.v4l2.node import Node, failure
from emopulse_ros.camera.v4l2.pixels import Reader, reader
from emopulse_ros.camera.v4l2.settings import set_format, set_rate
from emopulse_ros.camera.v4l2.stamps import Stamps
from emopulse_ros.stream import Frame

WAIT_S = 0.2
"""How long a reader waits for a picture before it is told that there is none."""

BUFFERS = 10
"""Buffers of the driver: 10 bridge a hold-up of 50 ms at 200 Hz."""


class VideoDevice:
    """An open camera, as :class:`emopulse_ros.camera.live.Device` has it.

    :raises CameraError: a sentence on why it cannot be opened.
    """

    def __init__(self, path: Path, wish: Wish, kernel: Kernel) -> None:
        self.lost = 0
        self.remarks: list[str] = []
        self._readers: list[Reader] = []
        self._buffer = Buffer(type=CAPTURE, memory=MMAP)
        self._last: int | None = None
        self._number = 0
        self._stamps = Stamps(path, self.remarks)
        self._is_open = True
        self._period = START_S / PERIODS
        self._node = node = Node(kernel, path)
        try:
            modes = offered(node, wish.size, wish.rate)
            mode = choose(modes, wish.size, wish.rate)
            form, on_size = set_format(node, mode, wish)
            rate, on_rate = set_rate(node, mode, modes, wish)
            self.rate = rate or wish.rate or 200.0
            on_exposure = settle_exposure(node, wish.exposure, self.rate)
            self._map(form)
            node.call(STREAMON, c_int(CAPTURE), "begin to take pictures")
        except BaseException:
            self.close()
            raise
        self._heard_at = time.monotonic()
        self.size = (form.width, form.height)
        self.remarks += on_size + on_rate + on_exposure

    def read(self) -> Frame | None:
        """The next whole picture; None if there is none within a fifth of a second.

        :raises UnpluggedError: if the device has gone away.
        :raises CameraError: if it has failed for good.
        """
        node, end = self._node, time.monotonic() + WAIT_S
        while (left := end - time.monotonic()) > 0.0:
            events = node.kernel.wait(node.fd, left)
            if events & ~select.POLLIN:
                raise UnpluggedError(f"{node.path} has gone away.")
            if events and self._dequeue():
                frame = self._frame()
                if frame is not None:
                    return frame
        if time.monotonic() - self._heard_at > max(SILENCE_S, PERIODS * self._period):
            raise UnpluggedError(f"{node.path} sends no pictures any more.")
        return None

    def expose(self, exposure: float) -> None:
        """Expose for so many µs from now on; ``remarks`` say what came of it otherwise.

        :raises UnpluggedError: if the device has gone away.
        """
        self.remarks += settle_exposure(self._node, exposure, self.rate)
        # The next picture may take as long as the first one.
        self._period = max(self._period, START_S / PERIODS)

    def close(self) -> None:
        """Stop and give it back; safe to call twice."""
        if not self._is_open:
            return
        self._is_open = False
        # One that is unplugged, or has not begun, refuses, and stands still none the less.
        with suppress(OSError):
            self._node.kernel.ioctl(self._node.fd, STREAMOFF, c_int(CAPTURE))
        # The readers hold the driver's memory, and with it the device.
        self._readers.clear()
        self._node.kernel.close(self._node.fd)

    def _map(self, form: PixelFormat) -> None:
        """Have the driver make its buffers, and give it all of them to fill."""
        node = self._node
        request = BufferRequest(count=BUFFERS, type=CAPTURE, memory=MMAP)
        node.call(REQBUFS, request, "make buffers for its pictures")
        for index in range(request.count):
            buffer = Buffer(index=index, type=CAPTURE, memory=MMAP)
            node.call(QUERYBUF, buffer, "show its buffers")
            # No variable holds the memory: an error's traceback would, and the device with it.
            self._readers.append(
                reader(
                    form.pixelformat,
                    (form.width, form.height),
                    form.bytesperline,
                    node.share(buffer.length, buffer.offset),
                )
            )
            node.call(QBUF, buffer, "take its buffers")

    def _dequeue(self) -> bool:
        """Take the next buffer from the driver; False if there is none after all."""
        node = self._node
        try:
            node.kernel.ioctl(node.fd, DQBUF, self._buffer)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return False
            if error.errno == errno.EIO:
                # The driver cannot go on; opened anew, it can.
                raise UnpluggedError(f"{node.path} has stopped: {error.strerror}.") from error
            raise failure(node.path, "give its pictures", error) from error
        return True

    def _frame(self) -> Frame | None:
        """What is in the buffer, which goes back to the driver at once; None if it is damaged."""
        buffer, now = self._buffer, time.monotonic()
        # The longest of late: what has waited for its reader comes at once.
        self._period = max(now - self._heard_at, 0.9 * self._period)
        self._heard_at = now
        sequence = self._count(buffer.sequence)
        stamp = self._stamps(buffer)
        picture = None
        if not buffer.flags & BUFFER_ERROR:
            picture = self._readers[buffer.index](buffer.bytesused)
        self._node.call(QBUF, buffer, "take its buffers back")
        if picture is None:
            self.lost += 1
            return None
        return Frame(stamp, sequence, picture)

    def _count(self, told: int) -> int:
        """The picture's number, from 0 on; the driver's own has 32 bits, and some stay at 0."""
        if self._last is not None:
            step = (told - self._last) % 2**32
            step = step if 0 < step < 2**31 else 1
            self.lost += step - 1
            self._number += step
        self._last = told
        return self._number
