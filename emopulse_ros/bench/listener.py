"""A reader in a process of its own, with plain rclpy: what another node of a robot gets.

Run as a program with the name of a topic. It prints a line when it is ready and, when its input
ends, what it heard: ``[[stamp, sequence, time of arrival], ...]`` as JSON, times in ns.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import Any

from emopulse_ros.bench.child import Child


class Listener(Child):
    """The parent's end: hears everything between its start and :meth:`heard`."""

    def __init__(self, topic: str) -> None:
        super().__init__(__name__, topic)

    def heard(self) -> list[tuple[int, int, int]]:
        """End it; return stamp, sequence and time of arrival of every message."""
        told = json.loads(self.last_words())
        return [(stamp, sequence, arrival) for stamp, sequence, arrival in told]


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
