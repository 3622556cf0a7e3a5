"""Builds a plan in a process of its own, so that neither a stream nor its end waits for it.

TensorRT may take minutes, and holds Python's lock at times. A builder that crashes, or has its
memory taken, takes nothing else with it.
"""

from __future__ import annotations

import os
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


def build_beside(model: Path, faces: int, over: threading.Event) -> bytes:
    """The plan of a model; building is given up when ``over`` is set.

    :raises TensorRTError: if it cannot be built, or was given up.
    """
    paths = [str(Path(emopulse_ros.__file__).parent.parent), *(part for part in sys.path if part)]
    with tempfile.TemporaryDirectory(prefix="emopulse_") as folder:
        plan, said = Path(folder, "plan"), Path(folder, "said")
        with said.open("wb") as words:
            process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(model), str(faces), str(plan)],
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
    """Build the plan of a model, for so many faces, into a file."""
    os.nice(NICENESS)
    model, faces, plan = argv
    try:
        Path(plan).write_bytes(build_plan(find_tensorrt(), Path(model), faces=int(faces)))
    except TensorRTError as error:
        print(error)
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
