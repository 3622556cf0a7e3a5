"""The pictures of image messages, raw or compressed, in gray."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.stream import read_only

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
    # OpenCV names a mosaic by the second and third pixel of its second row.
    "bayer_rggb8": (1, cv2.COLOR_BayerBG2GRAY),
    "bayer_bggr8": (1, cv2.COLOR_BayerRG2GRAY),
    "bayer_gbrg8": (1, cv2.COLOR_BayerGR2GRAY),
    "bayer_grbg8": (1, cv2.COLOR_BayerGB2GRAY),
}
"""Channels of an encoding, and how OpenCV makes it gray; names of ``image_encodings.hpp``."""


def to_gray(message: Any) -> NDArray[np.uint8]:
    """The picture of an image message, ``(H, W) uint8``, read-only; ``mono8`` is not copied.

    An encoding that is not one of ours is left to cv_bridge, where that is installed.

    :raises ValueError: if the encoding cannot be read or the message is too short for its size.
    """
    encoding, height, width = message.encoding, message.height, message.width
    if encoding in _PLAIN:
        channels, code = 1, None
    elif encoding in _COLOURS:
        channels, code = _COLOURS[encoding]
    else:
        return _by_cv_bridge(message)
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


def _by_cv_bridge(message: Any) -> NDArray[np.uint8]:
    try:
        from cv_bridge import CvBridge, CvBridgeError
    except ImportError:
        known = ", ".join(sorted(_PLAIN | set(_COLOURS)))
        raise ValueError(
            f"its encoding is '{message.encoding}', but without cv_bridge only {known} can be "
            "read: have the driver publish one of these, or install cv_bridge"
        ) from None
    try:
        return read_only(np.asarray(CvBridge().imgmsg_to_cv2(message, "mono8"), np.uint8))
    except (CvBridgeError, TypeError) as error:
        raise ValueError(f"its encoding '{message.encoding}' cannot be read: {error}") from error


def decompressed(message: Any) -> NDArray[np.uint8]:
    """The picture of a compressed image message (JPEG or PNG), ``(H, W) uint8``, read-only.

    :raises ValueError: if it cannot be decoded.
    """
    data = np.frombuffer(message.data, np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
    if picture is None:
        raise ValueError(f"its {data.size} bytes of '{message.format}' are no picture")
    return read_only(np.asarray(picture, np.uint8))
