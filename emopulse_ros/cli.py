"""``emopulse …``: the command line.

Exit status: 0 when done, 2 for input that cannot be worked with, 1 for a failure on the way,
130 when interrupted with Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from emopulse_ros.console import benchmark, demo, engine, evaluate, record, run, view
from emopulse_ros.console.bad_input import BadInputError, reading_input
from emopulse_ros.console.show import complain, say

PASSED_ON = {
    "bench": "measure latency and more at the true pace",
    "train": "train a model (needs PyTorch)",
}
ENGINE = "build, look at and measure what runs the network on this machine"
DOCTOR = "say what was found on this machine, what is missing and how to get it"


def parser() -> argparse.ArgumentParser:
    """The options of every command."""
    top = argparse.ArgumentParser(
        prog="emopulse",
        description="Catches facial micro-expressions at 200 frames per second, on ROS 2.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in (
        ("run", run),
        ("view", view),
        ("demo", demo),
        ("record", record),
        ("evaluate", evaluate),
        ("benchmark", benchmark),
    ):
        about = (module.__doc__ or "").partition(": ")[2].strip()
        command = commands.add_parser(name, help=about, description=about)
        module.add_arguments(command)
        command.set_defaults(call=module.run)
    engines = commands.add_parser("engine", help=ENGINE, description=ENGINE)
    engine.add_arguments(engines, _measure_engine)
    engines.set_defaults(call=engine.run)
    doctor = commands.add_parser("doctor", help=DOCTOR, description=DOCTOR)
    doctor.set_defaults(call=_doctor)
    for name, about in PASSED_ON.items():
        commands.add_parser(name, help=about, add_help=False)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        if given and given[0] in PASSED_ON:
            return _pass_on(given[0], given[1:])
        arguments = parser().parse_args(given)
        status: int = arguments.call(arguments)
        return status
    except BadInputError as error:
        complain(str(error))
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (OSError, ValueError, RuntimeError) as error:
        complain(str(error) or type(error).__name__)
        return 1


def _pass_on(name: str, rest: list[str]) -> int:
    """Hand the rest of the command line to the room that knows the command."""
    if name == "train":
        return _train(rest)
    from emopulse_ros.bench.command import main as bench

    return bench(rest)


def _measure_engine(opened: Any, seconds: float) -> list[Any]:
    from emopulse_ros.bench.engines import HEAD, run_engine

    say([HEAD])
    return run_engine(opened, seconds, on_row=lambda row: say([row.as_line()]))


def _doctor(_: argparse.Namespace) -> int:
    from emopulse_ros.doctor import run_doctor

    report, can_run = run_doctor()
    say([report])
    return 0 if can_run else 1


def _train(rest: list[str]) -> int:
    try:
        from emopulse_ros.training.command import main as train
    except ModuleNotFoundError as error:
        raise BadInputError(
            f"training needs {error.name}, which is not installed: "
            "pip install -r requirements/training.txt"
        ) from error
    with reading_input():
        return train(rest)


if __name__ == "__main__":
    sys.exit(main())
