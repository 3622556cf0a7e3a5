"""``emopulse benchmark``: models on a fixed set of synthetic clips, from pixels to scores."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from emopulse_ros.console.bad_input import BadInputError, check_folder, check_report, reading_input
from emopulse_ros.console.options import add_model, add_out
from emopulse_ros.console.show import complain, say

if TYPE_CHECKING:
    from emopulse_ros.evaluation.benchmark.run import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_model(parser)
    parser.add_argument(
        "--against",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="another model to compare it with; may be given several times",
    )
    parser.add_argument(
        "--face-kit",
        type=Path,
        metavar="FILE",
        help="your copy of ICT-FaceKit, as one .npz: the rendered people need it, and numba",
    )
    parser.add_argument(
        "--corruptions",
        default="all",
        metavar="NAMES",
        help="none, all, or names with commas between (default: all)",
    )
    parser.add_argument("--quick", action="store_true", help="a small part of the same set")
    parser.add_argument(
        "--processes",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="how many clips to work on at a time (default: one for each processor)",
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        help="keep there what the models answer: another run goes on where this one was stopped, "
        "and shows the clips to new models only",
    )
    add_out(parser, "out/benchmark", "benchmark.md and benchmark.png")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")


def run(arguments: argparse.Namespace) -> int:
    """Run it; return the exit status.

    :raises BadInputError: if what the user gave cannot be worked with.
    """
    from emopulse_ros.evaluation.benchmark.as_json import as_json
    from emopulse_ros.evaluation.benchmark.picture import draw_benchmark
    from emopulse_ros.evaluation.benchmark.run import run as run_benchmark
    from emopulse_ros.evaluation.benchmark.table import as_markdown

    out, report = arguments.out, arguments.json
    if arguments.processes < 1:
        raise BadInputError(f"--processes is {arguments.processes}: give a number from 1 up")
    check_report(report)
    with reading_input():
        plan = _plan(arguments)
        check_folder(out, "the tables")
        check_folder(arguments.keep, "what is kept")
        if arguments.face_kit is None:
            complain("without --face-kit the rendered people are left out: half of the set")
        try:
            results = run_benchmark(plan, processes=arguments.processes, told=Progress())
        except KeyboardInterrupt:
            if plan.keep:
                complain(f"stopped; the same command goes on with what is kept in {plan.keep}")
            raise
    text = as_markdown(results)
    (out / "benchmark.md").write_text(text, encoding="utf-8")
    if report is not None:
        report.write_text(json.dumps(as_json(results), indent=2) + "\n", encoding="utf-8")
    said = [text, f"tables: {out / 'benchmark.md'}"]
    try:
        draw_benchmark(out / "benchmark.png", results)
        said.append(f"picture: {out / 'benchmark.png'}")
    except RuntimeError as error:
        said.append(f"no picture: {error}")
    say(said)
    return 0


def _plan(arguments: argparse.Namespace) -> Plan:
    from emopulse_ros.evaluation.benchmark.clips import SOURCES, the_set
    from emopulse_ros.evaluation.benchmark.conditions import chosen
    from emopulse_ros.evaluation.benchmark.contenders import entries
    from emopulse_ros.evaluation.benchmark.run import Plan

    sources = SOURCES if arguments.face_kit is not None else SOURCES[:1]
    return Plan(
        clips=the_set(sources, quick=arguments.quick),
        conditions=chosen(arguments.corruptions),
        entries=entries(arguments.model, arguments.against),
        face_kit=arguments.face_kit,
        keep=arguments.keep,
    )


class Progress:
    """Says on stderr how far it is and how long it will take, on one line where there is one."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._line = sys.stderr.isatty()

    def __call__(self, share: float) -> None:
        """Tell that this share of the work is done."""
        left = (time.monotonic() - self._start) * (1.0 - share) / share
        text = f"{100.0 * share:3.0f}%, some {left / 60.0:.0f} min left"
        end = "\n" if share >= 1.0 or not self._line else "\r"
        print(f"\r{text}" if self._line else text, end=end, file=sys.stderr, flush=True)
