"""Which ROS 2 everything is built against: a sourced distribution, or Jazzy from wheels."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from bootstrap.failure import SetupError
from bootstrap.suits import sourced_prefixes

VARIABLES = (
    "ROS_DISTRO", "ROS_VERSION", "ROS_PYTHON_VERSION",
    "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "LD_LIBRARY_PATH", "PYTHONPATH",
)  # fmt: skip
"""What sourcing a distribution sets and its libraries and tools read."""


@dataclass(frozen=True)
class Ros:
    """A ROS 2: ``sourced`` holds a distribution's :data:`VARIABLES`, nothing for the wheels."""

    sourced: dict[str, str]

    @property
    def name(self) -> str:
        """What people call it."""
        distribution = self.sourced.get("ROS_DISTRO")
        return f"the sourced ROS 2 {distribution}" if distribution else "ROS 2 Jazzy from wheels"

    @property
    def home(self) -> Path | None:
        """The prefix of the distribution itself, below any overlays; None for the wheels."""
        prefixes = (Path(prefix) for prefix in self.entries("AMENT_PREFIX_PATH"))
        return next((prefix for prefix in prefixes if (prefix / "share/rclpy").is_dir()), None)

    @property
    def identity(self) -> str:
        """What a virtual environment made for it stays good for: overlays may come and go."""
        return f"{self.sourced.get('ROS_DISTRO', 'wheels')} {self.home}"

    def has(self, package: str) -> bool:
        """Whether a package is in the distribution or one of its overlays."""
        prefixes = map(Path, self.entries("AMENT_PREFIX_PATH"))
        return any((prefix / "share" / package).is_dir() for prefix in prefixes)

    def entries(self, variable: str) -> list[str]:
        """The folders that sourcing put into a variable."""
        return [entry for entry in self.sourced.get(variable, "").split(os.pathsep) if entry]


def find_ros(venv: Path) -> Ros:
    """Find the ROS 2 to use.

    A sourced distribution comes first, then the one the virtual environment was made with, so that
    a shell with nothing sourced goes on with it, then the wheels.

    :raises SetupError: if there is none for this machine.
    """
    if sourced_prefixes(os.environ, venv):
        return Ros({name: os.environ[name] for name in VARIABLES if name in os.environ})
    record = venv / ".emopulse/ros.json"
    if record.is_file():
        recorded = Ros(json.loads(record.read_text()))
        if recorded.home:
            return recorded
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise SetupError(
            "the wheels of ROS 2 exist for Linux on x86-64 only, and this is "
            f"{platform.system()} on {platform.machine()}: install a ROS 2 distribution (Humble or "
            "newer), source it, for example `. /opt/ros/jazzy/setup.sh`, and run this again"
        )
    return Ros({})


def record_ros(venv: Path, ros: Ros) -> None:
    """Remember what the virtual environment was made with, for :func:`find_ros`."""
    (venv / ".emopulse/ros.json").write_text(json.dumps(ros.sourced, indent=1))
