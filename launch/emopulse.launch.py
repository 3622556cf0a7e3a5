"""Starts EmoPulse: its three nodes in one process, or with `split:=true` in three.

In one process frames and flow travel by reference; in three they go through the middleware. The
nodes configure and activate themselves.
"""

from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from launch import LaunchDescription

PACKAGE = "emopulse_ros"
PARAMETERS = PathJoinSubstitution([FindPackageShare(PACKAGE), "config", "emopulse.yaml"])


def generate_launch_description() -> LaunchDescription:
    """Describe what to start."""
    namespace = LaunchConfiguration("namespace")
    parameters = [LaunchConfiguration("params_file")]
    split = LaunchConfiguration("split")
    container = Node(
        package=PACKAGE,
        executable="emopulse_container",
        namespace=namespace,
        parameters=parameters,
        output="screen",
        condition=UnlessCondition(split),
    )
    nodes = [
        Node(
            package=PACKAGE,
            executable=name,
            name=name,
            namespace=namespace,
            parameters=parameters,
            output="screen",
            condition=IfCondition(split),
        )
        for name in ("camera_node", "flow_node", "au_node")
    ]
    return LaunchDescription(
        [
            DeclareLaunchArgument("namespace", default_value="emopulse"),
            DeclareLaunchArgument("params_file", default_value=PARAMETERS),
            DeclareLaunchArgument("split", default_value="false"),
            container,
            *nodes,
        ]
    )
