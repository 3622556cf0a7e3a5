"""Stamps between the stream (ns) and ROS (seconds and nanoseconds)."""

from __future__ import annotations

from typing import Any

from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from emopulse_ros.stream import Travelling

SECOND = 1_000_000_000


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


def from_time(time: Any) -> int:
    """``builtin_interfaces/Time`` in ns."""
    stamp: int = time.sec * SECOND + time.nanosec
    return stamp
