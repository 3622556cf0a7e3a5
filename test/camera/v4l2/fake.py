"""A kernel with cameras that are not there, as strict about its calls as the true one.

It keeps time by the clock: whatever a camera has taken by now is in the buffers it was given, and
what found no buffer is lost. Its memory is real and really mapped.
"""

from __future__ import annotations

import errno
import mmap
import os
import select
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from ctypes import Structure, c_int, sizeof
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.camera.v4l2 import calls
from emopulse_ros.camera.v4l2.kernel import Kernel

DONE = select.POLLIN
GONE = select.POLLIN | select.POLLERR | select.POLLHUP


def no(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@dataclass
class Knob:
    """A control: its bounds and its value."""

    value: int
    minimum: int = 0
    maximum: int = 3
    step: int = 1
    stuck: bool = False
    flags: int = 0


@dataclass
class FakeCamera:
    """What a camera offers and does; ``offers`` are pixel format, size and rates, in its order."""

    offers: list[tuple[str, tuple[int, int], tuple[float, ...]]]
    knobs: dict[int, Knob] = field(default_factory=dict)
    card: str = "Fake camera"
    capabilities: int = calls.CAP_CAPTURE | calls.CAP_STREAMING
    ranges: bool = False
    """Sizes and rates are ranges up to the one offered."""
    tells_intervals: bool = True
    has_rate: bool = True
    padding: int = 0
    """Bytes at the end of each row."""
    monotonic: bool = True
    """Whether its stamps say that they are of that clock."""
    clock: Callable[[], int] = time.monotonic_ns
    refuses: dict[int, int] = field(default_factory=dict)
    """Calls that fail, each with its error number."""
    dark: bool = False
    """Automatic exposure then takes twice the frame's time, if it may."""
    lost: frozenset[int] = frozenset()
    """Numbers of pictures that get lost on the wire, that ...."""
    damaged: frozenset[int] = frozenset()
    """... arrive damaged, and are said to be, that ..."""
    short: frozenset[int] = frozenset()
    """... arrive in part, and are not said to be."""
    tells: Callable[[int], int] = int
    """The number it gives a picture, of the number that it should have."""
    gone: bool = False
    quiet: bool = False
    """Unplugged, it is only found out by the next call."""
    silent: bool = False
    """It is there, and answers, and takes no pictures."""

    fourcc: int = 0
    size: tuple[int, int] = (0, 0)
    interval: Fraction = Fraction(1, 30)
    streaming: bool = False
    owner: int | None = None

    def picture(self, number: int) -> NDArray[np.uint8]:
        """The picture of a number, as it should be read."""
        width, height = self.size
        rows, columns = np.mgrid[:height, :width]
        return ((columns + 2 * rows + 40 * (number % 6)) % 256).astype(np.uint8)

    def bytes_per_line(self) -> int:
        per_pixel = {"GREY": 1, "MJPG": 0}.get(calls.letters(self.fourcc), 2)
        return self.size[0] * per_pixel + self.padding if per_pixel else 0

    def encoded(self, number: int) -> bytes:
        """A picture as it comes over the wire."""
        gray, kind = self.picture(number), calls.letters(self.fourcc)
        if kind == "MJPG":
            done, data = cv2.imencode(".jpg", gray, (cv2.IMWRITE_JPEG_QUALITY, 95))
            assert done
            return bytes(data)
        colour = np.full_like(gray, 128)
        if kind == "GREY":
            rows = gray
        elif kind == "Y10":
            rows = (gray.astype("<u2") * 4 + 3).view(np.uint8)
        else:
            pair = (gray, colour) if kind == "YUYV" else (colour, gray)
            rows = np.stack(pair, axis=-1).reshape(gray.shape[0], -1)
        return np.pad(rows, ((0, 0), (0, self.padding)), constant_values=77).tobytes()

    @property
    def period_ns(self) -> int:
        """From one picture to the next, which waits for its exposure."""
        by_hand = self._value(calls.EXPOSURE_AUTO) in (None, calls.EXPOSURE_MANUAL)
        frame = int(self.interval * 10**9)
        if by_hand:
            return max(frame, (self._value(calls.EXPOSURE_ABSOLUTE) or 0) * 100_000)
        return frame * (2 if self.dark and self._value(calls.EXPOSURE_AUTO_PRIORITY) else 1)

    def _value(self, control: int) -> int | None:
        knob = self.knobs.get(control)
        return None if knob is None else knob.value


@dataclass
class Stream:
    """One descriptor of a camera, with its buffers."""

    camera: FakeCamera
    length: int = 0
    count: int = 0
    queued: deque[int] = field(default_factory=deque)
    done: deque[tuple[int, int, int, int, int]] = field(default_factory=deque)
    next: int = 0
    due: int = 0


class FakeKernel(Kernel):
    """A kernel whose device files lie in a folder of the test's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cameras: dict[str, FakeCamera] = {}
        self.streams: dict[int, Stream] = {}
        self.memories: list[weakref.ref[mmap.mmap]] = []
        self.forbidden: set[str] = set()

    def plug(self, camera: FakeCamera, number: int, by_id: str = "") -> Path:
        """Plug a camera in; its device file."""
        file = self.folder / f"video{number}"
        file.touch()
        camera.gone = False
        self.cameras[file.name] = camera
        if by_id:
            link = self.folder / "v4l" / "by-id" / by_id
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(f"../../{file.name}")
        return file

    def unplug(self, camera: FakeCamera) -> None:
        """Pull its plug: its files go."""
        camera.gone, camera.streaming, camera.owner = True, False, None
        for name in [name for name, other in self.cameras.items() if other is camera]:
            del self.cameras[name]
            for link in (self.folder / "v4l" / "by-id").glob("*"):
                if link.resolve().name == name:
                    link.unlink()
            (self.folder / name).unlink()

    def is_clean(self) -> bool:
        """Whether everything was given back, descriptors and memory."""
        return not self.streams and all(memory() is None for memory in self.memories)

    def open(self, path: Path) -> int:
        camera = self.cameras.get(path.resolve().name) if path.exists() else None
        if camera is None:
            raise no(errno.ENOENT)
        if path.name in self.forbidden:
            raise no(errno.EACCES)
        fd = os.memfd_create(path.name)
        self.streams[fd] = Stream(camera)
        return fd

    def close(self, fd: int) -> None:
        stream = self.streams.pop(fd)
        if stream.camera.owner == fd:
            stream.camera.owner, stream.camera.streaming = None, False
        os.close(fd)

    def mmap(self, fd: int, length: int, offset: int) -> mmap.mmap:
        stream = self.streams[fd]
        if length != stream.length or offset not in self._offsets(stream):
            raise no(errno.EINVAL)
        memory = super().mmap(fd, length, offset)
        self.memories.append(weakref.ref(memory))
        return memory

    def wait(self, fd: int, seconds: float) -> int:
        stream = self.streams[fd]
        end = time.monotonic_ns() + int(seconds * 1e9)
        while True:
            if stream.camera.gone:
                return DONE if stream.camera.quiet else GONE
            if not stream.camera.streaming:
                return select.POLLERR
            self._advance(fd)
            if stream.done:
                return DONE
            left = min(end, stream.due) - time.monotonic_ns()
            if time.monotonic_ns() >= end:
                return 0
            time.sleep(min(max(left, 0) / 1e9, 0.005))

    def ioctl(self, fd: int, request: int, argument: Structure | c_int) -> None:
        stream = self.streams[fd]
        if stream.camera.gone:
            raise no(errno.ENODEV)
        assert request >> 16 & 0x3FFF == sizeof(argument), "a structure of another call"
        if request in stream.camera.refuses:
            raise no(stream.camera.refuses[request])
        handler = HANDLERS.get(request)
        if handler is None:
            raise no(errno.ENOTTY)
        handler(self, fd, stream, argument)

    def _querycap(self, _: int, stream: Stream, told: Any) -> None:
        told.driver, told.card = b"fake", stream.camera.card.encode()
        # As with USB cameras, the driver as a whole can more than each of its files.
        told.capabilities = (
            calls.CAP_CAPTURE | calls.CAP_METADATA | calls.CAP_STREAMING | calls.CAP_DEVICE_CAPS
        )
        told.device_caps = stream.camera.capabilities

    def _enum_formats(self, _: int, stream: Stream, entry: Any) -> None:
        names = list(dict.fromkeys(pixels for pixels, _, _ in stream.camera.offers))
        entry.pixelformat = calls.fourcc(_listed(names, entry.index, entry.type).ljust(4))

    def _enum_sizes(self, _: int, stream: Stream, entry: Any) -> None:
        kind = calls.letters(entry.pixel_format)
        sizes = [size for pixels, size, _ in stream.camera.offers if pixels == kind]
        size = _listed(sizes, entry.index)
        if not stream.camera.ranges:
            entry.type = calls.DISCRETE
            entry.discrete.width, entry.discrete.height = size
            return
        if entry.index:
            raise no(errno.EINVAL)
        entry.type, steps = 3, entry.stepwise
        steps.min_width, steps.max_width, steps.step_width = 32, size[0], 8
        steps.min_height, steps.max_height, steps.step_height = 32, size[1], 4

    def _enum_intervals(self, _: int, stream: Stream, entry: Any) -> None:
        camera = stream.camera
        if not camera.tells_intervals:
            raise no(errno.ENOTTY)
        rates = _rates(camera, calls.letters(entry.pixel_format), (entry.width, entry.height))
        rate = Fraction(_listed(rates, entry.index)).limit_denominator(1000)
        if not camera.ranges:
            entry.type = calls.DISCRETE
            entry.discrete.numerator, entry.discrete.denominator = rate.denominator, rate.numerator
            return
        if entry.index:
            raise no(errno.EINVAL)
        entry.type, steps = 2, entry.stepwise
        steps.min.numerator, steps.min.denominator = rate.denominator, rate.numerator
        steps.max.numerator = steps.max.denominator = 1

    def _get_format(self, _: int, stream: Stream, form: Any) -> None:
        camera = stream.camera
        if not camera.fourcc:
            camera.fourcc = calls.fourcc(camera.offers[0][0].ljust(4))
            camera.size = camera.offers[0][1]
        form.pix.width, form.pix.height = camera.size
        form.pix.pixelformat = camera.fourcc
        form.pix.field = calls.PROGRESSIVE
        form.pix.bytesperline = camera.bytes_per_line()
        form.pix.sizeimage = camera.bytes_per_line() * camera.size[1] or 2 * np.prod(camera.size)

    def _set_format(self, fd: int, stream: Stream, form: Any) -> None:
        camera = stream.camera
        if camera.owner not in (None, fd):
            raise no(errno.EBUSY)
        kind, size = calls.letters(form.pix.pixelformat), (form.pix.width, form.pix.height)
        sizes = [offer[1] for offer in camera.offers if offer[0] == kind]
        if not camera.ranges and size not in sizes:
            size = min(sizes, key=lambda at: abs(at[0] - size[0]) + abs(at[1] - size[1]))
        camera.fourcc, camera.size = form.pix.pixelformat, size
        self._get_format(fd, stream, form)

    def _get_rate(self, _: int, stream: Stream, told: Any) -> None:
        capture, interval = told.capture, stream.camera.interval
        capture.capability = calls.CAP_TIME_PER_FRAME if stream.camera.has_rate else 0
        capture.timeperframe.numerator = interval.numerator
        capture.timeperframe.denominator = interval.denominator

    def _set_rate(self, fd: int, stream: Stream, told: Any) -> None:
        camera, asked = stream.camera, told.capture.timeperframe
        if not camera.has_rate:
            return  # It leaves what it was told, and goes on as before.
        wanted = Fraction(asked.numerator, asked.denominator)
        rates = _rates(camera, calls.letters(camera.fourcc), camera.size)
        intervals = [1 / Fraction(rate).limit_denominator(1000) for rate in rates]
        camera.interval = (
            max(wanted, intervals[0])
            if camera.ranges
            else min(intervals, key=lambda interval: abs(interval - wanted))
        )
        self._get_rate(fd, stream, told)

    def _query_control(self, _: int, stream: Stream, query: Any) -> None:
        knob = _knob(stream, query.id)
        query.minimum, query.maximum, query.step = knob.minimum, knob.maximum, knob.step
        query.flags = knob.flags

    def _get_control(self, _: int, stream: Stream, control: Any) -> None:
        control.value = _knob(stream, control.id).value

    def _set_control(self, _: int, stream: Stream, control: Any) -> None:
        knob = _knob(stream, control.id)
        if not knob.minimum <= control.value <= knob.maximum:
            raise no(errno.ERANGE)
        if knob.stuck:
            raise no(errno.EACCES)
        knob.value = control.value

    def _request_buffers(self, fd: int, stream: Stream, request: Any) -> None:
        camera = stream.camera
        if camera.owner not in (None, fd) or camera.streaming:
            raise no(errno.EBUSY)
        _check(request)
        camera.owner = fd
        stream.count = request.count
        stream.length = camera.bytes_per_line() * camera.size[1] or int(2 * np.prod(camera.size))
        os.ftruncate(fd, stream.count * _paged(stream.length))

    def _query_buffer(self, _: int, stream: Stream, buffer: Any) -> None:
        _check(buffer)
        buffer.offset = list(self._offsets(stream))[buffer.index]
        buffer.length = stream.length

    def _queue(self, fd: int, stream: Stream, buffer: Any) -> None:
        _check(buffer)
        busy = {*stream.queued, *(item[0] for item in stream.done)}
        if buffer.index >= stream.count or buffer.index in busy:
            raise no(errno.EINVAL)
        # What is not given back in time is not there when the next picture is taken.
        self._advance(fd)
        stream.queued.append(buffer.index)

    def _dequeue(self, fd: int, stream: Stream, buffer: Any) -> None:
        _check(buffer)
        if not stream.camera.streaming:
            raise no(errno.EINVAL)
        self._advance(fd)
        if not stream.done:
            raise no(errno.EAGAIN)
        buffer.index, buffer.bytesused, buffer.flags, stamp, number = stream.done.popleft()
        buffer.timestamp.seconds, rest = divmod(stamp, 10**9)
        buffer.timestamp.microseconds = rest // 1000
        buffer.sequence = number % 2**32

    def _stream_on(self, fd: int, stream: Stream, kind: Any) -> None:
        if kind.value != calls.CAPTURE or stream.camera.owner != fd or not stream.queued:
            raise no(errno.EINVAL)
        stream.camera.streaming = True
        stream.due = time.monotonic_ns() + stream.camera.period_ns

    def _stream_off(self, _: int, stream: Stream, kind: Any) -> None:
        assert kind.value == calls.CAPTURE
        stream.camera.streaming = False
        stream.queued.clear()
        stream.done.clear()

    def _advance(self, fd: int) -> None:
        """Take the pictures that are due by now."""
        stream = self.streams[fd]
        camera = stream.camera
        while camera.streaming and stream.due <= time.monotonic_ns():
            number, stamp = stream.next, stream.due + camera.clock() - time.monotonic_ns()
            stream.next += 1
            stream.due += camera.period_ns
            if camera.silent or number in camera.lost or not stream.queued:
                continue
            index, data = stream.queued.popleft(), camera.encoded(number)
            if number in camera.short:
                data = data[: len(data) * 2 // 3]
            os.pwrite(fd, data, list(self._offsets(stream))[index])
            flags = calls.BUFFER_MONOTONIC if camera.monotonic else 0
            flags |= calls.BUFFER_ERROR if number in camera.damaged else 0
            stream.done.append((index, len(data), flags, stamp, camera.tells(number)))

    @staticmethod
    def _offsets(stream: Stream) -> Iterable[int]:
        return range(0, stream.count * _paged(stream.length), _paged(stream.length) or 1)


def _listed(items: list[Any], index: int, kind: int = calls.CAPTURE) -> Any:
    if kind != calls.CAPTURE or index >= len(items):
        raise no(errno.EINVAL)
    return items[index]


def _rates(camera: FakeCamera, kind: str, size: tuple[int, int]) -> list[float]:
    return [
        rate
        for pixels, offered, rates in camera.offers
        if pixels == kind and (camera.ranges or offered == size)
        for rate in rates
    ]


def _knob(stream: Stream, control: int) -> Knob:
    if control not in stream.camera.knobs:
        raise no(errno.EINVAL)
    return stream.camera.knobs[control]


def _check(argument: Any) -> None:
    if argument.type != calls.CAPTURE or argument.memory != calls.MMAP:
        raise no(errno.EINVAL)


def _paged(length: int) -> int:
    return -(-length // mmap.PAGESIZE) * mmap.PAGESIZE


HANDLERS: dict[int, Callable[[FakeKernel, int, Stream, Any], None]] = {
    calls.QUERYCAP: FakeKernel._querycap,
    calls.ENUM_FMT: FakeKernel._enum_formats,
    calls.ENUM_FRAMESIZES: FakeKernel._enum_sizes,
    calls.ENUM_FRAMEINTERVALS: FakeKernel._enum_intervals,
    calls.G_FMT: FakeKernel._get_format,
    calls.S_FMT: FakeKernel._set_format,
    calls.G_PARM: FakeKernel._get_rate,
    calls.S_PARM: FakeKernel._set_rate,
    calls.QUERYCTRL: FakeKernel._query_control,
    calls.G_CTRL: FakeKernel._get_control,
    calls.S_CTRL: FakeKernel._set_control,
    calls.REQBUFS: FakeKernel._request_buffers,
    calls.QUERYBUF: FakeKernel._query_buffer,
    calls.QBUF: FakeKernel._queue,
    calls.DQBUF: FakeKernel._dequeue,
    calls.STREAMON: FakeKernel._stream_on,
    calls.STREAMOFF: FakeKernel._stream_off,
}
