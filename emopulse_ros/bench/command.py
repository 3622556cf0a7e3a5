"""``emopulse bench``: what is measured at the true pace."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emopulse_ros.bench.hop_table import HEAD, Row, as_line
from emopulse_ros.console.bad_input import check_report, reading_input
from emopulse_ros.console.options import add_engine

PAYLOADS = ("vga", "1080p")
EXECUTORS = ("events", "single-threaded", "multi-threaded")


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
    add_engine(latency)
    latency.set_defaults(measure=_latency)
    about = "of a picture over zero-copy topics and over plain rclpy, side by side"
    transport = kinds.add_parser(
        "transport", help=f"one hop {about}", description=f"Measure one hop {about}."
    )
    transport.add_argument(
        "--seconds", type=float, default=4.0, metavar="N", help="for each path; default: 4"
    )
    transport.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    transport.add_argument(
        "--payload", choices=PAYLOADS, action="append", help="only this; may be given again"
    )
    transport.add_argument(
        "--subscribers",
        type=int,
        choices=(1, 2, 4),
        action="append",
        help="only so many; may be given again",
    )
    transport.add_argument(
        "--executor",
        choices=EXECUTORS,
        help="for all; default: for zero-copy the fastest, for plain rclpy that of rclpy.spin",
    )
    transport.set_defaults(measure=_transport)
    return top


def main(argv: Sequence[str]) -> int:
    """Measure; return the exit status.

    :raises BadInputError: if what the user gave cannot be worked with.
    """
    arguments = parser().parse_args(argv)
    path: Path | None = arguments.json
    check_report(path)
    report = arguments.measure(arguments)
    if path is not None:
        path.write_text(json.dumps(report, indent=2) + "\n")
    return 0


def _latency(arguments: argparse.Namespace) -> Any:
    try:
        from emopulse_ros.bench.latency import as_table, run_latency
    except ImportError as error:
        raise _without_ros(error) from error
    with reading_input():
        report = run_latency(
            arguments.seconds,
            camera=arguments.camera,
            model=arguments.model,
            engine=arguments.engine,
        )
    print(as_table(report))
    return report


def _transport(arguments: argparse.Namespace) -> Any:
    try:
        from emopulse_ros.bench.transport import SUBSCRIBERS, run_transport
    except ImportError as error:
        raise _without_ros(error) from error

    rows: list[Row] = []

    def tell(row: Row) -> None:
        rows.append(row)
        print(as_line(row, rows), flush=True)

    print(HEAD, flush=True)
    with reading_input():
        return run_transport(
            arguments.seconds,
            payloads=arguments.payload or PAYLOADS,
            subscribers=arguments.subscribers or SUBSCRIBERS,
            executor=arguments.executor,
            on_row=tell,
        )


def _without_ros(error: ImportError) -> RuntimeError:
    return RuntimeError(f"ROS 2 is not there ({error}): emopulse doctor says more")
