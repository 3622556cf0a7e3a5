"""Compiled where numba is at hand; where not, OpenCV does the same, and it is told why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
{before}
from emopulse_ros.flow.methods import methods
print(methods().dense.__name__, methods().rigid.__name__, methods().why, sep="|")
"""


def chosen(before: str = "", **environment: str) -> tuple[str, str, str]:
    """Names of the classes and the reason, in a process of its own."""
    said = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    dense, rigid, why = said.strip().split("|")
    return dense, rigid, why


def test_numba_compiles_the_flow() -> None:
    pytest.importorskip("numba", reason="numba is not installed: the flow runs on OpenCV")
    dense, rigid, why = chosen()
    assert (dense, rigid) == ("CompiledLucasKanade", "CompiledRigidPart")
    assert why.startswith("compiled by numba ")


def test_without_numba_opencv_does_it() -> None:
    dense, rigid, why = chosen("sys.modules['numba'] = None")
    assert (dense, rigid, why) == ("LucasKanade", "RigidPart", "OpenCV (numba is not installed)")


def test_a_numba_that_does_not_suit_is_named(tmp_path: Path) -> None:
    sentence = "Numba needs NumPy 1.21 or less"
    (tmp_path / "numba.py").write_text(f"raise ImportError({sentence!r})")
    dense, _, why = chosen(f"sys.path.insert(0, {str(tmp_path)!r})")
    assert (dense, why) == ("LucasKanade", f"OpenCV (numba fails: {sentence})")


def test_loops_that_are_not_compiled_are_left_alone() -> None:
    """A numba that only interprets would take seconds a frame."""
    pytest.importorskip("numba", reason="numba is not installed: the flow runs on OpenCV")
    dense, _, why = chosen(NUMBA_DISABLE_JIT="1")
    assert dense == "LucasKanade"
    assert "NUMBA_DISABLE_JIT" in why
