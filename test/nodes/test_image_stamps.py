"""Images of a driver whose stamps do not rise: it is said why no action units come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def send(light: Any, ros: Any, soon: Callable[..., bool]) -> Any:
    """Send images of these stamps (ms) to a flow node, one by one; returns the node."""
    assert light.frames == []
    pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    from sensor_msgs.msg import Image

    from emopulse_ros.nodes import qualities
    from emopulse_ros.nodes.flow_node import FlowNode

    process = ros.process()
    publisher = (
        ros.process()
        .node("driver")
        .create_publisher(Image, "/emopulse/camera/image_raw", qualities.images(100))
    )
    node = FlowNode(context=process.context)
    process.spinner.add(node)
    for transition in (node.trigger_configure, node.trigger_activate):
        process.spinner.call(transition)
    assert soon(lambda: publisher.get_subscription_count() == 1)
    assert soon(lambda: node.subscription.get_publisher_count() == 1)

    def send(stamps: list[int]) -> Any:
        for stamp in stamps:
            message = Image(height=2, width=2, encoding="mono8", step=2, data=bytes(4))
            message.header.stamp.sec, rest = divmod(stamp, 1000)
            message.header.stamp.nanosec = rest * 1_000_000
            seen = node.frames
            publisher.publish(message)
            assert soon(lambda seen=seen: node.frames > seen)
        return node

    yield send
    assert node.errors == 0
    process.spinner.call(node.shut_down)
    process.spinner.remove(node)
    node.destroy_node()


@pytest.mark.parametrize(
    ("stamps", "count"),
    [([0] * 20, 19), ([5000] * 20, 19), ([5000, 900, 5005, 905, 5010, 910], 3)],
    ids=["none", "repeated", "of two drivers"],
)
def test_stamps_that_do_not_rise_are_counted_and_told_once(
    send: Any, capfd: Any, stamps: list[int], count: int
) -> None:
    node = send(stamps)
    assert node.not_later == count
    values = node.health().values
    assert values["images stamped no later than the one before"] == str(count)
    told = capfd.readouterr().err
    assert told.count("are stamped no later than those before them") == 1
    assert "on /emopulse/camera/image_raw" in told


def test_a_bag_that_begins_again_is_no_fault_of_the_driver(send: Any, capfd: Any) -> None:
    once = list(range(7000, 7100, 5))
    assert send(once * 3).not_later == 2
    assert "stamped no later" not in capfd.readouterr().err
