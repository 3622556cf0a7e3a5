"""A reader in a process of its own, with plain rclpy: what another node of a robot gets.

Run as a program with the name of a topic. It prints a line when it is ready and, when its input
ends, what it heard: ``[[stamp, sequence, time of arrival], ...]`` as JSON, times in ns.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from types import TracebackType
from typing import Any


class Listener:
    """The parent's end: hears everything between its start and :meth:`heard`."""

    def __init__(self, topic: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, topic],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # A Ctrl-C is for the parent, whose end is this one's as well.
            start_new_session=True,
        )
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            raise RuntimeError("the process that listens did not start")

    def heard(self) -> list[tuple[int, int, int]]:
        """End it; return stamp, sequence and time of arrival of every message."""
        told, _ = self._process.communicate()
        return [(stamp, sequence, arrival) for stamp, sequence, arrival in json.loads(told)]

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()


def main(topic: str) -> None:
    """Listen until the input ends."""
    import rclpy

    from emopulse_msgs.msg import AUActivation
    from emopulse_ros.nodes import qualities
    from emopulse_ros.transport.spinner import Spinner

    heard: list[tuple[Any, int, int]] = []

    def hear(message: Any) -> None:
        heard.append((message.header.stamp, message.sequence, time.time_ns()))

    context = rclpy.Context()
    rclpy.init(context=context, args=[])
    node = rclpy.create_node("listener", context=context)
    node.create_subscription(AUActivation, topic, hear, qualities.activations())
    with Spinner(context) as spinner:
        spinner.add(node)
        print("ready", flush=True)
        sys.stdin.read()
    node.destroy_node()
    rclpy.shutdown(context=context)
    # The parent may have gone.
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps([(s.sec * 10**9 + s.nanosec, number, at) for s, number, at in heard]))


if __name__ == "__main__":
    main(sys.argv[1])
