"""Topics under each of rclpy's executors."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest


@pytest.fixture(params=["events", "single-threaded", "multi-threaded"])
def executor(request: Any) -> Any:
    """Each kind of executor, spinning."""
    rclpy = pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    from emopulse_ros.transport.spinner import Spinner

    context = rclpy.Context()
    rclpy.init(context=context)
    try:
        spinner = Spinner(context, request.param)
    except ValueError as error:
        pytest.skip(str(error))
    else:
        with spinner:
            yield spinner.executor
    finally:
        rclpy.shutdown(context=context)


def test_a_coroutine_as_callback_keeps_order(
    executor: Any, pictures: Any, frame: Any, soon: Any
) -> None:
    import rclpy
    from rclpy.task import Future

    from emopulse_ros.transport import Publisher, Subscription

    node = rclpy.create_node("node", context=executor.context)
    executor.add_node(node)
    gate = Future(executor=executor)
    seen: list[Any] = []

    async def read(item: Any) -> None:
        seen.append(("begun", item.sequence))
        if item.sequence == 0:
            await gate
        seen.append(("done", item.sequence))

    subscription = Subscription(node, pictures[0], "image", read, 10)
    publisher = Publisher(node, pictures[0], "image", 10)
    for number in range(3):
        publisher.publish(frame(number))
    assert soon(lambda: seen == [("begun", 0)])
    gate.set_result(None)
    assert soon(lambda: len(seen) == 6)
    assert seen == [(what, number) for number in range(3) for what in ("begun", "done")]
    subscription.destroy()
    publisher.destroy()
    executor.remove_node(node)
    node.destroy_node()


def test_every_executor_keeps_order_and_callback_groups(
    executor: Any, pictures: Any, frame: Any, soon: Any
) -> None:
    import rclpy

    from emopulse_ros.transport import Publisher, Subscription

    node = rclpy.create_node("node", context=executor.context)
    executor.add_node(node)
    at_once = threading.Semaphore(1)
    seen: list[list[int]] = [[], []]
    collisions: list[int] = []

    def reader(place: int) -> Any:
        def read(item: Any) -> None:
            if not at_once.acquire(blocking=False):
                collisions.append(item.sequence)
                return
            time.sleep(0.002)
            seen[place].append(item.sequence)
            at_once.release()

        return read

    subscriptions = [
        Subscription(node, pictures[0], "image", reader(place), 50) for place in range(2)
    ]
    publisher = Publisher(node, pictures[0], "image", 50)
    for number in range(20):
        publisher.publish(frame(number))
    assert soon(lambda: len(seen[0]) == len(seen[1]) == 20)
    assert seen == [list(range(20))] * 2
    assert collisions == []
    for subscription in subscriptions:
        subscription.destroy()
    publisher.destroy()
    # Where the executor destroys it in its own thread, the node must not be destroyed meanwhile.
    assert soon(lambda: all(other.topic_name != "/image" for other in node.publishers))
    executor.remove_node(node)
    node.destroy_node()
