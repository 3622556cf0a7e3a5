"""Mends the wheels of ROS 2, which were built on another machine and remember it."""

from __future__ import annotations

import re
from pathlib import Path

NUMPY = re.compile(r"/opt/python/[^/;\"\s]+/lib/python[\d.]+/site-packages/numpy/_?core/include")
PYTHON = re.compile(r"/opt/python/[^/;\"\s]+/include/python[\d.]+")
"""Include folders of the machine that built the wheels, as their CMake exports name them."""


def mend_exports(share: Path, python_include: str, numpy_include: str) -> int:
    """Put this machine's include folders into all CMake exports below ``share``.

    Returns how many files were changed: none, when they are mended already.
    """
    changed = 0
    for export in share.rglob("*.cmake"):
        text = export.read_text()
        mended = PYTHON.sub(lambda _: python_include, NUMPY.sub(lambda _: numpy_include, text))
        if mended != text:
            export.write_text(mended)
            changed += 1
    return changed
