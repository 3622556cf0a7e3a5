"""Frames as ``sensor_msgs/Image``, and images of any camera driver as frames."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image

from emopulse_ros.nodes.numbering import Numbering
from emopulse_ros.nodes.stamps import from_time, header_of, to_header
from emopulse_ros.stream import Frame, read_only
from emopulse_ros.transport import Adaptation

_PLAIN = {"mono8", "8UC1"}
_COLOURS: dict[str, tuple[int, int]] = {
    "bgr8": (3, cv2.COLOR_BGR2GRAY),
    "rgb8": (3, cv2.COLOR_RGB2GRAY),
    "bgra8": (4, cv2.COLOR_BGRA2GRAY),
    "rgba8": (4, cv2.COLOR_RGBA2GRAY),
    "yuyv": (2, cv2.COLOR_YUV2GRAY_YUYV),
    "yuv422_yuy2": (2, cv2.COLOR_YUV2GRAY_YUYV),
    "uyvy": (2, cv2.COLOR_YUV2GRAY_UYVY),
    "yuv422": (2, cv2.COLOR_YUV2GRAY_UYVY),
}
"""Channels of an encoding, and how OpenCV makes it gray; names of ``image_encodings.hpp``."""


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


def to_camera_info(frame: Frame) -> Any:
    """What is known of a camera nobody has calibrated: its size (K is zero, as REP 104 says)."""
    height, width = frame.image.shape
    return CameraInfo(header=to_header(frame.stamp, frame.frame_id), height=height, width=width)


def to_gray(message: Any) -> NDArray[np.uint8]:
    """The picture of an image message, ``(H, W) uint8``, read-only; ``mono8`` is not copied.

    :raises ValueError: if the encoding is not one of ours or the message is too short for its
        size.
    """
    encoding, height, width = message.encoding, message.height, message.width
    if encoding in _PLAIN:
        channels, code = 1, None
    elif encoding in _COLOURS:
        channels, code = _COLOURS[encoding]
    else:
        raise ValueError(
            f"its encoding is '{encoding}', but only {', '.join(sorted(_PLAIN | set(_COLOURS)))} "
            "can be read: have the driver publish one of these"
        )
    step = message.step or width * channels
    if height < 1 or width < 1 or step < width * channels or len(message.data) < step * height:
        raise ValueError(
            f"its {len(message.data)} bytes do not hold {width}x{height} pixels of {encoding}"
        )
    flat: NDArray[np.uint8] = np.frombuffer(message.data, np.uint8, step * height)
    rows = flat.reshape(height, step)[:, : width * channels]
    if code is None:
        return read_only(np.ascontiguousarray(rows))
    gray = cv2.cvtColor(np.ascontiguousarray(rows).reshape(height, width, channels), code)
    return read_only(np.asarray(gray, np.uint8))
