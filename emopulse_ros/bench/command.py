"""``emopulse bench``: what is measured at the true pace."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from emopulse_ros.console.bad_input import BadInputError, reading_input


def parser() -> argparse.ArgumentParser:
    """The options of every measurement."""
    top = argparse.ArgumentParser(prog="emopulse bench", description="Measure at the true pace.")
    kinds = top.add_subparsers(dest="kind", metavar="WHAT", required=True)
    about = "from the capture of a frame to the publishing of its activation, over ROS"
    latency = kinds.add_parser("latency", help=about, description=f"Measure latency {about}.")
    latency.add_argument("--seconds", type=float, default=60.0, metavar="N", help="default: 60")
    latency.add_argument("--json", type=Path, metavar="FILE", help="write the report there")
    latency.add_argument(
        "--camera", default="memory:synthetic", metavar="SPEC", help="as in emopulse run"
    )
    latency.add_argument("--model", type=Path, metavar="FILE", help="as in emopulse run")
    return top


def main(argv: Sequence[str]) -> int:
    """Measure; return the exit status.

    :raises BadInputError: if what the user gave cannot be worked with.
    """
    arguments = parser().parse_args(argv)
    path: Path | None = arguments.json
    if path is not None and not path.absolute().parent.is_dir():
        raise BadInputError(f"there is no folder for the report {path}")
    try:
        from emopulse_ros.bench.latency import as_table, run_latency
    except ImportError as error:
        raise RuntimeError(f"ROS 2 is not there ({error}): emopulse doctor says more") from error
    with reading_input():
        report = run_latency(arguments.seconds, camera=arguments.camera, model=arguments.model)
    print(as_table(report))
    if path is not None:
        path.write_text(json.dumps(report, indent=2) + "\n")
    return 0
