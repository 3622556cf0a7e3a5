"""``emopulse demo``: some seconds of a synthetic face over real ROS, live, with scores."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from emopulse_ros.console.options import add_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "--seconds", type=float, default=15.0, metavar="S", help="how long (default: 15)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="which movements the face makes (default: 0)"
    )
    parser.add_argument(
        "--png",
        type=Path,
        default=Path("out/timeline.png"),
        metavar="FILE",
        help="where the picture of the run goes (default: out/timeline.png)",
    )
    add_model(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run it; return the exit status.

    :raises BadInputError: if what the user gave cannot be worked with.
    """
    # A demonstration is nobody else's business: it stays on this machine.
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    from emopulse_ros.console.live import run_live

    return run_live(
        f"synthetic:{arguments.seed}",
        duration=arguments.seconds,
        model=arguments.model,
        png=arguments.png,
    )
