"""Workers do their work, and nobody is left when the one they work for is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emopulse_ros.evaluation.workers import workers

# Workers import the program that started them, which must thus be a file.
PROGRAM = """
import os, time
from emopulse_ros.evaluation.workers import workers

def name(_):
    time.sleep(0.2)
    return os.getpid()

if __name__ == "__main__":
    with workers(2) as pool:
        print(*{*pool.map(name, range(4))}, flush=True)
        list(pool.map(name, range(10_000)))
"""


def test_each_is_prepared_first() -> None:
    with workers(2, os.putenv, "PREPARED", "yes") as pool:
        assert pool.submit(subprocess.getoutput, "echo $PREPARED").result() == "yes"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_they_end_with_who_is_killed(number: signal.Signals, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        names = [int(name) for name in parent.stdout.readline().split()]
        parent.send_signal(number)
    assert names
    until = time.monotonic() + 20.0
    while any(map(is_running, names)) and time.monotonic() < until:
        time.sleep(0.05)
    assert [name for name in names if is_running(name)] == []


def is_running(name: int) -> bool:
    try:
        return Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
