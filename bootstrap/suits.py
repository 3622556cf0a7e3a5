"""Whether the Python that runs this file can carry EmoPulse; prints its path, or why it cannot.

Runs under whatever Python 3 the machine has, so it keeps to what an old one understands. The
argument is the folder of the virtual environment.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def sourced_prefixes(environment: "Mapping[str, str]", venv: Path) -> "list[str]":
    """The prefixes of the ROS 2 distribution this shell has sourced, without the venv's own.

    Empty where none is sourced.
    """
    if not environment.get("ROS_DISTRO"):
        return []
    prefixes = environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    return [prefix for prefix in prefixes if prefix and Path(prefix).resolve() != venv.resolve()]


def interpreter() -> str:
    """This Python; its base where it is a virtual environment's, which may soon be replaced."""
    if sys.prefix == sys.base_prefix:
        return sys.executable
    return str(Path(sys.base_prefix) / "bin" / "python{}.{}".format(*sys.version_info))


def reason(venv: Path) -> str:
    """Why this Python does not suit, or nothing."""
    version = "{}.{}".format(*sys.version_info)
    if not (3, 10) <= sys.version_info[:2] <= (3, 13):
        return f"it is Python {version}"
    if sourced_prefixes(os.environ, venv):
        # A distribution's rclpy is compiled for one Python only.
        folders = [Path(entry) for entry in sys.path if f"python{version}" in Path(entry).parts]
        if not any((folder / "rclpy").is_dir() for folder in folders):
            return f"the sourced ROS 2 {os.environ['ROS_DISTRO']} is not for Python {version}"
    return ""


if __name__ == "__main__":
    problem = reason(Path(sys.argv[1]))
    print(problem or interpreter())
    sys.exit(1 if problem else 0)
