"""The services that a node has are those that the documents name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")

DOCUMENT = Path(__file__).parents[2] / "docs" / "nodes.md"


def test_the_documents_name_every_service_with_its_type(ros: Any, soon: Any) -> None:
    from emopulse_ros.nodes.au_node import AuNode
    from emopulse_ros.nodes.camera_node import CameraNode
    from emopulse_ros.nodes.flow_node import FlowNode
    from emopulse_ros.nodes.view_node import ViewNode

    section = DOCUMENT.read_text().partition("# Services\n")[2].partition("\n# ")[0]
    named = dict(re.findall(r"^\| `~/(\w+)` \| `([\w/]+)` \|", section, re.MULTILINE))
    for node_class in (CameraNode, FlowNode, AuNode, ViewNode):
        node = node_class(context=ros.process().context)
        # The graph takes a moment to know of them all.
        soon(lambda node=node: services_of(node) == named)
        there = services_of(node)
        node.destroy_node()
        assert there == named


def services_of(node: Any) -> dict[str, str]:
    """Name and type of a node's own services, but for one that nodes have since Jazzy."""
    own = node.get_service_names_and_types_by_node(node.get_name(), node.get_namespace())
    there = {
        name.rpartition("/")[2]: types[0].replace("/srv/", "/")
        for name, types in own
        if name.startswith(f"{node.get_fully_qualified_name()}/")
    }
    there.pop("get_type_description", None)
    return there
