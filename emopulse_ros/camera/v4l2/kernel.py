"""The few calls into the kernel that a camera takes; tests put a kernel of their own here."""

from __future__ import annotations

import fcntl
import mmap
import os
import select
from contextlib import suppress
from ctypes import Structure, c_int
from pathlib import Path


class Kernel:
    """Opens device files and talks to them; each call raises OSError as the kernel has it."""

    folder = Path("/dev")
    """Where the device files are."""

    def open(self, path: Path) -> int:
        """A descriptor whose calls do not wait."""
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def ioctl(self, fd: int, request: int, argument: Structure | c_int) -> None:
        """One call, which reads and writes its argument."""
        while True:
            # A signal may come in between.
            with suppress(InterruptedError):
                fcntl.ioctl(fd, request, argument, True)
                return

    def mmap(self, fd: int, length: int, offset: int) -> mmap.mmap:
        """A buffer of the driver's, to read; it is unmapped when nobody holds it any more."""
        return mmap.mmap(fd, length, mmap.MAP_SHARED, mmap.PROT_READ, offset=offset)

    def wait(self, fd: int, seconds: float) -> int:
        """What has happened to it (``select.POLLIN`` ...) within so many seconds; 0 if nothing."""
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        events = poll.poll(seconds * 1e3)
        return events[0][1] if events else 0

    def close(self, fd: int) -> None:
        """Give it back."""
        os.close(fd)
