"""Subscriptions as filters of message_filters."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def headed(pictures: Any) -> Any:
    """Frames that get a header for those who ask for one."""
    from dataclasses import replace

    from std_msgs.msg import Header

    def header(frame: Any) -> Any:
        made = Header()
        made.stamp.sec, made.stamp.nanosec = divmod(frame.stamp, 10**9)
        return made

    return replace(pictures[0], header=header)


@pytest.fixture
def message_filters() -> Any:
    return pytest.importorskip("message_filters", reason="message_filters is not installed")


def test_exact_synchronisers_take_subscriptions_as_they_are(
    message_filters: Any, ros: Any, headed: Any, frame: Any, soon: Any
) -> None:
    from emopulse_ros.transport import Publisher, Stamped, Subscription

    node = ros.process().node("node")
    names = ("left", "right")
    filters = [Subscription(node, headed, name, None, 10) for name in names]
    assert all(isinstance(one, message_filters.SimpleFilter) for one in filters)
    pairs: list[tuple[Any, ...]] = []
    both = message_filters.TimeSynchronizer(filters, 10)
    both.registerCallback(lambda *pair: pairs.append(pair))
    left, right = (Publisher(node, headed, name, 10) for name in names)
    items = [frame(number) for number in range(4)]
    for item in items:
        left.publish(item)
    right.publish(items[1])
    right.publish(items[3])
    assert soon(lambda: len(pairs) == 2)
    assert all(isinstance(one, Stamped) for pair in pairs for one in pair)
    assert [one.item for one in pairs[0]] == [items[1]] * 2
    assert pairs[1][0].item is pairs[1][1].item is items[3]


def test_approximate_synchronisers_and_caches_take_them_too(
    message_filters: Any, ros: Any, headed: Any, frame: Any, soon: Any
) -> None:
    from sensor_msgs.msg import Image

    from emopulse_ros.transport import Publisher, Subscription

    node = ros.process().node("node")
    pairs: list[tuple[Any, ...]] = []
    adapted, plain = (
        Subscription(node, headed, "a", None, 10),
        Subscription(node, Image, "b", None, 10),
    )
    cache = message_filters.Cache(plain, 5)
    near = message_filters.ApproximateTimeSynchronizer([adapted, plain], 10, slop=0.003)
    near.registerCallback(lambda *pair: pairs.append(pair))
    item, image = frame(1), Image()
    image.header.stamp.nanosec = 7_000_000
    far = Image()
    far.header.stamp.nanosec = 50_000_000
    Publisher(node, headed, "a", 10).publish(item)
    publisher = Publisher(node, Image, "b", 10)
    publisher.publish(far)
    publisher.publish(image)
    assert soon(lambda: len(pairs) == 1)
    assert pairs[0][0].item is item
    assert pairs[0][1] is image
    assert soon(lambda: len(cache.cache_msgs) == 2)


def test_filters_and_the_callback_get_the_same_object(
    ros: Any, headed: Any, frame: Any, soon: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    node = ros.process().node("node")
    called: list[Any] = []
    signalled: list[Any] = []
    subscription = Subscription(node, headed, "image", called.append, 10)
    # As filters connect to each other, whether message_filters is here or not.
    subscription.registerCallback(lambda *given: signalled.append(given), "argument")
    item = frame(1)
    Publisher(node, headed, "image", 10).publish(item)
    assert soon(lambda: called and signalled)
    assert called[0] is item
    assert signalled[0][0].item is item
    assert signalled[0][0].header.stamp.nanosec == 5_000_000
    assert signalled[0][1] == "argument"
