"""A process that forks takes no topic along."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any


class Item:
    """Something whose end can be watched."""


def in_a_fork(check: Any) -> str:
    """What ``check`` says in a child process, or how it failed there."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = str(check())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        told = answer.read()
    os.waitpid(child, 0)
    return told


def test_a_fork_lets_go_of_every_item_and_holds_nobody_up(ros: Any, soon: Any) -> None:
    import rclpy
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from std_msgs.msg import Empty

    from emopulse_ros.transport import Adaptation, Publisher, Subscription
    from emopulse_ros.transport.topics import Topics

    process = ros.process()
    adaptation = Adaptation(Item, Empty, lambda _: Empty(), lambda _: Item(), lambda _: 0)
    latched = QoSProfile(depth=5, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    # Nobody spins this node, so its items wait.
    node = rclpy.create_node("node", context=process.context)
    seen: list[Item] = []
    subscription = Subscription(node, adaptation, "items", seen.append, latched)
    publisher = Publisher(node, adaptation, "items", latched)
    items = [Item() for _ in range(3)]
    alive = weakref.WeakSet(items)
    topics = Topics.of(process.context)
    # What the courier has in its hands while the process forks, the child never lets go of: here
    # it is stopped before it takes the first.
    topics.courier._lock.acquire()
    for item in items:
        publisher.publish(item)
    del item

    # The threads that hold these now will not be there to give them back.
    held = [Topics._of_lock, topics._lock, publisher._lock, subscription._ring._lock]

    def look() -> str:
        items.clear()
        left = (
            len(alive),
            subscription.waiting,
            publisher.wanted,
            Topics.of(process.context).names(),
        )
        publisher.destroy()
        subscription.destroy()
        try:
            publisher.publish(Item())
        except RuntimeError as error:
            return f"{left} {error}"
        return "it was published"

    for lock in held:
        lock.acquire()
    try:
        said = in_a_fork(look)
    finally:
        for lock in (*held, topics.courier._lock):
            lock.release()
    assert said.startswith("(0, 0, False, ()) the publisher of /items was made before"), said

    # Here everything goes on.
    assert len(alive) == subscription.waiting == 3
    process.spinner.add(node)
    assert soon(lambda: len(seen) == 3)
    assert "courier" in [thread.name for thread in threading.enumerate()]
    publisher.destroy()
    subscription.destroy()
    process.spinner.remove(node)
    node.destroy_node()
