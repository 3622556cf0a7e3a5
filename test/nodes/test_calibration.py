"""``camera_info`` from the file that camera_calibration writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emopulse_ros.stream import Frame, read_only

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("sensor_msgs.msg", reason="sensor_msgs is not installed")

from emopulse_ros.nodes.calibration import Calibration

FILE = """
image_width: 64
image_height: 48
camera_name: narrow_stereo
camera_matrix: {rows: 3, cols: 3, data: [60.5, 0, 31.5, 0, 60.5, 23.5, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [-0.3, 0.1, 0.001, 0.002, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [58, 0, 31, 0, 0, 58, 23, 0, 0, 0, 1, 0]}
"""


def frame(width: int = 64, height: int = 48, stamp: int = 5_000_000) -> Frame:
    return Frame(stamp, 1, read_only(np.zeros((height, width), np.uint8)), "optical")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "camera.yaml").write_text(FILE)
    return tmp_path / "camera.yaml"


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_what_the_file_says_goes_with_every_frame(path: Path, scheme: str) -> None:
    calibration = Calibration(f"{scheme}{path}")
    first, second = calibration(frame()), calibration(frame(stamp=10_000_000))
    assert (first.width, first.height, first.distortion_model) == (64, 48, "plumb_bob")
    assert list(first.k) == [60.5, 0, 31.5, 0, 60.5, 23.5, 0, 0, 1]
    assert list(first.d) == [-0.3, 0.1, 0.001, 0.002, 0]
    assert list(first.p)[:4] == [58, 0, 31, 0]
    assert list(first.r)[::4] == [1, 1, 1]
    assert first.header.frame_id == "optical"
    # One that waits to be sent keeps its stamp.
    assert (first.header.stamp.nanosec, second.header.stamp.nanosec) == (5_000_000, 10_000_000)


def test_a_camera_that_nobody_calibrated() -> None:
    info = Calibration()(frame())
    assert (info.width, info.height) == (64, 48)
    assert not np.any(info.k)


def test_another_size_is_not_calibrated(path: Path) -> None:
    calibration = Calibration(str(path))
    assert calibration.fits((64, 48))
    assert not calibration.fits((640, 480))
    info = calibration(frame(32, 24))
    assert (info.width, info.height) == (32, 24)
    assert not np.any(info.k)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read: No such file"),
        ("{", "is no YAML"),
        ("[1, 2]", "holds no calibration"),
        ("image_width: 64", "image_height is missing"),
        (FILE.replace("0, 0, 1]}\ndist", "0, 0]}\ndist"), "camera_matrix has 8 numbers, not 9"),
        (FILE.replace("60.5, 0, 31", "wide, 0, 31"), "could not convert string to float"),
    ],
)
def test_files_that_are_no_calibration(tmp_path: Path, text: str | None, says: str) -> None:
    path = tmp_path / "camera.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=says):
        Calibration(str(path))


def test_the_camera_node_publishes_it(
    light: Any, ros: Any, soon: Any, path: Path, tmp_path: Path
) -> None:
    from sensor_msgs.msg import CameraInfo

    from emopulse_ros.nodes import qualities
    from emopulse_ros.nodes.container import Container

    light.count = 10**9
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text(f"/**/camera_node: {{ros__parameters: {{camera_info_url: {path}}}}}\n")
    heard: list[Any] = []
    ros.process().node("listener").create_subscription(
        CameraInfo, "/emopulse/camera/camera_info", heard.append, qualities.images()
    )
    with Container(parameters_file=parameters):
        assert soon(lambda: len(heard) > 5)
    assert heard[-1].k[0] == 60.5
