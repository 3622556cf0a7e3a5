"""``emopulse view``: a camera through the whole pipeline, to look at in Foxglove."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from emopulse_ros.console.bad_input import BadInputError, reading_input
from emopulse_ros.console.ending import Ending
from emopulse_ros.console.options import add_camera, add_model, opened, wishes
from emopulse_ros.console.remarks import Remarks
from emopulse_ros.console.show import Show, complain, exit_status, say
from emopulse_ros.console.tally import Inbox
from emopulse_ros.view.health import Standing
from emopulse_ros.view.viewer import Viewer

if TYPE_CHECKING:
    from emopulse_ros.view.server import Server

LAYOUT = "config/foxglove_view.json"
PATIENCE = 10
"""Lateness in frames beyond which frames are skipped, as in the camera node."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_camera(parser, ", or ros:TOPIC for images another node publishes")
    add_model(parser)
    parser.add_argument(
        "--params", type=Path, metavar="FILE", help="ROS 2 parameters of the nodes (YAML)"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to serve at; any other than the default lets pictures of the face leave this "
        "machine, unencrypted, to whoever asks (default: 127.0.0.1)",
    )
    parser.add_argument(
        "--port", type=int, default=8765, help="0 for any that is free (default: 8765)"
    )
    parser.add_argument("--no-ros", action="store_true", help="without ROS")


def run(arguments: argparse.Namespace) -> int:
    """Run it; return the exit status.

    :raises BadInputError: if what the user gave cannot be worked with.
    """
    if arguments.no_ros:
        _check_without_ros(arguments)
    with _serve(arguments.host, arguments.port) as server, Viewer(server) as viewer:
        say([_address(arguments.host, server.port)])
        status = _show(arguments, viewer)
        if viewer.error is not None:
            complain(f"the view failed, the stream went on: {viewer.error}")
            return status or 1
        viewer.close()
        say([f"{viewer.pictures} pictures shown; {viewer.not_shown} pictures and curves not shown"])
        return status


def _serve(host: str, port: int) -> Server:
    try:
        from emopulse_ros.view.server import Server
    except ModuleNotFoundError as error:
        if error.name != "foxglove":
            raise
        raise BadInputError(
            "emopulse view needs foxglove-sdk, which is not installed: pip install foxglove-sdk"
        ) from error
    except ImportError as error:
        raise BadInputError(f"foxglove-sdk is installed, but it does not load: {error}") from error
    with reading_input():
        return Server(host, port)


def _address(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    layout = _layout()
    return (
        f"ws://{shown}:{port} serves Foxglove: Open connection, Foxglove WebSocket, that address; "
        f"then import the layout {layout}"
    )


def _layout() -> Path:
    """The layout's file: in the repository, or below `share/` of where the package is installed."""
    package = Path(__file__).parents[1]
    installed = (folder / "share/emopulse_ros" / LAYOUT for folder in package.parents)
    found = (path for path in (package.parent / LAYOUT, *installed) if path.is_file())
    return next(found, Path(LAYOUT))


def _show(arguments: argparse.Namespace, viewer: Viewer) -> int:
    if arguments.no_ros:
        return _show_without_ros(arguments, viewer)
    from emopulse_ros.console.live import run_live

    return run_live(
        arguments.camera,
        **wishes(arguments),
        model=arguments.model,
        params=arguments.params,
        viewer=viewer,
    )


def _check_without_ros(arguments: argparse.Namespace) -> None:
    if arguments.camera.startswith("ros:"):
        raise BadInputError("a ros: camera needs ROS; leave out --no-ros")
    if arguments.params is not None:
        raise BadInputError("--params are parameters of the ROS nodes; leave out --no-ros")


def _show_without_ros(arguments: argparse.Namespace, viewer: Viewer) -> int:
    from emopulse_ros.camera import in_time
    from emopulse_ros.console.offline import run_offline
    from emopulse_ros.pipeline import build

    inbox, ending = Inbox(viewer), Ending()
    with ExitStack() as stack:
        with reading_input():
            camera = stack.enter_context(opened(arguments))
            pipeline = stack.enter_context(build(arguments.model, live=True))
        levels = pipeline.detector.engine.card.levels
        paced = in_time(camera, PATIENCE)

        def standing() -> Standing:
            status = pipeline.face.status
            return Standing(ending.frames, paced.skipped, pipeline.late, status=status)

        viewer.start(levels, standing)
        title = f"EmoPulse   {camera.name}   without ROS"
        interrupted = False
        with (
            Show(title, inbox, rate=camera.rate, thresholds=levels) as show,
            Remarks(camera, show.display.note),
        ):
            try:
                run_offline(paced, pipeline, inbox, show.display, ending, in_time=True)
            except KeyboardInterrupt:
                interrupted = True
        ending.dropped, ending.late = paced.skipped, pipeline.late
    say(show.summary(ending))
    shortfall: str | None = getattr(camera, "shortfall", None)
    return exit_status(shortfall, seen=bool(ending.frames), interrupted=interrupted)
