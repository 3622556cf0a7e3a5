"""Bags we write, as others read them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rosbags", reason="rosbags is not installed: requirements/evaluation.txt")

from emopulse_ros.bag.errors import BagError
from emopulse_ros.bag.file import BagFile
from emopulse_ros.bag.writer import BagWriter
from emopulse_ros.facs import CODES
from emopulse_ros.stream import Activation, Frame, MicroExpression, read_only

STAMP = 1_700_000_000_123_456_789
ROW = read_only(np.linspace(0.0, 1.0, len(CODES), dtype=np.float32))
PICTURE = read_only(np.arange(48, dtype=np.uint8).reshape(6, 8))


def write(path: Path) -> None:
    with BagWriter(path, "/robot") as bag:
        bag.image(Frame(STAMP, 4, PICTURE, "eye"), STAMP + 1)
        activation = Activation(STAMP, 4, 2, CODES, ROW, ROW[::-1], 1.5, "net", "a" * 64, "eye")
        bag.activation(activation, STAMP + 2, 1.25)
        peaks = read_only(np.array([0.5, 0.75], np.float32))
        event = MicroExpression(
            STAMP + 9, 6, 2, STAMP, STAMP + 5, STAMP + 8, (4, 7), peaks, 0.5, "eye"
        )
        bag.event(event, STAMP + 3)
        bag.label("blink", (45,), STAMP, STAMP + 5, STAMP + 8, STAMP + 4)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    write(tmp_path / "bag")
    with BagFile(tmp_path / "bag") as bag:
        names = [topic.name for topic in bag.topics]
        got = {one.topic: one.message for one in bag.messages(*names)}
    image = got["/robot/camera/image_raw"]
    assert (image.encoding, image.step, image.header.frame_id) == ("mono8", 8, "eye")
    assert np.array_equal(image.data.reshape(6, 8), PICTURE)
    assert image.header.stamp.nanosec == 123_456_789
    activation = got["/robot/au_activation"]
    assert tuple(activation.codes) == CODES
    assert np.array_equal(activation.probability, ROW)
    assert (activation.attention, activation.latency_ms) == (1.5, 1.25)
    event = got["/robot/micro_expression"]
    assert (tuple(event.aus), event.apex.nanosec) == ((4, 7), 123_456_794)
    label = got["/robot/truth"]
    assert (label.kind, tuple(label.aus), len(label.coded)) == ("blink", (45,), 0)


def test_ros_reads_the_messages(tmp_path: Path) -> None:
    """By the real types: the bytes and the definitions must be those of ROS."""
    pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")
    from rclpy.serialization import deserialize_message
    from rosbags.rosbag2 import Reader

    from emopulse_msgs import msg as messages

    write(tmp_path / "bag")
    with Reader(tmp_path / "bag") as reader:
        for connection, _, data in reader.messages():
            package, _, name = connection.msgtype.split("/")
            if package != "emopulse_msgs":
                continue
            kind = getattr(messages, name)
            assert deserialize_message(bytes(data), kind).header.stamp.nanosec >= 123_456_789
            said = kind.get_type_hash() if hasattr(kind, "get_type_hash") else None
            assert said is None or connection.digest == said


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "bag").mkdir()
    with pytest.raises(BagError, match="is there already: give a name that is free"):
        BagWriter(tmp_path / "bag")


def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BagError, match="cannot be written"):
        BagWriter(tmp_path / "file" / "bag")
