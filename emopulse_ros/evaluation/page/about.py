"""What a report says beside its figures; only the caller knows it."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import emopulse_ros
from emopulse_ros.detection.model import Card

Timing = Mapping[str, tuple[float, str]]
"""How recorded messages came: from the name of a figure to its value and unit."""

PACKAGES = {"numpy": ("numpy",), "OpenCV": ("opencv-python-headless", "opencv-python"),
            "ONNX Runtime": ("onnxruntime", "onnxruntime-gpu")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class About:
    """The model, where it ran, and how the messages came.

    ``timing`` has one entry for each recording, or none at all. ``created`` is a date in words; a
    report without one has the same bytes whenever it is written.
    """

    card: Card | None = None
    model_hash: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    timing: tuple[Timing, ...] = ()
    created: str = ""

    def timing_of(self, index: int) -> Timing:
        """How the messages of a recording came, by its place in the report."""
        return self.timing[index] if self.timing else {}


def environment() -> dict[str, str]:
    """Versions and processor of this machine; nothing that names it or its user."""
    found = {"EmoPulse": emopulse_ros.__version__, "Python": platform.python_version()}
    for subject, names in PACKAGES.items():
        found[subject] = next(filter(None, map(_version, names)), "unknown")
    return {**found, "system": f"{platform.system()} {platform.machine()}", "processor": _cpu()}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
