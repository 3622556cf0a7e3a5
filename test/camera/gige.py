"""A GigE Vision camera for tests: the one that Aravis simulates, on this machine's own network."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emopulse_ros.camera import CameraError
from emopulse_ros.camera.aravis import REMEDY, load_aravis

TOOL = "arv-fake-gv-camera-0.8"
FACE_CAMERA = Path(__file__).with_name("face_camera.py")
ADDRESS = "127.0.0.1"
PORT = 3956
"""Where every GigE Vision camera takes orders."""


def need_aravis() -> None:
    """Skip a test where Aravis is missing."""
    try:
        load_aravis()
    except CameraError:
        pytest.skip(f"Aravis is not installed: {REMEDY}")


class Gige:
    """The camera ``genicam:127.0.0.1``, its first picture numbered 65401, up to its wrap and on.

    At an exposure of 10000 µs, pixel (x, y) of its picture number n is ``(x + y + n) % 255``.
    """

    spec = f"genicam:{ADDRESS}"

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def plug_in(self, lost_per_thousand: int = 0, *, face: bool = False) -> None:
        """Switch it on; ``lost_per_thousand`` packets are lost on the way.

        With ``face`` there is one in its picture, in place of the pattern.
        """
        serial, lost = f"{os.getpid()}", str(lost_per_thousand)
        command = [TOOL, "-i", ADDRESS, "-s", serial, "-r", lost]
        if face:
            command = [sys.executable, str(FACE_CAMERA), ADDRESS, serial, lost]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20.0
        while not taken():
            assert self._process.poll() is None
            assert time.monotonic() < end, f"{command[0]} does not listen"
            time.sleep(0.01)

    def unplug(self) -> None:
        """Pull its cable out: no farewell."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def taken() -> bool:
    """Whether something takes orders for cameras at our address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((ADDRESS, PORT))
        except OSError:
            return True
    return False


@contextlib.contextmanager
def own_gige() -> Iterator[Gige]:
    """A camera that is switched off yet. There is one address for all: test runs take turns."""
    need_aravis()
    if shutil.which(TOOL) is None:
        pytest.skip(f"{TOOL} is not installed: sudo apt install aravis-tools")
    turn = Path(tempfile.gettempdir(), f"gige_camera_{os.getuid()}.lock")
    with turn.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if taken():
            pytest.skip(f"another camera has port {PORT} of {ADDRESS}")
        camera = Gige()
        try:
            yield camera
        finally:
            camera.unplug()
