"""A small travelling type and its ROS message."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest


@pytest.fixture
def pictures() -> Any:
    """An adaptation of Frame to sensor_msgs/Image that counts its conversions."""
    image = pytest.importorskip("sensor_msgs.msg", reason="sensor_msgs is not installed").Image
    from emopulse_ros.stream import Frame, read_only
    from emopulse_ros.transport import Adaptation

    def to_message(frame: Frame) -> Any:
        calls.append(frame.sequence)
        message = image(height=frame.image.shape[0], width=frame.image.shape[1])
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(frame.stamp, 10**9)
        message.data.frombytes(memoryview(frame.image).cast("B"))
        return message

    def from_message(message: Any) -> Frame:
        if message.encoding == "nonsense":
            raise ValueError("the encoding is nonsense")
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        shape = message.height, message.width
        return Frame(stamp, 0, read_only(np.frombuffer(message.data, np.uint8).reshape(shape)))

    calls: list[int] = []
    adaptation = Adaptation(Frame, image, to_message, from_message)
    return adaptation, calls


@pytest.fixture
def frame() -> Any:
    from emopulse_ros.stream import Frame, read_only

    def make(number: int) -> Frame:
        picture = np.full((4, 6), number % 256, np.uint8)
        return Frame(number * 5_000_000, number, read_only(picture))

    return make
