"""A plan built in a process of its own: with a TensorRT that is none, and with a real one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from emopulse_ros.detection.build_beside import build_beside
from emopulse_ros.detection.model import shipped_model
from emopulse_ros.detection.tensorrt_plan import TensorRTError, find_tensorrt


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that the other process takes for TensorRT."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "tensorrt.py"


def test_it_is_given_up_at_once_and_leaves_no_process(library: Path, tmp_path: Path) -> None:
    library.write_text(
        f"import os, pathlib, time\npathlib.Path({str(tmp_path)!r}, 'pid').write_text("
        "str(os.getpid()) + ' ' + str(os.nice(0)))\ntime.sleep(600)"
    )
    over, pid = threading.Event(), tmp_path / "pid"

    def give_up() -> None:
        while not (pid.exists() and pid.read_text()):
            time.sleep(0.01)
        over.set()

    threading.Thread(target=give_up, daemon=True).start()
    with pytest.raises(TensorRTError, match="was given up"):
        build_beside(shipped_model(), 1, over)
    number, niceness = map(int, pid.read_text().split())
    assert niceness == min(os.nice(0) + 10, 19)
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_it_ends_with_whoever_waits_for_it_however_that_ends(library: Path, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    library.write_text(
        f"import os, pathlib, time\npathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\n"
        "time.sleep(600)"
    )
    wait = (
        "import sys, threading, pathlib; from emopulse_ros.detection.build_beside import "
        "build_beside; build_beside(pathlib.Path(sys.argv[1]), 1, threading.Event())"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", wait, str(shipped_model())],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)},
    )
    try:
        assert soon(lambda: pid.exists() and bool(pid.read_text()))
        builder = int(pid.read_text())
        assert is_alive(builder)
    finally:
        parent.kill()
        parent.wait()
    gone = soon(lambda: not is_alive(builder))
    if not gone:
        os.kill(builder, signal.SIGKILL)
    assert gone


def soon(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 30.0
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended may be left there for its parent to see."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return told.rpartition(")")[2].split()[0] not in "ZX"


def test_a_builder_that_crashes_is_told_and_takes_nothing_with_it(library: Path) -> None:
    library.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(TensorRTError, match=r"failed \(-11\)"):
        build_beside(shipped_model(), 1, threading.Event())


def test_what_it_says_last_is_told(library: Path) -> None:
    library.write_text("print('hello')")
    with pytest.raises(TensorRTError, match=r"failed \(1\): AttributeError: .*'ILogger'"):
        build_beside(shipped_model(), 1, threading.Event())


def test_a_real_tensorrt_builds_there() -> None:
    try:
        find_tensorrt()
    except TensorRTError as error:
        pytest.skip(f"needs TensorRT: {error}")
    plan = build_beside(shipped_model(), 1, threading.Event())
    assert len(plan) > shipped_model().stat().st_size / 2


def test_what_a_real_tensorrt_refuses_is_told_in_a_sentence(tmp_path: Path) -> None:
    try:
        find_tensorrt()
    except TensorRTError as error:
        pytest.skip(f"needs TensorRT: {error}")
    file = tmp_path / "noise.onnx"
    file.write_bytes(b"not a network")
    with pytest.raises(TensorRTError, match=r"^TensorRT.* refuses the model .*noise\.onnx: "):
        build_beside(file, 1, threading.Event())
