"""A process of its own for one end of a measurement, as another node of a robot would be."""

from __future__ import annotations

import subprocess
import sys

from emopulse_ros.camera.source import Closing


class Child(Closing):
    """Runs a module of the package as a program; it is killed at the end of a ``with`` block.

    It prints a line when it is ready, and then answers as it sees fit.

    :raises RuntimeError: if it ends without a word.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # A Ctrl-C is for the parent, whose end is this one's as well.
            start_new_session=True,
        )
        self._hear()

    def ask(self) -> str:
        """Send an empty line; return the line it answers.

        :raises RuntimeError: if it has ended.
        """
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._hear()

    def last_words(self) -> str:
        """End its input; return what it still has to say."""
        return self._process.communicate()[0]

    def close(self) -> None:
        """End it, whatever it is at."""
        self._process.kill()
        self._process.communicate()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process of {self._module} has ended before its time")
        return line
