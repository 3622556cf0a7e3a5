"""Stands in for ROS's launch where that is not installed: it remembers what a launch file says.

Only what our launch files use is here, and nothing of it starts anything. That they do what they
say is for test_launch.py, with the real one.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

LAUNCH = Path(__file__).parents[2] / "launch"

NAMES = {
    "launch": ("LaunchContext", "LaunchDescription"),
    "launch.actions": (
        "DeclareLaunchArgument",
        "ExecuteProcess",
        "IncludeLaunchDescription",
        "LogInfo",
        "OpaqueFunction",
        "RegisterEventHandler",
        "Shutdown",
        "TimerAction",
    ),
    "launch.event_handlers": ("OnProcessExit", "OnShutdown"),
    "launch.substitutions": ("LaunchConfiguration", "PathJoinSubstitution"),
    "launch_ros": (),
    "launch_ros.actions": ("Node",),
    "launch_ros.parameter_descriptions": ("ParameterFile",),
    "launch_ros.substitutions": ("FindPackageShare",),
}


class Said:
    """Any object of launch: with which words it was made."""

    def __init__(self, *words: Any, **options: Any) -> None:
        self.words = words
        self.options = options

    @property
    def kind(self) -> str:
        return type(self).__name__

    def perform(self, context: Context) -> str:
        """The text that a substitution stands for."""
        if self.kind == "LaunchConfiguration":
            return context.values[self.words[0]]
        if self.kind == "PathJoinSubstitution":
            return "/".join(
                part if isinstance(part, str) else part.perform(context) for part in self.words[0]
            )
        assert self.kind == "FindPackageShare"
        return f"<{self.words[0]}>"


class Context:
    """The values of a launch file's arguments."""

    is_shutdown = False

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values


class LaunchFile:
    """One of our launch files."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        for module, kinds in NAMES.items():
            stand_in = ModuleType(module)
            for kind in kinds:
                setattr(stand_in, kind, type(kind, (Said,), {}))
            monkeypatch.setitem(sys.modules, module, stand_in)
        self._described = runpy.run_path(str(LAUNCH / name))["generate_launch_description"]().words[
            0
        ]
        self.names: dict[str, Any] = runpy.run_path(str(LAUNCH / name))
        self.arguments: dict[str, dict[str, Any]] = {
            entity.words[0]: entity.options
            for entity in self._described
            if entity.kind == "DeclareLaunchArgument"
        }

    def __call__(self, **given: str) -> list[Any]:
        """What is started with these arguments."""
        assert set(given) <= set(self.arguments)
        defaults = {name: told.get("default_value") for name, told in self.arguments.items()}
        self.context = Context({**defaults, **given})
        actions = [one for one in self._described if one.kind != "DeclareLaunchArgument"]
        done: list[Any] = []
        for action in actions:
            if action.kind == "OpaqueFunction":
                done += action.options["function"](self.context)
            else:
                done.append(action)
        return done

    def nodes(self, **given: str) -> dict[str, Any]:
        """The nodes that are started, by their executables."""
        return {
            action.options["executable"]: action.options
            for action in self(**given)
            if action.kind == "Node"
        }

    def text(self, substitution: Any) -> str:
        """What a substitution stands for, after a call."""
        return str(substitution.perform(self.context))


def given_to(node: dict[str, Any]) -> dict[str, Any]:
    """The parameters that the bridge of Foxglove is given."""
    (given,) = node["parameters"]
    assert isinstance(given, dict)
    return given


def told(node: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The parameters that arguments give to a process, by node: the last of its files."""
    last = node["parameters"][-1].words[0] if node["parameters"] else None
    if not isinstance(last, str):
        return {}
    said = yaml.safe_load(Path(last).read_text())
    return {key.removeprefix("/**/"): its["ros__parameters"] for key, its in said.items()}


def with_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every ROS package be installed."""
    from ament_index_python import packages

    monkeypatch.setattr(packages, "get_package_share_directory", lambda name: f"/share/{name}")


def without_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no ROS package be installed."""
    from ament_index_python import packages

    def refuse(name: str) -> str:
        raise packages.PackageNotFoundError(name)

    monkeypatch.setattr(packages, "get_package_share_directory", refuse)
