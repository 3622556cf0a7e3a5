"""Topics across the border of the process; a second context is a second process to ROS."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def here(ros: Any) -> Any:
    return ros.process().node("here")


@pytest.fixture
def outside(ros: Any) -> Any:
    return ros.process().node("outside")


def test_messages_are_made_while_and_only_while_somebody_outside_listens(
    here: Any, outside: Any, pictures: Any, frame: Any, soon: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    adaptation, conversions = pictures
    local: list[Any] = []
    heard: list[Any] = []
    Subscription(here, adaptation, "image", local.append, 10)
    publisher = Publisher(here, adaptation, "image", 10)
    # The subscription was there first, listening outside, and leaves the middleware only now.
    # Until that has seen it go, it may be taken for one outside.
    assert soon(lambda: here.count_subscribers("image") == 0)
    assert soon(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(frame(0))
    assert soon(lambda: len(local) == 1)
    assert conversions == []

    foreign = outside.create_subscription(adaptation.message, "image", heard.append, 10)
    # Each side finds the other in its own time.
    assert soon(lambda: publisher.get_subscription_count() == 2 and foreign.get_publisher_count())
    item = frame(1)
    publisher.publish(item)
    assert soon(lambda: len(heard) == 1)
    assert conversions == [1]
    assert heard[0].header.stamp.nanosec == 5_000_000
    assert bytes(heard[0].data) == item.image.tobytes()
    assert soon(lambda: len(local) == 2)
    assert local[1] is item

    outside.destroy_subscription(foreign)
    assert soon(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(frame(2))
    assert soon(lambda: len(local) == 3)
    assert conversions == [1]


def test_a_subscription_that_joins_ros_takes_nothing_from_those_outside(
    here: Any, outside: Any, pictures: Any, soon: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    subscription = Subscription(here, pictures[0], "image", lambda _: None, 10)
    publisher = Publisher(here, pictures[0], "image", 10)
    assert soon(lambda: not subscription.is_outside)
    assert soon(lambda: here.count_subscribers("image") == 0)
    outside.create_subscription(pictures[0].message, "image", lambda _: None, 10)
    assert soon(lambda: publisher.get_subscription_count() == 2)
    create, counted = here.create_subscription, []

    def watched(*given: Any, **named: Any) -> Any:
        publisher.look()
        counted.append(publisher.get_subscription_count())
        made = create(*given, **named)
        publisher.look()
        counted.append(publisher.get_subscription_count())
        return made

    monkeypatch.setattr(here, "create_subscription", watched)
    # Somebody outside publishes too, so that the subscription has to listen there.
    outside.create_publisher(pictures[0].message, "image", 10)
    assert soon(lambda: subscription.is_outside)
    assert min(counted) >= 2
    assert soon(lambda: publisher.get_subscription_count() == 2)


def test_an_inline_publisher_loses_nothing_however_fast_it_is(
    here: Any, outside: Any, pictures: Any, frame: Any, soon: Any
) -> None:
    from emopulse_ros.transport import Publisher

    heard: list[int] = []
    foreign = outside.create_subscription(
        pictures[0].message, "image", lambda message: heard.append(message.header.stamp.sec), 500
    )
    publisher = Publisher(here, pictures[0], "image", 500, inline=True)
    assert soon(lambda: publisher.wanted and foreign.get_publisher_count())
    for number in range(0, 60_000, 200):
        publisher.publish(frame(number))
    assert soon(lambda: len(heard) == 300)
    assert heard == list(range(300))
    assert publisher.lost == 0


RELIABLE, BEST_EFFORT = "RELIABLE", "BEST_EFFORT"


@pytest.mark.parametrize(
    ("reliability", "depth", "more", "arrived"),
    [(RELIABLE, 2, 10, [0, 9, 10]), (BEST_EFFORT, 4, 9, [0, 9])],
    ids=["the oldest give way", "sensor data makes way for the newest"],
)
def test_beside_the_stream_some_give_way_and_are_counted(
    here: Any, outside: Any, pictures: Any, frame: Any, soon: Any,
    reliability: str, depth: int, more: int, arrived: list[int],
) -> None:  # fmt: skip
    import threading
    from dataclasses import replace

    from rclpy.qos import QoSProfile, ReliabilityPolicy

    from emopulse_ros.transport import Publisher

    begun, go_on = threading.Event(), threading.Event()

    def slowly(item: Any) -> Any:
        begun.set()
        go_on.wait(10.0)
        return pictures[0].to_message(item)

    def quality(deep: int) -> Any:
        return QoSProfile(depth=deep, reliability=getattr(ReliabilityPolicy, reliability))

    heard: list[int] = []
    foreign = outside.create_subscription(
        pictures[0].message,
        "image",
        lambda message: heard.append(message.header.stamp.sec),
        quality(10),
    )
    publisher = Publisher(here, replace(pictures[0], to_message=slowly), "image", quality(depth))
    assert soon(lambda: publisher.wanted and foreign.get_publisher_count())
    publisher.publish(frame(0))
    assert begun.wait(10.0)
    for number in range(200, 200 * (more + 1), 200):
        publisher.publish(frame(number))
    assert publisher.lost == 8
    go_on.set()
    assert soon(lambda: heard == arrived), heard


def test_plain_subscriptions_and_other_travelling_types_of_this_process_are_served_by_ros(
    here: Any, pictures: Any, frame: Any, soon: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    image = pictures[0].message
    local: list[Any] = []
    messages: list[Any] = []
    raw: list[Any] = []
    Subscription(here, pictures[0], "image", local.append, 10)
    publisher = Publisher(here, pictures[0], "image", 10)
    other = Subscription(here, image, "image", messages.append, 10)
    by_hand = here.create_subscription(image, "image", raw.append, 10)
    assert soon(lambda: publisher.get_subscription_count() == 3)
    assert soon(lambda: other.get_publisher_count() == by_hand.get_publisher_count() == 1)
    item = frame(1)
    publisher.publish(item)
    assert soon(lambda: local and messages and raw)
    assert local[0] is item
    assert type(messages[0]) is type(raw[0]) is image
    assert bytes(messages[0].data) == item.image.tobytes()
    assert not soon(lambda: len(local) + len(messages) + len(raw) > 3, 0.2)


def test_names_are_remapped_once_inside_and_outside(
    ros: Any, outside: Any, pictures: Any, frame: Any, soon: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    # Each is the other's new name: whoever remaps twice is back where he began.
    swapped = ros.process("--ros-args", "-r", "a:=b", "-r", "b:=a").node("swapped")
    local: list[Any] = []
    heard: list[Any] = []
    subscription = Subscription(swapped, pictures[0], "a", local.append, 10)
    publisher = Publisher(swapped, pictures[0], "a", 10)
    foreign = outside.create_subscription(pictures[0].message, "b", heard.append, 10)
    assert publisher.topic_name == subscription.topic_name == "/b"
    assert soon(lambda: publisher.get_subscription_count() == 2 and foreign.get_publisher_count())
    publisher.publish(frame(1))
    assert soon(lambda: local and heard)


def test_messages_without_a_stamp_are_told_apart_by_their_number(
    here: Any, outside: Any, soon: Any
) -> None:
    from std_msgs.msg import Bool

    from emopulse_ros.transport import Publisher, Subscription

    local: list[bool] = []
    subscription = Subscription(here, Bool, "switch", lambda item: local.append(item.data), 50)
    publisher = Publisher(here, Bool, "switch", 50, inline=True)
    foreign = outside.create_publisher(Bool, "switch", 50)
    assert soon(lambda: subscription.get_publisher_count() == 2)
    # Only what somebody outside listens to is sent out, and can come back.
    outside.create_subscription(Bool, "switch", lambda _: None, 50)
    assert soon(lambda: publisher.get_subscription_count() == 2)
    assert soon(lambda: foreign.get_subscription_count() == 2)
    for _ in range(10):
        publisher.publish(Bool(data=True))
        foreign.publish(Bool(data=True))
        foreign.publish(Bool(data=False))
    assert soon(lambda: len(local) >= 30)
    assert not soon(lambda: len(local) > 30, 0.3), local
    assert local.count(True) == 20


def test_a_publisher_outside_reaches_the_same_subscription(
    here: Any, outside: Any, pictures: Any, soon: Any
) -> None:
    from emopulse_ros.transport import Subscription

    message_type = pictures[0].message
    local: list[Any] = []
    subscription = Subscription(here, pictures[0], "image", local.append, 10)
    publisher = outside.create_publisher(message_type, "image", 10)
    assert soon(lambda: publisher.get_subscription_count() == 1)
    assert soon(lambda: subscription.get_publisher_count() == 1)
    message = message_type(height=1, width=3, data=[1, 2, 3])
    message.header.stamp.sec = 7
    publisher.publish(message)
    assert soon(lambda: len(local) == 1)
    assert local[0].stamp == 7 * 10**9
    assert local[0].image.tolist() == [[1, 2, 3]]
    assert not local[0].image.flags.writeable


def test_a_message_that_cannot_be_converted_is_told_and_counted(
    here: Any, outside: Any, pictures: Any, soon: Any, capfd: Any
) -> None:
    from emopulse_ros.transport import Subscription

    local: list[Any] = []
    subscription = Subscription(here, pictures[0], "image", local.append, 10)
    publisher = outside.create_publisher(pictures[0].message, "image", 10)
    assert soon(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(pictures[0].message(encoding="nonsense"))
    publisher.publish(pictures[0].message())
    assert soon(lambda: len(local) == 1)
    assert subscription.refused == 1
    assert "a message on /image is of no use: the encoding is nonsense" in capfd.readouterr().err


def test_no_item_comes_twice_whoever_sent_it(
    here: Any, outside: Any, pictures: Any, frame: Any, soon: Any
) -> None:
    from emopulse_ros.transport import Publisher, Subscription

    adaptation = pictures[0]
    local: list[int] = []
    heard: list[int] = []
    subscription = Subscription(
        here, adaptation, "image", lambda item: local.append(item.stamp), 50
    )
    publisher = Publisher(here, adaptation, "image", 50, inline=True)
    listener = outside.create_subscription(
        adaptation.message, "image", lambda message: heard.append(message.header.stamp.sec), 50
    )
    foreign = outside.create_publisher(adaptation.message, "image", 50)
    # Both sides have found each other once the subscription here listens outside as well.
    assert soon(lambda: foreign.get_subscription_count() == 2)
    assert soon(lambda: publisher.get_subscription_count() == 2)
    assert soon(lambda: listener.get_publisher_count() == 2)
    assert soon(lambda: subscription.get_publisher_count() == 2)
    message = adaptation.message()
    for second in range(1, 11):
        publisher.publish(frame(200 * second))
        message.header.stamp.sec = 100 + second
        foreign.publish(message)
    expected = {*range(1, 11), *range(101, 111)}
    assert soon(lambda: len(local) >= 20 and len(heard) >= 20), (local, heard)
    # What is wrongly delivered twice would come soon after.
    assert not soon(lambda: len(local) > 20, 0.3)
    assert {stamp // 10**9 for stamp in local} == expected
    assert sorted(heard) == sorted(expected)

    outside.destroy_publisher(foreign)
    # Without a publisher outside, the one here is the only one that is heard; nobody listens
    # outside for it in vain.
    assert soon(lambda: outside.count_subscribers("image") == 1)
    assert soon(lambda: publisher.get_subscription_count() == 2)
