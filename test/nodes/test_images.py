from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from emopulse_ros.stream import Frame, read_only

Image = pytest.importorskip("sensor_msgs.msg", reason="sensor_msgs is not installed").Image
pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

COLOUR = np.random.default_rng(3).integers(0, 255, (6, 8, 3), np.uint8)
GRAY = cv2.cvtColor(COLOUR, cv2.COLOR_BGR2GRAY)


def message(encoding: str, picture: Any, padding: int = 0) -> Any:
    height, width = picture.shape[:2]
    rows = picture.reshape(height, -1)
    rows = np.pad(rows, ((0, 0), (0, padding)))
    told = Image(height=height, width=width, encoding=encoding, step=rows.shape[1])
    told.data.frombytes(rows.tobytes())
    return told


def test_a_frame_survives_the_way_there_and_back() -> None:
    from emopulse_ros.nodes.images import image_adaptation, to_image

    frame = Frame(1_700_000_000_123_456_789, 41, read_only(GRAY.copy()), "left_eye")
    there = to_image(frame)
    assert (there.encoding, there.step, there.header.frame_id) == ("mono8", 8, "left_eye")
    assert there.header.stamp.nanosec == 123_456_789
    back = image_adaptation().from_message(there)
    assert (back.stamp, back.frame_id) == (frame.stamp, "left_eye")
    assert np.array_equal(back.image, frame.image)
    assert not back.image.flags.writeable


def test_mono_is_not_copied() -> None:
    from emopulse_ros.camera.pictures import to_gray

    told = message("mono8", GRAY)
    assert np.shares_memory(to_gray(told), np.frombuffer(told.data, np.uint8))


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize(
    ("encoding", "picture"),
    [
        ("mono8", GRAY),
        ("8UC1", GRAY),
        ("bgr8", COLOUR),
        ("rgb8", COLOUR[..., ::-1]),
        ("bgra8", cv2.cvtColor(COLOUR, cv2.COLOR_BGR2BGRA)),
        ("rgba8", cv2.cvtColor(COLOUR, cv2.COLOR_BGR2RGBA)),
    ],
)
def test_encodings_become_gray(encoding: str, picture: Any, padding: int) -> None:
    from emopulse_ros.camera.pictures import to_gray

    gray = to_gray(message(encoding, np.ascontiguousarray(picture), padding))
    assert np.array_equal(gray, GRAY)
    assert gray.dtype == np.uint8
    assert not gray.flags.writeable


@pytest.mark.parametrize(("encoding", "place"), [("yuyv", 0), ("yuv422_yuy2", 0), ("uyvy", 1)])
def test_of_yuv_the_luminance_is_taken(encoding: str, place: int) -> None:
    from emopulse_ros.camera.pictures import to_gray

    pairs = np.full((6, 8, 2), 128, np.uint8)
    pairs[..., place] = GRAY
    assert np.array_equal(to_gray(message(encoding, pairs)), GRAY)


def test_what_cannot_be_read_is_refused_in_a_sentence() -> None:
    from emopulse_ros.camera.pictures import to_gray

    with pytest.raises(ValueError, match=r"its encoding is 'bayer_rggb8', but only .*mono8"):
        to_gray(message("bayer_rggb8", GRAY))
    short = message("rgb8", COLOUR)
    short.height = 7
    with pytest.raises(ValueError, match="144 bytes do not hold 8x7 pixels of rgb8"):
        to_gray(short)
    with pytest.raises(ValueError, match="0 bytes do not hold 0x0 pixels"):
        to_gray(Image(encoding="mono8"))
