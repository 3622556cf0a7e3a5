"""The parameter files for each use, read by the nodes they are for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")

CONFIG = Path(__file__).parents[2] / "config"
USES = ("driver", "genicam", "ov9281", "replay", "uvc")


@pytest.mark.parametrize("use", USES)
def test_a_file_names_only_what_there_is_and_the_nodes_read_it(ros: Any, use: str) -> None:
    from emopulse_ros.nodes.au_node import AuNode
    from emopulse_ros.nodes.camera_node import CameraNode
    from emopulse_ros.nodes.flow_node import FlowNode

    file = CONFIG / f"{use}.yaml"
    said = {
        key.removeprefix("/**/"): told["ros__parameters"]
        for key, told in yaml.safe_load(file.read_text()).items()
    }
    classes = {node.own_name: node for node in (CameraNode, FlowNode, AuNode)}
    assert set(said) <= set(classes)
    process = ros.process("--ros-args", "--params-file", str(file))
    for name, node_class in classes.items():
        defaults = {parameter.name: parameter.default for parameter in node_class.table}
        assert set(said.get(name, {})) <= set(defaults)
        # A wrong type, or a value out of bounds, is refused here.
        node = node_class(context=process.context)
        assert node.settings == {**defaults, **said.get(name, {})}
        node.destroy_node()


@pytest.mark.parametrize("use", USES)
def test_a_file_says_how_it_is_used(use: str) -> None:
    head = (CONFIG / f"{use}.yaml").read_text().partition("/**")[0]
    assert all(line.startswith("#") for line in head.splitlines())
    assert f"use:={use}" in head


def test_a_file_for_a_device_leaves_time_to_read_the_picture_out() -> None:
    for use in ("ov9281", "genicam"):
        told = yaml.safe_load((CONFIG / f"{use}.yaml").read_text())["/**/camera_node"]
        camera = told["ros__parameters"]
        assert camera["exposure"] < 0.8 * 1e6 / camera["rate"]
