"""Transient local: those who come late get what was published before."""

from __future__ import annotations

from typing import Any

import pytest

DEPTH = 3


@pytest.fixture
def latched() -> Any:
    qos = pytest.importorskip("rclpy.qos", reason="ROS 2 (rclpy) is not installed")

    def make(depth: int = DEPTH) -> Any:
        return qos.QoSProfile(depth=depth, durability=qos.DurabilityPolicy.TRANSIENT_LOCAL)

    return make


def test_who_comes_late_gets_the_last_items_and_then_the_new_ones(
    ros: Any, pictures: Any, frame: Any, soon: Any, latched: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    node = ros.process().node("node")
    publisher = Publisher(node, pictures[0], "image", latched())
    sent = [frame(number) for number in range(6)]
    for item in sent[:5]:
        publisher.publish(item)
    seen: dict[str, list[Any]] = {"deep": [], "shallow": [], "volatile": []}
    Subscription(node, pictures[0], "image", seen["deep"].append, latched(10))
    Subscription(node, pictures[0], "image", seen["shallow"].append, latched(1))
    Subscription(node, pictures[0], "image", seen["volatile"].append, 10)
    assert soon(lambda: len(seen["deep"]) == 3 and len(seen["shallow"]) == 1)
    publisher.publish(sent[5])
    assert soon(lambda: len(seen["volatile"]) == 1 and len(seen["deep"]) == 4)
    assert soon(lambda: len(seen["shallow"]) == 2)
    assert all(one is other for one, other in zip(seen["deep"], sent[2:], strict=True))
    assert all(one is other for one, other in zip(seen["shallow"], sent[4:], strict=True))
    assert seen["volatile"][0] is sent[5]
    # The middleware would tell the next test of what was kept here.
    publisher.destroy()


def test_a_volatile_publisher_does_not_serve_who_asks_for_the_past(
    ros: Any, pictures: Any, latched: Any, capfd: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    node = ros.process().node("node")
    publisher = Publisher(node, pictures[0], "image", 10)
    Subscription(node, pictures[0], "image", print, latched())
    assert publisher.readers == ()
    assert "Volatile publisher and transient local subscription" in capfd.readouterr().err


def test_who_comes_late_from_outside_gets_the_last_items_too(
    ros: Any, pictures: Any, frame: Any, soon: Any, latched: Any
) -> None:
    from emopulse_ros.transport import Publisher

    here, outside = ros.process().node("here"), ros.process().node("outside")
    publisher = Publisher(here, pictures[0], "image", latched())
    for number in range(0, 1000, 200):
        publisher.publish(frame(number))
    assert soon(lambda: len(pictures[1]) >= DEPTH)
    heard: list[int] = []
    outside.create_subscription(
        pictures[0].message,
        "image",
        lambda message: heard.append(message.header.stamp.sec),
        latched(),
    )
    assert soon(lambda: heard == [2, 3, 4]), heard
    publisher.destroy()


def test_no_item_comes_twice_when_the_middleware_sends_the_past_again(
    ros: Any, pictures: Any, frame: Any, soon: Any, latched: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    here, outside = ros.process().node("here"), ros.process().node("outside")
    publisher = Publisher(here, pictures[0], "twice", latched(), inline=True)
    for number in range(0, 1000, 200):
        publisher.publish(frame(number))
    seen: list[int] = []
    subscription = Subscription(
        here, pictures[0], "twice", lambda item: seen.append(item.stamp // 10**9), latched(10)
    )
    assert soon(lambda: seen == [2, 3, 4])
    foreign = outside.create_publisher(pictures[0].message, "twice", latched())
    message = pictures[0].message()
    message.header.stamp.sec = 100
    foreign.publish(message)
    # Once it listens outside, the middleware offers it the last items of both.
    assert soon(lambda: subscription.get_publisher_count() == 2)
    assert soon(lambda: 100 in seen)
    publisher.publish(frame(1000))
    assert soon(lambda: 5 in seen)
    assert not soon(lambda: len(seen) > 5, 0.3)
    assert sorted(seen) == [2, 3, 4, 5, 100]
