"""``emopulse run``: a camera through the whole pipeline, shown, and written to a file if asked."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path

from emopulse_ros.console.bad_input import BadInputError, reading_input
from emopulse_ros.console.ending import Ending
from emopulse_ros.console.options import add_camera, add_engine, add_model, opened, wishes
from emopulse_ros.console.remarks import Remarks
from emopulse_ros.console.show import Show, exit_status, say
from emopulse_ros.console.tally import Inbox


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_camera(parser, ", or ros:TOPIC for images another node publishes")
    add_model(parser)
    add_engine(parser, "auto; onnx with --no-ros")
    parser.add_argument(
        "--params", type=Path, metavar="FILE", help="ROS 2 parameters of the nodes (YAML)"
    )
    parser.add_argument(
        "--csv",
        type=Path,
        metavar="FILE",
        help="write the activations: stamp_ns, sequence, face_id, AU01_p, AU01_i, ..., "
        "attention, latency_ms",
    )
    parser.add_argument(
        "--no-ros",
        "--as-fast-as-possible",
        action="store_true",
        help="without ROS and without a clock: as fast as the machine can, the same bytes "
        "every time",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run it; return the exit status.

    :raises BadInputError: if what the user gave cannot be worked with.
    """
    if arguments.no_ros:
        return _without_ros(arguments)
    from emopulse_ros.console.live import run_live

    return run_live(
        arguments.camera,
        **wishes(arguments),
        model=arguments.model,
        engine=arguments.engine,
        params=arguments.params,
        csv=arguments.csv,
    )


def _without_ros(arguments: argparse.Namespace) -> int:
    from emopulse_ros.console.offline import run_offline
    from emopulse_ros.pipeline import build

    if arguments.camera.startswith("ros:"):
        raise BadInputError("a ros: camera needs ROS; leave out --no-ros")
    if arguments.params is not None:
        raise BadInputError("--params are parameters of the ROS nodes; leave out --no-ros")
    # Whatever is there must not change the bytes, unless that is asked for.
    engine = arguments.engine or "onnx"
    with ExitStack() as stack:
        with reading_input():
            camera = stack.enter_context(opened(arguments))
            pipeline = stack.enter_context(build(arguments.model, engine=engine))
        card = pipeline.detector.engine.card
        inbox, ending = Inbox(), Ending()
        show = Show(
            f"EmoPulse   {camera.name}   without ROS, as fast as possible",
            inbox,
            script=camera.script,
            rate=camera.rate,
            thresholds=card.levels,
            csv=arguments.csv,
            record=camera.script is not None and arguments.duration is not None,
        )
        interrupted = False
        with show, Remarks(camera, show.display.note):
            try:
                run_offline(camera, pipeline, inbox, show.display, ending)
            except KeyboardInterrupt:
                # How an endless run ends: what it came to is still told.
                interrupted = True
    say(show.summary(ending))
    shortfall: str | None = getattr(camera, "shortfall", None)
    return exit_status(shortfall, seen=bool(ending.frames), interrupted=interrupted)
