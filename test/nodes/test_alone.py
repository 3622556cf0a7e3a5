"""A node alone in its process: when that ends by itself, and with which status."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")

TOO_LONG_S = 30.0


@pytest.fixture
def interrupted() -> Iterator[threading.Event]:
    """Set where a process that should have ended had to be interrupted."""
    came = threading.Event()

    def interrupt() -> None:
        came.set()
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(TOO_LONG_S, interrupt)
    timer.start()
    yield came
    timer.cancel()


def test_a_camera_ends_with_its_last_picture(light: Any, interrupted: threading.Event) -> None:
    from emopulse_ros.nodes.alone import run_alone
    from emopulse_ros.nodes.camera_node import CameraNode

    light.count = 20
    handler = signal.getsignal(signal.SIGINT)
    assert run_alone(CameraNode, ["camera_node"]) == 0
    assert signal.getsignal(signal.SIGINT) is handler
    assert not interrupted.is_set()
    assert len(light.cameras[0].taken) == 20
    assert light.cameras[0].is_closed


def test_a_camera_that_fails_ends_and_says_why(
    light: Any, interrupted: threading.Event, capsys: pytest.CaptureFixture[str]
) -> None:
    from emopulse_ros.nodes.alone import run_alone
    from emopulse_ros.nodes.camera_node import CameraNode

    light.fails_at = 10
    assert run_alone(CameraNode, ["camera_node"]) == 2
    assert not interrupted.is_set()
    assert capsys.readouterr().err == "The cable was pulled out.\n"
    assert light.cameras[0].is_closed
