"""Shows what EmoPulse sees: a bridge to Foxglove.

It shows the topics of EmoPulse's namespace and no others, on this machine only unless
`address` says otherwise, and takes nothing from who looks. Open ws://localhost:8765 in Foxglove,
with the layout config/foxglove.json. Start it beside `emopulse.launch.py`, or include both.
"""

from __future__ import annotations

import re
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription

BRIDGE = "foxglove_bridge"

NOTHING = ["(?!)"]
"""A pattern that fits no name."""

TOPICS = (
    "camera/image_raw",
    "camera/camera_info",
    "camera/annotated",
    "flow",
    "au_activation",
    "micro_expression",
    "truth",
)
"""What EmoPulse has: in the root namespace there is all else as well."""

ARGUMENTS = [
    DeclareLaunchArgument(
        "namespace", default_value="emopulse", description="namespace whose topics are shown"
    ),
    DeclareLaunchArgument(
        "address",
        default_value="127.0.0.1",
        description="address of this machine at which the bridge listens; 0.0.0.0 lets others of "
        "the network see the face",
    ),
    DeclareLaunchArgument("port", default_value="8765", description="port of the bridge"),
]


def generate_launch_description() -> LaunchDescription:
    """Describe what to start."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=bridge)])


def bridge(context: LaunchContext) -> list[Any]:
    """The bridge to Foxglove, or a sentence on its absence.

    :raises RuntimeError: if the port is no number.
    """
    try:
        get_package_share_directory(BRIDGE)
    except PackageNotFoundError:
        absence = f"{BRIDGE} is not installed: install ros-<distribution>-foxglove-bridge"
        return [LogInfo(msg=f"{absence}; without it Foxglove shows bags only")]
    namespace = LaunchConfiguration("namespace").perform(context).strip("/")
    port = LaunchConfiguration("port").perform(context)
    if not port.isdigit():
        raise RuntimeError(f"port is '{port}'; it must be a number, such as 8765")
    return [
        Node(
            package=BRIDGE,
            executable=BRIDGE,
            namespace=LaunchConfiguration("namespace"),
            parameters=[
                {
                    "address": LaunchConfiguration("address"),
                    "port": int(port),
                    "topic_whitelist": shown(namespace),
                    "capabilities": ["time"],
                    "client_topic_whitelist": NOTHING,
                    "service_whitelist": NOTHING,
                    "param_whitelist": NOTHING,
                }
            ],
            output="screen",
        )
    ]


def shown(namespace: str) -> list[str]:
    """Patterns of the topics that are shown: all of a namespace, of the root only ours."""
    if namespace:
        return [f"^/{re.escape(namespace)}/.*"]
    return [f"^/{topic}$" for topic in TOPICS]
