"""A device file, open: what it is, and its failures in sentences."""

from __future__ import annotations

import errno
import mmap
from ctypes import Structure, c_int
from pathlib import Path

from emopulse_ros.camera.live import UnpluggedError
from emopulse_ros.camera.source import CameraError
from emopulse_ros.camera.v4l2.calls import (
    CAP_CAPTURE,
    CAP_CAPTURE_PLANES,
    CAP_DEVICE_CAPS,
    CAP_METADATA,
    CAP_STREAMING,
    QUERYCAP,
)
from emopulse_ros.camera.v4l2.kernel import Kernel
from emopulse_ros.camera.v4l2.layouts import Capability

GONE = (errno.ENODEV, errno.ENXIO)


class NotACameraError(CameraError):
    """A device file that takes no pictures, or none that could be read here."""


class Node:
    """A device file that takes pictures and hands them out in mapped memory.

    :raises CameraError: if it cannot be opened or is something else.
    """

    def __init__(self, kernel: Kernel, path: Path) -> None:
        self.kernel = kernel
        self.path = path
        try:
            self.fd = kernel.open(path)
        except OSError as error:
            raise failure(path, "be opened", error) from error
        try:
            self.card = self._card()
        except CameraError:
            kernel.close(self.fd)
            raise

    def call(self, request: int, argument: Structure | c_int, purpose: str) -> None:
        """Have it do something; ``purpose`` ends the sentence '... could not'.

        :raises UnpluggedError: if it has gone away.
        :raises CameraError: if it does not do it.
        """
        try:
            self.kernel.ioctl(self.fd, request, argument)
        except OSError as error:
            raise failure(self.path, purpose, error) from error

    def asks(self, request: int, argument: Structure | c_int) -> bool:
        """Have it do or tell something that not every device can; False, if this one does not.

        :raises UnpluggedError: if it has gone away.
        """
        try:
            self.kernel.ioctl(self.fd, request, argument)
        except OSError as error:
            if error.errno in GONE:
                raise failure(self.path, "be asked", error) from error
            return False
        return True

    def share(self, length: int, offset: int) -> mmap.mmap:
        """A buffer of the driver's.

        :raises CameraError: if it does not share it.
        """
        try:
            return self.kernel.mmap(self.fd, length, offset)
        except OSError as error:
            raise failure(self.path, "share its buffers", error) from error

    def _card(self) -> str:
        """Its name, if it is what it is taken for."""
        told = Capability()
        if not self.asks(QUERYCAP, told):
            raise NotACameraError(
                f"{self.path} is not a video device (V4L2); see `emopulse doctor`."
            )
        # One driver may have several files; device_caps are those of this one.
        can = told.device_caps if told.capabilities & CAP_DEVICE_CAPS else told.capabilities
        card = bytes(told.card).decode("utf-8", "replace") or self.path.name
        if can & CAP_CAPTURE and can & CAP_STREAMING:
            return card
        if can & CAP_METADATA:
            raise NotACameraError(
                f"{self.path} gives data about the pictures of '{card}' and no pictures; those "
                "come by another number, mostly the one before."
            )
        if can & CAP_CAPTURE_PLANES:
            raise NotACameraError(
                f"{self.path} ('{card}') hands its pictures out in planes, which is not read here; "
                "use the images that a ROS driver of it publishes."
            )
        raise NotACameraError(
            f"{self.path} ('{card}') takes no pictures that could be streamed; `emopulse doctor` "
            "lists what does."
        )


def failure(path: Path, purpose: str, error: OSError) -> CameraError:
    """What a failed call means, and what to do."""
    if error.errno in GONE:
        return UnpluggedError(f"{path} has gone away.")
    if error.errno == errno.ENOENT:
        return CameraError(f"There is no {path}; `emopulse doctor` lists the cameras there are.")
    if error.errno in (errno.EACCES, errno.EPERM):
        return CameraError(
            f"{path} may not be opened by this user: run `sudo usermod -aG video $USER` and log in "
            "again."
        )
    if error.errno == errno.EBUSY:
        return CameraError(
            f"{path} is in use by another program; `fuser -v {path}` names it, and it has to end."
        )
    if error.errno == errno.ENOSPC:
        return CameraError(
            f"{path} finds no room on its USB bus for so much data: plug it, or its neighbour, "
            "into another port, or ask for a smaller size or rate."
        )
    return CameraError(
        f"{path} could not {purpose}: {error.strerror or error}. The kernel's log (`sudo dmesg`) "
        "may say more."
    )
