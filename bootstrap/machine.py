"""What the machine itself must bring."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
from pathlib import Path

from bootstrap.failure import SetupError


def missing_tools() -> dict[str, str]:
    """What is missing to build with, and for each the package of Debian and Ubuntu that has it."""
    version = "{}.{}".format(*sys.version_info)
    has_header = (Path(sysconfig.get_paths()["include"]) / "Python.h").is_file()
    present = {
        ("a C compiler", "gcc"): _command("CC", "cc", "gcc", "clang"),
        ("a C++ compiler", "g++"): _command("CXX", "c++", "g++", "clang++"),
        ("CMake", "cmake"): _command("CMAKE_COMMAND", "cmake"),
        ("make", "make"): _command("MAKE", "make"),
        (f"the headers of Python {version}", f"python{version}-dev"): has_header,
        (f"venv for Python {version}", f"python{version}-venv"): _module("ensurepip"),
    }
    return dict(thing for thing, there in present.items() if not there)


def demand_tools() -> None:
    """Say what is missing, all at once.

    :raises SetupError: if anything is.
    """
    missing = missing_tools()
    if missing:
        raise SetupError(
            f"this machine lacks {', '.join(missing)}. On Debian or Ubuntu: "
            f"sudo apt install {' '.join(missing.values())}"
        )


def _command(variable: str, *names: str) -> bool:
    chosen = os.environ.get(variable, "").split()[:1]
    return any(shutil.which(name) for name in chosen or names)


def _module(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
