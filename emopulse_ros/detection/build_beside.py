"""Builds a plan in a process of its own, so that neither a stream nor its end waits for it.

TensorRT may take minutes, and holds Python's lock at times. A builder that crashes, or has its
memory taken, takes nothing else with it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import emopulse_ros
from emopulse_ros.detection.tensorrt_plan import TensorRTError, build_plan, find_tensorrt

NICENESS = 10
"""How far it stands back for what is live."""
LOOK_S = 0.05
REFUSED = 3
"""Exit status where the last line of what it says is a sentence for people."""
PR_SET_PDEATHSIG = 1
"""Asks Linux for a signal when the parent has ended, however it did; see prctl(2)."""


def build_beside(model: Path, faces: int, over: threading.Event) -> bytes:
    """The plan of a model; building is given up when ``over`` is set.

    :raises TensorRTError: if it cannot be built, or was given up.
    """
    paths = [str(Path(emopulse_ros.__file__).parent.parent), *(part for part in sys.path if part)]
    with tempfile.TemporaryDirectory(prefix="emopulse_") as folder:
        plan, said = Path(folder, "plan"), Path(folder, "said")
        with said.open("wb") as words:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    __name__,
                    str(model),
                    str(faces),
                    str(plan),
                    str(os.getpid()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                # A Ctrl-C is for the parent, whose end is this one's as well.
                start_new_session=True,
            )
        try:
            while process.poll() is None:
                if over.wait(LOOK_S):
                    raise TensorRTError("the building of the TensorRT plan was given up")
        finally:
            process.kill()
            process.wait()
        if process.returncode == 0:
            return plan.read_bytes()
        lines = said.read_text(errors="replace").strip().splitlines() or ["without a word"]
        if process.returncode == REFUSED:
            raise TensorRTError(lines[-1])
        raise TensorRTError(
            f"the process that builds the TensorRT plan failed ({process.returncode}): {lines[-1]}"
        )


def main(argv: list[str]) -> int:
    """Build the plan of a model, for so many faces, into a file, while the parent lives."""
    model, faces, plan, parent = argv
    _end_with(int(parent))
    os.nice(NICENESS)
    try:
        Path(plan).write_bytes(build_plan(find_tensorrt(), Path(model), faces=int(faces)))
    except TensorRTError as error:
        print(error)
        return REFUSED
    return 0


def _end_with(parent: int) -> None:
    """Let this process be killed when the one that waits for its plan is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        # It has ended before we asked.
        sys.exit(REFUSED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
