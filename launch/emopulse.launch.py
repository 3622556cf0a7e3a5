"""Starts EmoPulse: its nodes in one process, or with `split:=true` in three or four.

In one process frames and flow travel by reference; else they go through the middleware. The
nodes configure and activate themselves, unless `autostart:=false`. Of each parameter the last word
counts: the node's default, then the file that `use` names, then `params_file`, then an argument
here. An argument that is left empty says nothing.

A process that ends is told, and ends the launch, or with `respawn:=true` is started again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import yaml
from launch.actions import (
    DeclareLaunchArgument,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
    TimerAction,
)
from launch.event_handlers import OnProcessExit, OnShutdown
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterFile
from launch_ros.substitutions import FindPackageShare

from launch import LaunchContext, LaunchDescription

PACKAGE = "emopulse_ros"

USES = ("", "driver", "genicam", "ov9281", "replay", "uvc")
"""Of `use`: the files in `config/` that suit a camera."""

LEVELS = ("debug", "info", "warn", "error", "fatal")

RESPAWN_DELAY_S = 2.0

SETTLE_S = 2.0
"""How long the other nodes have for what a camera sent last."""


def truth(text: str) -> bool:
    """Whether an argument says yes.

    :raises ValueError: if it says neither yes nor no.
    """
    if text.lower() not in ("true", "1", "false", "0"):
        raise ValueError("it must be true or false")
    return text.lower() in ("true", "1")


EVERY = CAMERA, FLOW, AU, VIEW = ("camera_node", "flow_node", "au_node", "view_node")

PARAMETERS: dict[str, tuple[Callable[[str], Any], tuple[str, ...], str]] = {
    "camera": (
        str,
        (CAMERA,),
        "what to open, as synthetic:7 or bag:PATH; ros:TOPIC for another driver's images",
    ),
    "rate": (float, (CAMERA,), "frames per second; of a bag its speed"),
    "width": (int, (CAMERA,), "of a device's picture, pixels"),
    "height": (int, (CAMERA,), "likewise, its height"),
    "exposure": (float, (CAMERA,), "exposure time of a device, in microseconds"),
    "camera_info_url": (str, (CAMERA,), "calibration: path of what camera_calibration has written"),
    "frame_id": (str, (CAMERA,), "optical frame of the camera (REP 103)"),
    "model": (str, (FLOW, AU, VIEW), "path of a model (ONNX); int8 for the built-in one in 8 bits"),
    "engine": (
        str,
        (AU,),
        "what runs the network: onnx (one core), tensorrt or cuda (a GPU), or auto for the best",
    ),
    "faces": (int, (FLOW, AU), "how many faces are followed at once, the largest first"),
    "humans": (
        str,
        (AU,),
        "topics of REP-155: own publishes them, follow takes another detector's faces, off: none",
    ),
    "autostart": (
        truth,
        EVERY,
        "true or false: whether the nodes configure and activate themselves; false where something "
        "else manages their lifecycle",
    ),
    "use_sim_time": (truth, EVERY, "true or false: whether time is that of /clock, as of a bag"),
}
"""Arguments that are parameters: how they are read, of which nodes, and what they mean."""

WANTED = {float: "it must be a number", int: "it must be a whole number"}
"""What is said of a text that cannot be read as such."""

ARGUMENTS = [
    DeclareLaunchArgument(
        "use",
        default_value="",
        choices=list(USES),
        description="the camera it is used with: config/<use>.yaml, which says more. "
        "Empty: the parameters' defaults, a synthetic face",
    ),
    DeclareLaunchArgument(
        "params_file",
        default_value="",
        description="path of a parameter file of your own, which goes before that of use; "
        "config/emopulse.yaml is one with every parameter",
    ),
    *(
        DeclareLaunchArgument(name, default_value="", description=description)
        for name, (_, _, description) in PARAMETERS.items()
    ),
    DeclareLaunchArgument(
        "split", default_value="false", description="true or false: three processes in place of one"
    ),
    DeclareLaunchArgument(
        "annotated",
        default_value="false",
        description="true or false: whether view_node is there with split:=true as well",
    ),
    DeclareLaunchArgument(
        "namespace", default_value="emopulse", description="namespace of the nodes and their topics"
    ),
    DeclareLaunchArgument(
        "log_level",
        default_value="info",
        choices=list(LEVELS),
        description="from which level on the nodes log",
    ),
    DeclareLaunchArgument(
        "respawn",
        default_value="false",
        description=f"true or false: start a process that has ended again, {RESPAWN_DELAY_S:g} s "
        "later, in place of ending the launch",
    ),
]


def generate_launch_description() -> LaunchDescription:
    """Describe what to start."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=start)])


