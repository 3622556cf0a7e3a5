"""The example in the documents does what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / "docs" / "transport.md"


def test_the_example_of_the_documents_works() -> None:
    pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    example = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert example is not None
    done = subprocess.run(
        [sys.executable, "-c", example[1]], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "the very same picture\n"), done.stderr
