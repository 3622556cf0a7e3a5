"""The reader's end of the process that draws the synthetic camera's pictures.

The process is started as a program rather than forked, so that it carries nothing of this one's
threads, locks or ``__main__``. All that joins the two is a ring of memory without a name and a
pair of pipes: whatever becomes of either, the other notices and nothing is left behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.camera.renderer import RenderOrder
from emopulse_ros.camera.ring import PictureRing, reserve

_PROGRAM = """
import json, sys
sys.path[:] = json.loads(sys.argv[3])
from emopulse_ros.camera.renderer import main
main(*sys.argv[1:3])
"""


class RenderProcess:
    """Draws the pictures of an order, ``slots`` ahead of :meth:`take`."""

    def __init__(self, order: RenderOrder) -> None:
        path = json.dumps(sys.path)
        descriptor = reserve(order.slots, order.size)
        try:
            self._ring = PictureRing(descriptor, order.slots, order.size)
            self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (read when it fails)
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, order.to_json(), str(descriptor), path],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                pass_fds=(descriptor,),
                # One core is enough for it, and a Ctrl-C is for the reader, who then ends it.
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._taken = self._process.stdin
        self._drawn = self._process.stdout
        self._ready = 0
        self._index = 0
        self._reading = threading.Lock()
        self.stopped = False

    def take(self) -> NDArray[np.uint8] | None:
        """Wait for the next picture and return a copy of it, or None if there will be none."""
        with self._reading:
            if self.stopped:
                return None
            if self._ready == 0:
                self._ready = len(self._drawn.read(4096))
            if self._ready == 0:
                return None
            picture: NDArray[np.uint8] = self._ring.slot(self._index).copy()
            self._index += 1
            self._ready -= 1
            # Once the last picture is drawn nobody reads this any more.
            with contextlib.suppress(BrokenPipeError):
                self._taken.write(b".")
            return picture

    def failure(self) -> str:
        """Why there are no more pictures, in a few words."""
        status = self._process.wait()
        self._complaints.seek(0)
        said = self._complaints.read().decode(errors="replace").strip().rpartition("\n")[2]
        return f"exit status {status}" + (f", {said}" if said else "")

    def cpu_seconds(self) -> float:
        """Processor time in s that the process has used, up to its last picture."""
        return self._ring.cpu_seconds

    def stop(self) -> None:
        """End the process; safe to call twice and while another thread is in :meth:`take`."""
        self.stopped = True
        self._process.kill()
        self._process.wait()
        # The reader has woken at the end of its pipe, unless this is its own signal handler.
        if self._reading.acquire(timeout=1.0):
            self._taken.close()
            self._drawn.close()
            self._complaints.close()
            self._reading.release()
