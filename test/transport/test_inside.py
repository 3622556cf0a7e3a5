"""Topics between publishers and subscriptions of one process."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def process(ros: Any) -> Any:
    return ros.process()


def test_every_subscription_gets_the_same_read_only_object(
    process: Any, pictures: Any, frame: Any, soon: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    first, second = process.node("first"), process.node("second")
    seen: list[list[Any]] = [[], []]
    Subscription(first, pictures[0], "image", seen[0].append, 10)
    Subscription(second, pictures[0], "image", seen[1].append, 10)
    publisher = Publisher(first, pictures[0], "image", 10)
    sent = [frame(number) for number in range(5)]
    for item in sent:
        publisher.publish(item)
    assert soon(lambda: len(seen[0]) == len(seen[1]) == 5)
    for got in seen:
        assert all(one is other for one, other in zip(got, sent, strict=True))
    assert np.shares_memory(seen[0][0].image, sent[0].image)
    assert not seen[1][0].image.flags.writeable
    assert pictures[1] == []


def test_what_could_be_changed_or_is_something_else_is_refused(process: Any, pictures: Any) -> None:
    from emopulse_ros.stream import Frame
    from emopulse_ros.transport import Publisher

    publisher = Publisher(process.node("node"), pictures[0], "image", 10)
    with pytest.raises(ValueError, match="image of this Frame can be written to"):
        publisher.publish(Frame(0, 0, np.zeros((2, 2), np.uint8)))
    with pytest.raises(TypeError, match="expected Frame, got int"):
        publisher.publish(7)


def test_callbacks_run_in_the_executor_never_in_the_publishers_call(
    process: Any, pictures: Any, frame: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    node = process.node("node")
    threads: list[str] = []
    publishing = threading.Lock()

    def echo(item: Any) -> None:
        threads.append(threading.current_thread().name)
        if item.sequence < 3:
            with publishing:
                publisher.publish(frame(item.sequence + 1))
            # A callback inside the call above would have met the lock.
        else:
            done.set()

    done = threading.Event()
    Subscription(node, pictures[0], "image", echo, 10)
    publisher = Publisher(node, pictures[0], "image", 10)
    publisher.publish(frame(0))
    assert done.wait(10.0)
    assert threads == ["executor"] * 4


def test_names_are_resolved_with_namespace_and_remapping(
    ros: Any, pictures: Any, frame: Any, soon: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    process = ros.process("--ros-args", "-r", "other:=image")
    here = process.node("a", namespace="/left")
    there = process.node("b", namespace="/right")
    seen: dict[str, list[Any]] = {"remapped": [], "absolute": [], "elsewhere": []}
    Subscription(here, pictures[0], "other", seen["remapped"].append, 10)
    Subscription(there, pictures[0], "/left/image", seen["absolute"].append, 10)
    Subscription(there, pictures[0], "image", seen["elsewhere"].append, 10)
    publisher = Publisher(here, pictures[0], "image", 10)
    assert publisher.topic_name == "/left/image"
    publisher.publish(frame(0))
    assert soon(lambda: seen["remapped"] and seen["absolute"])
    assert seen["elsewhere"] == []


def test_other_types_and_incompatible_qos_do_not_match(
    process: Any, pictures: Any, capfd: Any
) -> None:
    from rclpy.qos import QoSProfile, ReliabilityPolicy

    from emopulse_ros.transport import Publisher, Subscription, plain

    node = process.node("node")
    best_effort = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    publisher = Publisher(node, pictures[0], "image", best_effort)
    Subscription(node, plain(pictures[0].message), "image", print, best_effort)
    assert publisher.readers == ()
    reliable = Subscription(node, pictures[0], "image", print, 10)
    assert publisher.readers == ()
    assert reliable.get_publisher_count() == 0
    assert "no item of /image from a publisher of this process" in capfd.readouterr().err
    same = Subscription(node, pictures[0], "image", print, best_effort)
    assert publisher.readers == (same,)
    assert same.get_publisher_count() == 1


def test_a_slow_subscription_sees_the_newest_and_counts_the_rest(
    process: Any, pictures: Any, frame: Any, soon: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    begun, go_on = threading.Event(), threading.Event()
    seen: list[int] = []

    def slow(item: Any) -> None:
        seen.append(item.sequence)
        begun.set()
        go_on.wait(10.0)

    node = process.node("node")
    subscription = Subscription(node, pictures[0], "image", slow, 3)
    publisher = Publisher(node, pictures[0], "image", 3)
    publisher.publish(frame(0))
    assert begun.wait(10.0)
    for number in range(1, 11):
        publisher.publish(frame(number))
    assert subscription.overwritten == 7
    go_on.set()
    assert soon(lambda: len(seen) == 4)
    assert seen == [0, 8, 9, 10]
    assert len(seen) + subscription.overwritten == 11


def test_a_callback_that_raises_stops_nobody(
    process: Any, pictures: Any, frame: Any, soon: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    def fail(_: Any) -> None:
        raise RuntimeError("this one always fails")

    node = process.node("node")
    seen: list[Any] = []
    Subscription(node, pictures[0], "image", fail, 10)
    Subscription(node, pictures[0], "image", seen.append, 10)
    publisher = Publisher(node, pictures[0], "image", 10)
    for number in range(3):
        publisher.publish(frame(number))
    assert soon(lambda: len(seen) == 3)


def test_nothing_comes_after_destroy(process: Any, pictures: Any, frame: Any, soon: Any) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    node = process.node("node")
    seen: list[Any] = []
    kept: list[Any] = []
    subscription = Subscription(node, pictures[0], "image", seen.append, 10)
    Subscription(node, pictures[0], "image", kept.append, 10)
    publisher = Publisher(node, pictures[0], "image", 10)
    publisher.publish(frame(0))
    assert soon(lambda: len(seen) == len(kept) == 1)
    subscription.destroy()
    publisher.publish(frame(1))
    assert soon(lambda: len(kept) == 2)
    assert len(seen) == 1
    publisher.destroy()
    assert not publisher.wanted


def test_what_waits_is_read_once_the_node_gets_an_executor(
    process: Any, pictures: Any, frame: Any, soon: Any
) -> None:
    import rclpy

    from emopulse_ros.transport import Publisher, Subscription

    node = rclpy.create_node("late", context=process.context)
    seen: list[Any] = []
    Subscription(node, pictures[0], "image", seen.append, 10)
    publisher = Publisher(node, pictures[0], "image", 10)
    publisher.publish(frame(0))
    publisher.publish(frame(1))
    time.sleep(0.05)
    assert seen == []
    process.spinner.add(node)
    assert soon(lambda: [item.sequence for item in seen] == [0, 1])
    node.destroy_node()


def test_what_a_destroyed_node_leaves_behind_is_cleared_away(
    process: Any, pictures: Any, soon: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription
    from emopulse_ros.transport.topics import Topics

    node, other = process.node("node"), process.node("other")
    Subscription(node, pictures[0], "image", print, 10)
    publisher = Publisher(other, pictures[0], "image", 10)
    assert publisher.wanted
    node.destroy_node()
    assert soon(lambda: not publisher.wanted)
    publisher.destroy()
    assert soon(lambda: "courier" not in [thread.name for thread in threading.enumerate()])
    assert Topics.of(process.context).names() == ()


@pytest.mark.usefixtures("ros")
@pytest.mark.parametrize("kind", ["SingleThreadedExecutor", "MultiThreadedExecutor"])
def test_other_executors_keep_order_and_callback_groups(
    pictures: Any, frame: Any, soon: Any, kind: str
) -> None:
    import rclpy.executors

    from emopulse_ros.transport import Publisher, Subscription

    context = rclpy.Context()
    rclpy.init(context=context)
    executor = getattr(rclpy.executors, kind)(context=context)
    node = rclpy.create_node("node", context=context)
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
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    for number in range(20):
        publisher.publish(frame(number))
    assert soon(lambda: len(seen[0]) == len(seen[1]) == 20)
    assert seen == [list(range(20))] * 2
    assert collisions == []
    for subscription in subscriptions:
        subscription.destroy()
    publisher.destroy()
    executor.shutdown()
    thread.join(10.0)
    node.destroy_node()
    rclpy.shutdown(context=context)