def start(context: LaunchContext) -> list[Any]:
    """The nodes that the arguments ask for; a RuntimeError says what makes no sense."""
    camera = value(context, "camera")
    topic = camera.removeprefix("ros:") if camera.startswith("ros:") else None
    if topic == "":
        raise RuntimeError("camera is 'ros:', which names no topic; try ros:/camera/image_raw")
    file = value(context, "params_file")
    if file and not Path(file).is_file():
        raise RuntimeError(f"params_file is '{file}', and there is no such file")
    given = {
        name: read_as(context, name, kind)
        for name, (kind, _, _) in PARAMETERS.items()
        if value(context, name) and not (name == "camera" and topic is not None)
    }
    actions, files = parameter_files(context, given)
    if not read_as(context, "split", truth):
        arguments = ["--camera", camera] if topic is not None else []
        return [*actions, *process(context, "emopulse_container", files, arguments=arguments)]
    view = [VIEW] if read_as(context, "annotated", truth) else []
    for name in (CAMERA, FLOW, AU, *view):
        if name == CAMERA and topic is not None:
            continue
        remap = [("camera/image_raw", topic)] if name in (FLOW, VIEW) and topic else []
        actions += process(context, name, files, name=name, remappings=remap)
    return actions


def parameter_files(
    context: LaunchContext, given: dict[str, Any]
) -> tuple[list[Any], list[ParameterFile]]:
    """The files in their order, the last of which holds the arguments; and what ends that one.

    A file, because neither `-p` nor the parameters of a `Node` can say which node of a process they
    are for, and `rate` is a parameter of two.
    """
    files: list[Any] = []
    if value(context, "use"):
        share = FindPackageShare(PACKAGE)
        files.append(PathJoinSubstitution([share, "config", f"{value(context, 'use')}.yaml"]))
    if value(context, "params_file"):
        files.append(LaunchConfiguration("params_file"))
    actions: list[Any] = []
    if given:
        told: dict[str, Any] = {}
        for name, setting in given.items():
            for owner in PARAMETERS[name][1]:
                parameters = told.setdefault(f"/**/{owner}", {"ros__parameters": {}})
                parameters["ros__parameters"][name] = setting
        with NamedTemporaryFile("w", prefix="emopulse_", suffix=".yaml", delete=False) as file:
            yaml.safe_dump(told, file)
        files.append(file.name)
        path = Path(file.name)
        gone = OpaqueFunction(function=lambda _: path.unlink(missing_ok=True))
        actions.append(RegisterEventHandler(OnShutdown(on_shutdown=[gone])))
    return actions, [ParameterFile(one) for one in files]


def process(context: LaunchContext, executable: str, files: list[Any], **options: Any) -> list[Any]:
    """A process of one node, or of all, with its parameters; and what happens when it has ended."""
    respawn = read_as(context, "respawn", truth)
    node = Node(
        package=PACKAGE,
        executable=executable,
        namespace=LaunchConfiguration("namespace"),
        parameters=files,
        ros_arguments=["--log-level", LaunchConfiguration("log_level")],
        respawn=respawn,
        respawn_delay=RESPAWN_DELAY_S,
        output="screen",
        **options,
    )

    def over(event: Any, context: LaunchContext) -> list[Any]:
        if context.is_shutdown:
            return []
        ended = f"{executable} has ended, exit code {event.returncode}"
        if respawn:
            return [LogInfo(msg=f"{ended}; it is started again in {RESPAWN_DELAY_S:g} s")]
        end = Shutdown(reason=ended)
        if executable == CAMERA and event.returncode == 0:
            told = LogInfo(msg=f"{ended}: shutting down in {SETTLE_S:g} s")
            return [told, TimerAction(period=SETTLE_S, actions=[end])]
        return [LogInfo(msg=f"{ended}: shutting down"), end]

    return [node, RegisterEventHandler(OnProcessExit(target_action=node, on_exit=over))]


def value(context: LaunchContext, name: str) -> str:
    """What was given for an argument."""
    return LaunchConfiguration(name).perform(context)


def read_as(context: LaunchContext, name: str, kind: Callable[[str], Any]) -> Any:
    """What was given for an argument, as it is meant.

    :raises RuntimeError: if it makes no sense.
    """
    text = value(context, name)
    try:
        return kind(text)
    except ValueError as error:
        reason = WANTED.get(kind, str(error))
        raise RuntimeError(f"{name} is '{text}'; {reason}") from error
