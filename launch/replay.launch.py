"""Plays the images of a rosbag into EmoPulse.

Our own camera reads the bag: in one process every image comes, at its own time. The launch ends
with the bag. With `play:=true` it is `ros2 bag play --clock` that plays it, and time is the bag's.
What `emopulse.launch.py` takes, such as `model` or `namespace`, can be given here too.
"""

from __future__ import annotations

from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

from launch import LaunchContext, LaunchDescription

CLOCK_HZ = "200"
"""How often the time is told: by default 40 times a second, and a frame takes 5 ms."""

DISCOVERY_S = "3"
"""How long the player waits for the nodes: an image nobody has subscribed to yet is lost."""

SETTLE_S = 2.0
"""How long the nodes have for what the player sent last."""

ARGUMENTS = [
    DeclareLaunchArgument("bag", description="path of the bag: its folder, its .mcap or .db3"),
    DeclareLaunchArgument(
        "speed", default_value="1.0", description="how fast: 0.5 is half as fast as it was recorded"
    ),
    DeclareLaunchArgument(
        "topic",
        default_value="",
        description="topic of the images in the bag. Empty: the only one, or with play:=true "
        "camera/image_raw in the namespace",
    ),
    DeclareLaunchArgument(
        "play",
        default_value="false",
        choices=["true", "false"],
        description="whether `ros2 bag play` plays it, with the bag's time on /clock",
    ),
    DeclareLaunchArgument(
        "loop",
        default_value="false",
        choices=["true", "false"],
        description="begin again at the end; only with play:=true",
    ),
    # The same as in emopulse.launch.py, but that pictures which are late are not left out.
    DeclareLaunchArgument(
        "use",
        default_value="replay",
        description="config/<use>.yaml are the parameters; replay: late frames are not left out",
    ),
    DeclareLaunchArgument(
        "namespace", default_value="emopulse", description="namespace of the nodes and their topics"
    ),
]


def generate_launch_description() -> LaunchDescription:
    """Describe what to start."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=start)])


def start(context: LaunchContext) -> list[Any]:
    """The nodes, and the player where they do not read the bag themselves.

    :raises RuntimeError: a sentence on what cannot be done.
    """
    given = {
        name: LaunchConfiguration(name).perform(context)
        for name in ("bag", "speed", "topic", "play", "loop", "namespace")
    }
    if given["play"] == "true":
        return by_player(given)
    if given["loop"] == "true":
        raise RuntimeError("loop needs play:=true: our own camera plays a bag once")
    topic = f"@{given['topic']}" if given["topic"] else ""
    return [nodes(camera=f"bag:{given['bag']}{topic}", rate=given["speed"])]


def by_player(given: dict[str, str]) -> list[Any]:
    """The nodes on the topic that a player of ROS publishes."""
    try:
        get_package_share_directory("ros2bag")
    except PackageNotFoundError as error:
        raise RuntimeError(
            "play needs ros2bag, which is not installed: install ros-<distribution>-ros2bag, "
            "or leave out play"
        ) from error
    topic = given["topic"] or f"/{given['namespace'].strip('/')}/camera/image_raw".replace(
        "//", "/"
    )
    options = ["--clock", CLOCK_HZ, "--rate", given["speed"], "--delay", DISCOVERY_S]
    loop = ["--loop"] if given["loop"] == "true" else []
    player = ExecuteProcess(
        cmd=["ros2", "bag", "play", given["bag"], *options, *loop, "--topics", topic],
        output="screen",
    )
    over = [
        LogInfo(msg="the player has ended"),
        TimerAction(period=SETTLE_S, actions=[Shutdown(reason="the player has ended")]),
    ]
    return [
        nodes(camera=f"ros:{topic}", use_sim_time="true"),
        player,
        RegisterEventHandler(OnProcessExit(target_action=player, on_exit=over)),
    ]


def nodes(**arguments: str) -> IncludeLaunchDescription:
    """EmoPulse, with these arguments."""
    launch = PathJoinSubstitution([FindPackageShare("emopulse_ros"), "launch"])
    return IncludeLaunchDescription(
        PathJoinSubstitution([launch, "emopulse.launch.py"]),
        launch_arguments=list(arguments.items()),
    )
