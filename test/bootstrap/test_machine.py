"""What the set-up says when the machine lacks something."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.failure import SetupError
from bootstrap.machine import demand_tools
from bootstrap.ros import Ros, find_ros, record_ros
from bootstrap.suits import interpreter, sourced_prefixes

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without tools, in a shell with nothing sourced; its folder of commands."""
    for name in ("CC", "CXX", "CMAKE_COMMAND", "MAKE", "ROS_DISTRO", "AMENT_PREFIX_PATH"):
        monkeypatch.delenv(name, raising=False)
    commands = tmp_path / "commands"
    commands.mkdir()
    monkeypatch.setenv("PATH", str(commands))
    return commands


def install(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)


def test_all_that_is_missing_is_said_at_once(bare: Path) -> None:
    install(bare, "cc", "make")
    with pytest.raises(SetupError, match=r"lacks a C\+\+ compiler, CMake.*apt install g\+\+ cmake"):
        demand_tools()


@pytest.mark.usefixtures("bare")
def test_a_compiler_of_the_callers_choice_counts(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(bare, "cc", "make", "cmake", "my-c++")
    monkeypatch.setenv("CXX", "my-c++ -pipe")
    demand_tools()


@pytest.mark.usefixtures("bare")
def test_a_machine_without_wheels_is_told_to_source_ros(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(SetupError, match=r"Linux on aarch64: .*source it"):
        find_ros(tmp_path / ".venv")


@pytest.mark.usefixtures("bare")
def test_a_sourced_distribution_is_taken_and_gone_on_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home, venv = tmp_path / "ros", tmp_path / ".venv"
    (home / "share" / "rclpy").mkdir(parents=True)
    (venv / ".emopulse").mkdir(parents=True)
    with monkeypatch.context() as sourced:
        sourced.setenv("ROS_DISTRO", "rolling")
        sourced.setenv("AMENT_PREFIX_PATH", f"{tmp_path}/overlay:{home}")
        found = find_ros(venv)
    assert found.name == "the sourced ROS 2 rolling"
    assert found.identity == f"rolling {home}"
    record_ros(venv, found)
    assert find_ros(venv) == found


@pytest.mark.usefixtures("bare")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="ROS's wheels are for x86-64")
def test_a_distribution_that_has_gone_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / ".emopulse").mkdir()
    record_ros(tmp_path, Ros({"ROS_DISTRO": "jazzy", "AMENT_PREFIX_PATH": "/no/such/ros"}))
    assert find_ros(tmp_path) == Ros({})


def test_our_own_prefix_is_no_sourced_distribution(tmp_path: Path) -> None:
    environment = {"ROS_DISTRO": "jazzy", "AMENT_PREFIX_PATH": f"{tmp_path}/.venv"}
    assert sourced_prefixes(environment, tmp_path / ".venv") == []
    assert sourced_prefixes(environment, tmp_path / "other") == [f"{tmp_path}/.venv"]


def prepare(**variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(ROOT / "bootstrap" / "prepare.sh"), "no such part"],
        env={"PATH": os.environ["PATH"], **variables}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("version", ["3.9", "3.14"])
def test_a_python_that_is_too_old_or_too_new_is_refused(tmp_path: Path, version: str) -> None:
    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\necho 'it is Python {version}'; exit 1\n")
    fake.chmod(0o755)
    said = prepare(PYTHON=str(fake))
    assert said.returncode == 2
    assert f"{fake}: it is Python {version}" in said.stderr
    assert "Python 3.10 to 3.13" in said.stderr


def test_a_python_that_is_not_there_is_told() -> None:
    said = prepare(PYTHON="python3.99")
    assert said.returncode == 2
    assert "python3.99: there is none" in said.stderr


def test_a_python_without_the_sourced_rclpy_is_told(tmp_path: Path) -> None:
    said = prepare(PYTHON=interpreter(), ROS_DISTRO="jazzy", AMENT_PREFIX_PATH=str(tmp_path))
    assert said.returncode == 2
    assert "the sourced ROS 2 jazzy is not for Python" in said.stderr


def test_the_interpreter_is_never_that_of_a_virtual_environment(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path)], check=True)
    said = subprocess.run(
        [str(tmp_path / "bin" / "python"), str(ROOT / "bootstrap" / "suits.py"), str(tmp_path)],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    assert Path(said).is_file()
    assert tmp_path not in Path(said).parents


def test_what_is_recorded_can_be_read(tmp_path: Path) -> None:
    (tmp_path / ".emopulse").mkdir()
    record_ros(tmp_path, Ros({"ROS_DISTRO": "jazzy"}))
    assert json.loads((tmp_path / ".emopulse" / "ros.json").read_text()) == {"ROS_DISTRO": "jazzy"}
