"""Time between the stream (ns) and ROS: stamps, and whose clock they and timers go by."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.clock import Clock as RosClock
from rclpy.clock_type import ClockType
from std_msgs.msg import Header

from emopulse_ros.bag.messages import SECOND
from emopulse_ros.stream import Travelling

Clock = Callable[[], int]
"""Tells the time in ns."""


def clock_of(node: Any) -> Clock:
    """The clock a node's capture stamps are on: the system's, or that of ``/clock`` where the node
    is told to use simulated time, as when a bag is played."""
    if not node.get_parameter("use_sim_time").value:
        # Asking the node's own clock for the same takes several times as long.
        return time.time_ns
    clock = node.get_clock()
    return lambda: int(clock.now().nanoseconds)


def every(node: Any, seconds: float, work: Callable[[], None]) -> Any:
    """A timer of a node, in real time: a bag that is paused must not stop it."""
    return node.create_timer(seconds, work, clock=RosClock(clock_type=ClockType.STEADY_TIME))


def to_time(stamp: int) -> Any:
    """A stamp in ns as ``builtin_interfaces/Time``."""
    seconds, nanoseconds = divmod(stamp, SECOND)
    return Time(sec=seconds, nanosec=nanoseconds)


def to_header(stamp: int, frame_id: str) -> Any:
    """A stamp in ns and the frame it belongs to as ``std_msgs/Header``."""
    return Header(stamp=to_time(stamp), frame_id=frame_id)


def header_of(item: Travelling) -> Any:
    """The header of anything that travels down the stream."""
    return to_header(item.stamp, item.frame_id)
