"""Nodes, publishers and subscriptions that come and go while items flow.

Three seconds of it by default; ``EMOPULSE_CHURN_SECONDS=60`` makes it a minute.
"""

from __future__ import annotations

import gc
import os
import random
import threading
import time
import traceback
import weakref
from typing import Any

import numpy as np
import pytest

SECONDS = float(os.environ.get("EMOPULSE_CHURN_SECONDS", "3"))
TOPICS = ("a", "b", "c")


class Flow:
    """A publisher and a subscription that stay, and must not miss an item."""

    def __init__(self, node: Any, adaptation: Any, topic: str) -> None:
        from emopulse_ros.transport import Publisher, Subscription

        self.seen = 0
        self.number = 0
        self.subscription = Subscription(node, adaptation, topic, self._see, 1000)
        self.publisher = Publisher(node, adaptation, topic, 10)

    def _see(self, item: Any) -> None:
        # Others publish on the topic too; their numbers are negative.
        if item.sequence >= 0:
            assert item.sequence == self.seen
            self.seen += 1


@pytest.fixture
def churned(ros: Any, pictures: Any) -> Any:
    """What one thread of the churn does again and again, in a process that others share."""
    import rclpy

    from emopulse_ros.transport import Publisher, Subscription

    process, elsewhere = ros.process(), ros.process()
    outside = elsewhere.node("outside")
    living: weakref.WeakSet[Any] = weakref.WeakSet()

    def fail(_: Any) -> None:
        raise RuntimeError("a callback of the churn, on purpose")

    def once(chance: random.Random, frame: Any) -> None:
        node = rclpy.create_node(f"guest_{chance.randrange(10**9)}", context=process.context)
        process.spinner.add(node)
        topic = chance.choice(TOPICS)
        callback = fail if chance.random() < 0.02 else lambda _: None
        members = [
            Subscription(node, pictures[0], topic, callback, chance.randrange(1, 5)),
            Publisher(node, pictures[0], topic, 5),
        ]
        living.update(members)
        foreign = None
        if chance.random() < 0.2:
            foreign = outside.create_subscription(pictures[0].message, topic, lambda _: None, 5)
        for _ in range(chance.randrange(5)):
            members[1].publish(frame())
            time.sleep(chance.random() * 0.002)
        if foreign is not None:
            elsewhere.spinner.call(lambda: outside.destroy_subscription(foreign))
        # Some go without taking leave; the transport clears away what their node leaves behind.
        if chance.random() < 0.5:
            for member in members:
                member.destroy()
        process.spinner.remove(node)
        node.destroy_node()

    return process, once, living


def test_a_churn_leaves_no_leak_no_deadlock_and_no_lost_wake_up(
    churned: Any, pictures: Any, soon: Any
) -> None:
    from emopulse_ros.stream import Frame, read_only
    from emopulse_ros.transport.topics import Topics

    process, once, living = churned
    picture = read_only(np.zeros((4, 6), np.uint8))
    stamps = iter(range(1, 10**12))
    flows = [Flow(process.node(f"stays_{topic}"), pictures[0], topic) for topic in TOPICS]
    over = threading.Event()
    rounds = [0, 0]
    errors: list[str] = []

    def churn(place: int) -> None:
        chance = random.Random(place)
        try:
            while not over.is_set():
                once(chance, lambda: Frame(next(stamps), -1, picture))
                rounds[place] += 1
        except BaseException:
            errors.append(traceback.format_exc())

    threads = [threading.Thread(target=churn, args=(place,)) for place in range(len(rounds))]
    for thread in threads:
        thread.start()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and not errors:
        for flow in flows:
            flow.publisher.publish(Frame(next(stamps), flow.number, picture))
            flow.number += 1
        time.sleep(0.005)
    over.set()
    for thread in threads:
        thread.join(30.0)
        assert not thread.is_alive()
    assert not errors, errors[0]
    assert min(rounds) > SECONDS

    # Every wake-up came: nothing waits, and what stays has seen all.
    for flow in flows:
        assert soon(lambda flow=flow: flow.seen + flow.subscription.overwritten == flow.number)
        assert flow.subscription.waiting == 0
        assert flow.subscription.overwritten == 0
        flow.subscription.destroy()
        flow.publisher.destroy()
    flows.clear()
    topics = Topics.of(process.context)
    assert soon(lambda: topics.names() == ())
    threads = {"courier", "watch"}
    assert soon(lambda: threads.isdisjoint(thread.name for thread in threading.enumerate()))

    def left() -> int:
        gc.collect()
        return len(living)

    assert soon(lambda: left() == 0), list(living)
