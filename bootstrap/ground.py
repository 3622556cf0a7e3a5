"""Where the set-up works, and how it runs commands there."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bootstrap.failure import SetupError
from bootstrap.ros import Ros


@dataclass(frozen=True)
class Ground:
    """The repository's root, its virtual environment, and the ROS 2 beneath."""

    root: Path
    ros: Ros

    @property
    def venv(self) -> Path:
        """The virtual environment."""
        return self.root / ".venv"

    @property
    def ledger(self) -> Path:
        """Where the set-up keeps what it must remember, its logs included."""
        return self.venv / ".emopulse"

    @property
    def python(self) -> Path:
        """The virtual environment's Python."""
        return self.venv / "bin/python"

    @property
    def site_packages(self) -> Path:
        """Where the virtual environment keeps Python packages."""
        version = "python{}.{}".format(*sys.version_info)
        return self.venv / "lib" / version / "site-packages"

    def requirements(self, name: str) -> Path:
        """A requirement file."""
        return self.root / "requirements" / f"{name}.txt"

    def search_paths(self) -> dict[str, list[str]]:
        """The folders that whatever uses ROS has to find, by the variable that lists them."""
        bundled = sorted(str(folder) for folder in self.site_packages.glob("ros_*.libs"))
        libraries = [str(self.venv / "lib"), *bundled]
        return {
            "AMENT_PREFIX_PATH": [str(self.venv), *self.ros.entries("AMENT_PREFIX_PATH")],
            "LD_LIBRARY_PATH": [*libraries, *self.ros.entries("LD_LIBRARY_PATH")],
        }

    def variables(self) -> dict[str, str]:
        """The environment for tools that run inside the virtual environment."""
        paths = self.search_paths()
        paths["CMAKE_PREFIX_PATH"] = [
            *paths["AMENT_PREFIX_PATH"], *self.ros.entries("CMAKE_PREFIX_PATH")
        ]  # fmt: skip
        paths["PATH"] = [str(self.venv / "bin"), os.environ["PATH"]]
        paths["PYTHONPATH"] = self.ros.entries("PYTHONPATH")
        joined = {name: os.pathsep.join(entries) for name, entries in paths.items()}
        # A user's settings for pip may ask for what a virtual environment refuses.
        single = {"VIRTUAL_ENV": str(self.venv), "PIP_USER": "0"}
        return {**os.environ, **self.ros.sourced, **joined, **single}

    def run(self, name: str, *command: str | Path) -> None:
        """Run a command in the root, what it says going into the log ``name``.

        :raises SetupError: if it fails, with the end of the log.
        """
        log = self.ledger / f"{name}.log"
        with log.open("w") as output:
            status = subprocess.run(
                command, cwd=self.root, env=self.variables(), check=False,
                stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            ).returncode  # fmt: skip
        if status != 0:
            told = [line for line in log.read_text().splitlines() if line.strip()]
            end = "\n".join(f"    {line}" for line in told[-12:])
            raise SetupError(f"that failed; all it said is in {log}, and this at the end:\n{end}")

    def pip(self, name: str, *arguments: str | Path) -> None:
        """Let pip install into the virtual environment, at the versions we know."""
        self.run(
            name, self.python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check",
            *arguments,
        )  # fmt: skip
