"""Frames as ``sensor_msgs/Image``, and images of any camera driver as frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from sensor_msgs.msg import Image

from emopulse_ros.bag.messages import from_time
from emopulse_ros.camera.numbering import Numbering
from emopulse_ros.camera.pictures import to_gray
from emopulse_ros.nodes.stamps import header_of, to_header
from emopulse_ros.stream import Frame
from emopulse_ros.transport import Adaptation


def image_adaptation() -> Adaptation[Frame]:
    """Bind Frame to ``sensor_msgs/Image``; messages from outside are numbered by their stamps."""
    numbering = Numbering()

    def from_message(message: Any) -> Frame:
        picture = to_gray(message)
        stamp = from_time(message.header.stamp)
        frame_id = message.header.frame_id or "camera_optical_frame"
        return Frame(stamp, numbering(stamp), picture, frame_id)

    return Adaptation(Frame, Image, to_image, from_message, header=header_of)


def to_image(frame: Frame) -> Any:
    """A frame as ``mono8`` image; the picture is copied once."""
    height, width = frame.image.shape
    message = Image(
        header=to_header(frame.stamp, frame.frame_id),
        height=height,
        width=width,
        encoding="mono8",
        step=width,
    )
    # Filled in place: a field that is assigned, an array too, is copied element by element, which
    # takes 0.5 ms instead of 0.01.
    message.data.frombytes(np.ascontiguousarray(frame.image).data.cast("B"))
    return message
