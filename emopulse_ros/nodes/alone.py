"""One node in a process of its own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence

from emopulse_ros.nodes.process import RosProcess
from emopulse_ros.nodes.stage_node import StageNode


def run_alone(node_class: type[StageNode], argv: Sequence[str] | None = None) -> int:
    """Run a node until its stream has ended or it is interrupted; return the exit status.

    It configures and activates itself unless its parameter ``autostart`` is false; then others
    manage it, and it runs on when its stream ends. What it cannot work with, or why its camera
    failed, is told in a sentence, with exit status 2.
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
            _wait(process, node)
        except (ValueError, OSError) as error:
            print(error, file=sys.stderr)
            status = 2
        finally:
            process.close()
    return status


def _wait(process: RosProcess, node: StageNode) -> None:
    """Wait for the end: of a camera's pictures as well, if it has brought itself up.

    :raises ValueError, OSError: why the camera failed.
    """
    finished = getattr(node, "finished", None)
    if finished is None or not node.settings["autostart"]:
        process.wait(threading.Event())
        return
    process.wait(finished)
    if node.error is not None:
        raise node.error
