"""The true kernel, as far as it goes where no camera is."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from ctypes import c_int
from pathlib import Path

import pytest

from emopulse_ros.camera import CameraError, Wish
from emopulse_ros.camera.v4l2.device import VideoDevice
from emopulse_ros.camera.v4l2.kernel import Kernel
from emopulse_ros.camera.v4l2.opening import device_files

FIONREAD = 0x541B
"""How many bytes there are to read."""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_a_call_writes_its_argument(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"seven..")
    count = c_int()
    Kernel().ioctl(pipe[0], FIONREAD, count)
    assert count.value == 7


def test_waiting_ends_with_what_happens_or_the_time(pipe: tuple[int, int]) -> None:
    assert Kernel().wait(pipe[0], 0.01) == 0
    os.write(pipe[1], b".")
    assert Kernel().wait(pipe[0], 60.0) == select.POLLIN


def test_memory_is_shared_and_cannot_be_written() -> None:
    fd = os.memfd_create("buffers")
    os.ftruncate(fd, 8192)
    memory = Kernel().mmap(fd, 4096, 4096)
    os.pwrite(fd, b"picture", 4096)
    assert memory[:7] == b"picture"
    with pytest.raises(TypeError):
        memory[0] = 0
    Kernel().close(fd)


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero"])
def test_a_device_that_is_none_is_refused_and_closed(path: str) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(CameraError, match=f"{path} is not a video device"):
        VideoDevice(Path(path), Wish(200.0), Kernel())
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_device_that_is_not_there() -> None:
    number = 1 + max((int(file.name[5:]) for file in device_files(Path("/dev"))), default=0)
    with pytest.raises(CameraError, match=f"There is no /dev/video{number}; "):
        VideoDevice(Path(f"/dev/video{number}"), Wish(200.0), Kernel())
