"""``emopulse record``: a camera into a rosbag, with what was seen in it, and the truth if known."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from emopulse_ros.camera.pace import Paced
from emopulse_ros.console.bad_input import BadInputError, reading_input
from emopulse_ros.console.show import complain, say

if TYPE_CHECKING:
    from emopulse_ros.evaluation.truth import Label


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("bag", type=Path, metavar="BAG", help="folder to make; it must not exist")
    parser.add_argument(
        "--camera",
        default="synthetic",
        metavar="SPEC",
        help="synthetic[:SEED], video:PATH, folder:PATH or bag:PATH (default: synthetic)",
    )
    parser.add_argument(
        "--rate", type=float, metavar="FPS", help="frames per second, in place of the camera's own"
    )
    parser.add_argument("--duration", type=float, metavar="S", help="seconds until it ends")
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="an EmoPulse model; int8 for the built-in in 8 bits",
    )
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
    from emopulse_ros.camera import open_camera
    from emopulse_ros.evaluation.script_truth import labels_of
    from emopulse_ros.pipeline import build

    if arguments.camera.startswith("ros:"):
        raise BadInputError("what ROS publishes is recorded by ros2 bag record")
    frames = activations = events = 0
    interrupted = False
    with ExitStack() as stack:
        with reading_input():
            camera = stack.enter_context(
                open_camera(arguments.camera, rate=arguments.rate, duration=arguments.duration)
            )
            pipeline = stack.enter_context(build(arguments.model))
            bag = stack.enter_context(BagWriter(arguments.bag))
        paced = None if arguments.as_fast_as_possible else Paced(camera, patience=40)
        try:
            labels: Iterator[Label] = iter(())
            label: Label | None = None
            for frame, outcome in pipeline.outcomes(paced or camera):
                if not frames and camera.script is not None:
                    origin = (paced.origin or 0) if paced else 0
                    labels = labels_of(camera.script, origin)
                    label = next(labels, None)
                now = time.time_ns() if paced else frame.stamp
                bag.image(frame, frame.stamp)
                frames += 1
                if outcome.activation is not None:
                    late = (now - frame.stamp) / 1e6
                    bag.activation(outcome.activation, now, max(0.0, late))
                    activations += 1
                if outcome.event is not None:
                    bag.event(outcome.event, now)
                    events += 1
                while label is not None and label.onset <= frame.stamp:
                    bag.label(label.kind, label.aus, label.onset, label.apex, label.offset, now)
                    label = next(labels, None)
            last = pipeline.events.flush()
            if last is not None:
                bag.event(last, last.stamp)
                events += 1
        except KeyboardInterrupt:
            interrupted = True
    skipped = f", {paced.skipped} frames skipped" if paced and paced.skipped else ""
    say([f"{arguments.bag}: {frames} images, {activations} activations, {events} events{skipped}"])
    shortfall: str | None = getattr(camera, "shortfall", None)
    if shortfall is not None:
        complain(shortfall)
    if interrupted:
        return 130
    return 0 if frames and shortfall is None else 2
