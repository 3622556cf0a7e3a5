"""Topics between publishers and subscriptions of one process."""

from __future__ import annotations

import threading
import time
from functools import partial
from types import SimpleNamespace
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
    # Until the middleware has forgotten them, the two may be taken for somebody outside.
    assert soon(lambda: first.count_subscribers("image") == 0)
    assert soon(lambda: publisher.get_subscription_count() == 2)
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
    process: Any, pictures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rclpy.qos import QoSProfile, ReliabilityPolicy

    from emopulse_ros.transport import Publisher, Subscription, plain

    node, other = process.node("node"), process.node("other")
    # Not what is printed: rclpy warns of the same in its own time, in the midst of ours.
    told: list[tuple[str, str]] = []
    for one in (node, other):
        told_by = partial(lambda name, text: told.append((name, text)), one.get_name())
        monkeypatch.setattr(one, "get_logger", partial(SimpleNamespace, warning=told_by))
    best_effort = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    publisher = Publisher(other, pictures[0], "image", best_effort)
    Subscription(node, plain(pictures[0].message), "image", print, best_effort)
    assert publisher.readers == ()
    reliable = Subscription(node, pictures[0], "image", print, 10)
    assert publisher.readers == ()
    assert reliable.get_publisher_count() == 0
    reason = "Best effort publisher and reliable subscription"
    assert [who for who, _ in told] == ["other", "node"]
    assert told[0][1].startswith(
        "the subscription of /node to /image asks for a quality of service"
    )
    assert told[1][1].startswith("the publisher of /other on /image does not offer the quality")
    assert all(reason in text for _, text in told)
    same = Subscription(node, pictures[0], "image", print, best_effort)
    assert publisher.readers == (same,)
    assert same.get_publisher_count() == 1
    # What was told once is not told again whenever somebody comes or goes.
    assert len(told) == 2


def test_who_asks_to_own_gets_a_copy_that_can_be_changed(
    process: Any, pictures: Any, frame: Any, soon: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    node = process.node("node")
    owned: list[list[Any]] = [[], []]
    shared: list[Any] = []
    for place in owned:
        Subscription(node, pictures[0], "image", place.append, 10, owned=True)
    Subscription(node, pictures[0], "image", shared.append, 10)
    publisher = Publisher(node, pictures[0], "image", 10)
    item = frame(3)
    publisher.publish(item)
    assert soon(lambda: owned[0] and owned[1] and shared)
    mine, theirs = owned[0][0], owned[1][0]
    assert shared[0] is item
    assert (mine.stamp, mine.sequence) == (item.stamp, item.sequence)
    mine.image[:] = 99
    assert item.image.tolist() == theirs.image.tolist() == np.full((4, 6), 3).tolist()
    assert not np.shares_memory(mine.image, theirs.image)


def test_a_ros_message_travels_as_itself(process: Any, soon: Any) -> None:
    from std_msgs.msg import String

    from emopulse_ros.transport import Publisher, Subscription

    node = process.node("node")
    seen: list[Any] = []
    Subscription(node, String, "words", seen.append, 10)
    publisher = Publisher(node, String, "words", 10)
    message = String(data="hello")
    publisher.publish(message)
    assert soon(lambda: len(seen) == 1)
    assert seen[0] is message


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


def test_a_fast_subscription_beside_a_slow_one_sees_all(
    process: Any, pictures: Any, frame: Any, soon: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription
    from emopulse_ros.transport.spinner import Spinner

    count, depth = 400, 4
    seen: dict[str, list[int]] = {"fast": [], "slow": []}

    def slowly(item: Any) -> None:
        time.sleep(0.01)
        seen["slow"].append(item.sequence)

    with Spinner(process.context) as apart:
        import rclpy

        there = rclpy.create_node("there", context=process.context)
        apart.add(there)
        slow = Subscription(there, pictures[0], "image", slowly, depth)
        here = process.node("here")
        fast = Subscription(
            here, pictures[0], "image", lambda item: seen["fast"].append(item.sequence), count
        )
        publisher = Publisher(here, pictures[0], "image", 10)
        for number in range(count):
            publisher.publish(frame(number))
            time.sleep(0.001)
        assert soon(lambda: not fast.waiting and not slow.waiting)
        assert soon(lambda: len(seen["slow"]) + slow.overwritten == count)
    assert seen["fast"] == list(range(count))
    assert fast.overwritten == 0
    assert slow.overwritten > count // 2
    assert seen["slow"] == sorted(set(seen["slow"]))
    assert seen["slow"][-depth:] == list(range(count - depth, count))
    there.destroy_node()


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
    process.spinner.remove(node)
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
    threads = {"courier", "watch"}
    assert soon(lambda: threads.isdisjoint(thread.name for thread in threading.enumerate()))
    assert Topics.of(process.context).names() == ()


def test_a_callback_may_take_what_waits_behind(
    process: Any, pictures: Any, frame: Any, soon: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    node = process.node("node")
    taken: list[list[int]] = []

    def hear(item: Any) -> None:
        together = [item.sequence]
        while other := subscription.take_next(lambda one: one.sequence // 3 == together[0] // 3):
            together.append(other.sequence)
        taken.append(together)

    subscription = Subscription(node, pictures[0], "image", hear, 10)
    publisher = Publisher(node, pictures[0], "image", 10)
    assert soon(lambda: publisher.get_subscription_count() == 1)
    process.spinner.call(lambda: [publisher.publish(frame(number)) for number in range(7)])
    assert soon(lambda: sum(map(len, taken)) == 7)
    assert taken == [[0, 1, 2], [3, 4, 5], [6]]
    # And its turn comes again.
    publisher.publish(frame(7))
    assert soon(lambda: taken[-1] == [7])
    assert subscription.overwritten == 0
