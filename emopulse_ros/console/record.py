"""``emopulse record``: a camera into a rosbag, with what was seen in it, and the truth if known."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path

from emopulse_ros.console.bad_input import BadInputError, reading_input
from emopulse_ros.console.ending import Ending
from emopulse_ros.console.options import add_camera, add_model, opened
from emopulse_ros.console.remarks import Remarks
from emopulse_ros.console.show import complain, exit_status, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("bag", type=Path, metavar="BAG", help="folder to make; it must not exist")
    add_camera(parser)
    add_model(parser)
    parser.add_argument(
        "--as-fast-as-possible",
        action="store_true",
        help="do not wait for the time of each frame; stamps are then the camera's own, from 0",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run it; return the exit status.

    :raises BadInputError: if what the user gave cannot be worked with.
    """
    from emopulse_ros.bag.writer import BagWriter
    from emopulse_ros.camera import in_time
    from emopulse_ros.console.taping import tape
    from emopulse_ros.pipeline import build

    if arguments.camera.startswith("ros:"):
        raise BadInputError("what ROS publishes is recorded by ros2 bag record")
    ending, interrupted = Ending(), False
    with ExitStack() as stack:
        with reading_input():
            camera = stack.enter_context(opened(arguments))
            pipeline = stack.enter_context(build(arguments.model))
            bag = stack.enter_context(BagWriter(arguments.bag))
        paced = None if arguments.as_fast_as_possible else in_time(camera, 40)
        stack.enter_context(Remarks(camera, complain))
        try:
            tape(bag, pipeline, camera, paced, ending)
        except KeyboardInterrupt:
            interrupted = True
    skipped = f", {paced.skipped} frames skipped" if paced and paced.skipped else ""
    say(
        [
            f"{arguments.bag}: {ending.frames} images, {ending.activations} activations, "
            f"{ending.events} events{skipped}"
        ]
    )
    shortfall: str | None = getattr(camera, "shortfall", None)
    return exit_status(shortfall, seen=bool(ending.frames), interrupted=interrupted)
