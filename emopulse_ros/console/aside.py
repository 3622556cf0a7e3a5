"""What libraries and loggers write to standard error, put aside while a picture is drawn."""

from __future__ import annotations

import os
import sys

from emopulse_ros.camera.source import Closing

STANDARD_ERROR = 2
"""Its descriptor: the loggers of ROS, OpenCV and drivers write there past Python."""


class Aside(Closing):
    """Keeps what the process writes to standard error until :meth:`lines` asks for it.

    A file in memory takes it, not a pipe: nobody who writes has to wait for who shows it.
    """

    def __init__(self) -> None:
        sys.stderr.flush()
        self._file = os.memfd_create("standard error")
        self._before = os.dup(STANDARD_ERROR)
        self._told = 0
        os.dup2(self._file, STANDARD_ERROR)

    def lines(self) -> list[str]:
        """The whole lines written since the last call."""
        written, end, _ = self._read().rpartition(b"\n")
        self._told += len(written + end)
        return written.decode(errors="replace").splitlines()

    def close(self) -> None:
        """Give standard error back, and write there what was not asked for."""
        sys.stderr.flush()
        os.dup2(self._before, STANDARD_ERROR)
        os.close(self._before)
        os.write(STANDARD_ERROR, self._read())
        os.close(self._file)

    def _read(self) -> bytes:
        # Without moving the place at which others write.
        return os.pread(self._file, os.fstat(self._file).st_size - self._told, self._told)
