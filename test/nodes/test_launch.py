from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

LAUNCH = Path(__file__).parents[2] / "launch" / "emopulse.launch.py"


@pytest.mark.parametrize(
    ("split", "executables"),
    [
        ("false", ["emopulse_container"]),
        ("true", ["camera_node", "flow_node", "au_node"]),
    ],
)
def test_one_process_or_three(split: str, executables: list[str]) -> None:
    launch: Any = pytest.importorskip("launch", reason="ROS's launch is not installed")
    nodes: Any = pytest.importorskip("launch_ros.actions", reason="launch_ros is not installed")
    described = runpy.run_path(str(LAUNCH))["generate_launch_description"]()
    context = launch.LaunchContext()
    context.launch_configurations["split"] = split
    started = [
        entity.node_executable
        for entity in described.entities
        if isinstance(entity, nodes.Node) and entity.condition.evaluate(context)
    ]
    assert started == executables
