"""The parameters of all nodes: ``python -m emopulse_ros.nodes.tables > config/emopulse.yaml``."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from emopulse_ros.nodes.au_node import AuNode
from emopulse_ros.nodes.camera_node import CameraNode
from emopulse_ros.nodes.flow_node import FlowNode
from emopulse_ros.nodes.parameters import Table, as_yaml
from emopulse_ros.nodes.view_node import ViewNode

TABLES: Mapping[str, Table] = {
    node.own_name: node.table for node in (CameraNode, FlowNode, AuNode, ViewNode)
}
"""By name of the node."""

HEAD = "# Every parameter with its default. Written by `python -m emopulse_ros.nodes.tables`.\n"


def default_yaml() -> str:
    """What ``config/emopulse.yaml`` holds."""
    return HEAD + as_yaml(TABLES)


if __name__ == "__main__":
    sys.stdout.write(default_yaml())
