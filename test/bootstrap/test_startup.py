"""Python's start in the virtual environment: it finds ROS with nothing sourced."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bootstrap import startup
from bootstrap.startup import complete


def test_missing_folders_go_in_front_and_present_ones_stay() -> None:
    variables = {"AMENT_PREFIX_PATH": "/ws:/opt/ros"}
    assert not complete(["AMENT_PREFIX_PATH=/venv:/opt/ros\n"], variables)
    assert variables == {"AMENT_PREFIX_PATH": "/venv:/ws:/opt/ros"}


def test_only_a_changed_library_path_calls_for_a_restart() -> None:
    variables: dict[str, str] = {}
    assert complete(["LD_LIBRARY_PATH=/venv/lib\n"], variables)
    assert not complete(["LD_LIBRARY_PATH=/venv/lib\n"], variables)
    assert variables == {"LD_LIBRARY_PATH": "/venv/lib"}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a bare virtual environment that has only the start-up."""
    venv = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    site = next(venv.glob("lib/python*/site-packages"))
    (site / "emopulse_startup.py").write_text(Path(startup.__file__).read_text())
    (site / "emopulse_startup.pth").write_text("import emopulse_startup; emopulse_startup.start()")
    (site / "emopulse_startup.txt").write_text(
        f"AMENT_PREFIX_PATH={venv}\nLD_LIBRARY_PATH={venv}/lib\n"
    )
    # Counts the starts that come this far, where the restart is over. (site reads it twice.)
    count = f"hasattr(sys, 'seen') or open({str(venv / 'starts')!r}, 'a').write('x'); sys.seen = 1"
    (site / "later.pth").write_text(f"import sys; {count}")
    return venv / "bin" / "python"


def run(python: Path, *arguments: str, give: str = "", **variables: str) -> Any:
    """What a program prints as JSON, started from a shell with nothing sourced."""
    environment = {"PATH": os.environ["PATH"], **variables}
    said = subprocess.run(
        [str(python), *arguments], input=give, env=environment, cwd="/", text=True,
        capture_output=True, timeout=30,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


TELL = "import json, os, sys; print(json.dumps([dict(os.environ), sys.argv, sys.prefix, sys.flags.utf8_mode]))"  # noqa: E501


def test_a_program_finds_the_libraries_and_keeps_its_arguments(python: Path) -> None:
    variables, arguments, prefix, utf8 = run(python, "-X", "utf8", "-c", TELL, "a b", "")
    venv = str(python.parent.parent)
    assert variables["LD_LIBRARY_PATH"] == f"{venv}/lib"
    assert variables["AMENT_PREFIX_PATH"] == venv
    assert startup.MARK not in variables
    assert arguments == ["-c", "a b", ""]
    assert (prefix, utf8) == (venv, 1)


def test_a_program_on_standard_input_is_read_after_the_restart(python: Path) -> None:
    assert run(python, "-", give="print(42)") == 42


def test_what_the_caller_set_stays_behind_ours(python: Path) -> None:
    variables = run(python, "-c", TELL, LD_LIBRARY_PATH="/cuda/lib", AMENT_PREFIX_PATH="/ws")[0]
    venv = str(python.parent.parent)
    assert variables["LD_LIBRARY_PATH"] == f"{venv}/lib:/cuda/lib"
    assert variables["AMENT_PREFIX_PATH"] == f"{venv}:/ws"


def test_python_starts_anew_once_and_its_children_not_at_all(python: Path) -> None:
    starts = python.parent.parent / "starts"
    starts.unlink(missing_ok=True)
    child = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"
    )
    variables = run(python, "-c", child, TELL)[0]
    assert variables["LD_LIBRARY_PATH"] == f"{python.parent.parent}/lib"
    assert starts.read_text() == "xx"


def test_where_the_library_path_is_stripped_it_goes_on_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "emopulse_startup.txt").write_text("LD_LIBRARY_PATH=/venv/lib\n")
    monkeypatch.setattr(startup, "__file__", str(tmp_path / "emopulse_startup.py"))
    monkeypatch.setenv("LD_LIBRARY_PATH", "")
    monkeypatch.setenv(startup.MARK, str(os.getpid()))
    monkeypatch.setenv("_ROS_WHEELS_BOOTSTRAP_COMPLETE", "1")
    startup.start()
    assert startup.MARK not in os.environ
