"""Subscriptions to images in a process of their own, with plain rclpy.

Run as a program with the name of a topic, how many subscriptions, and the kind of executor. It
prints a line when it is ready; for each line of its input it prints what came since the last one:
``{"hops_ns": [...], "copied": bytes, "cpu": seconds}``.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from emopulse_ros.bench.child import Child


class ImageReader(Child):
    """The parent's end."""

    def __init__(self, topic: str, subscribers: int, executor: str) -> None:
        super().__init__(__name__, topic, str(subscribers), executor)

    def since_last(self) -> dict[str, Any]:
        """What came since this was asked last."""
        told: dict[str, Any] = json.loads(self.ask())
        return told


def main(topic: str, subscribers: str, executor: str) -> None:
    """Read until the input ends."""
    import rclpy

    from emopulse_ros.bench.hops import Arrivals, listen
    from emopulse_ros.nodes.process import tune_interpreter
    from emopulse_ros.transport.spinner import Spinner

    tune_interpreter()
    arrivals = Arrivals()
    context = rclpy.Context()
    rclpy.init(context=context, args=[])
    node = rclpy.create_node("image_reader", context=context)
    listen(node, topic, int(subscribers), arrivals.came)
    with Spinner(context, executor) as spinner:
        spinner.add(node)
        print("ready", flush=True)
        cpu = time.process_time()
        for _ in sys.stdin:
            now = time.process_time()
            told = {"hops_ns": arrivals.hops_ns, "copied": arrivals.copied, "cpu": now - cpu}
            print(json.dumps(told), flush=True)
            arrivals.clear()
            cpu = time.process_time()
    node.destroy_node()
    rclpy.shutdown(context=context)


if __name__ == "__main__":
    main(*sys.argv[1:])
