from __future__ import annotations

import sys
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


@pytest.mark.parametrize("encoding", ["bayer_rggb8", "bayer_bggr8", "bayer_gbrg8", "bayer_grbg8"])
def test_the_mosaic_of_a_colour_sensor_becomes_gray(encoding: str) -> None:
    from emopulse_ros.camera.pictures import to_gray

    red_blue_green = {"r": 200, "g": 90, "b": 30}
    tile = np.array([red_blue_green[letter] for letter in encoding[6:10]], np.uint8).reshape(2, 2)
    gray = to_gray(message(encoding, np.tile(tile, (6, 8))))
    expected = 0.299 * 200 + 0.587 * 90 + 0.114 * 30
    assert np.abs(gray[2:-2, 2:-2] - expected).max() <= 1.0


def test_other_encodings_are_left_to_cv_bridge() -> None:
    pytest.importorskip("cv_bridge", reason="cv_bridge is not installed")
    from emopulse_ros.camera.pictures import to_gray

    deep = message("mono16", (GRAY.astype(np.uint16) * 257).view(np.uint8).reshape(6, 8, 2))
    assert np.abs(to_gray(deep).astype(int) - GRAY).max() <= 1
    with pytest.raises(ValueError, match="its encoding 'fog9' cannot be read"):
        to_gray(message("fog9", GRAY))


def test_what_cannot_be_read_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from emopulse_ros.camera.pictures import to_gray

    monkeypatch.setitem(sys.modules, "cv_bridge", None)
    with pytest.raises(ValueError, match=r"is 'mono16', but without cv_bridge only .*mono8"):
        to_gray(message("mono16", GRAY))
    short = message("rgb8", COLOUR)
    short.height = 7
    with pytest.raises(ValueError, match="144 bytes do not hold 8x7 pixels of rgb8"):
        to_gray(short)
    with pytest.raises(ValueError, match="0 bytes do not hold 0x0 pixels"):
        to_gray(Image(encoding="mono8"))
