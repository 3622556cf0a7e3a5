"""One node in a process of its own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence

from emopulse_ros.nodes.process import RosProcess
from emopulse_ros.nodes.stage_node import StageNode


def run_alone(node_class: type[StageNode], argv: Sequence[str] | None = None) -> int:
    """Run a node until it is interrupted; return the exit status.

    It configures and activates itself unless its parameter ``autostart`` is false. What it cannot
    work with is told in a sentence, with exit status 2.
    """
    try:
        process = RosProcess(sys.argv if argv is None else argv)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    status = 0
    with process.interruptible():
        try:
            node = node_class(context=process.context)
            process.add(node)
            process.bring_up(managed=True)
            process.wait(threading.Event())
        except (ValueError, OSError) as error:
            print(error, file=sys.stderr)
            status = 2
        finally:
            process.close()
    return status
