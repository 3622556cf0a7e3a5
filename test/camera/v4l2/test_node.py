"""The camera node over a camera that is plugged in, out, and in again."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

from emopulse_ros.camera import DEVICES
from emopulse_ros.camera import live as live_module
from emopulse_ros.camera.v4l2 import Opener
from emopulse_ros.camera.v4l2.calls import EXPOSURE_ABSOLUTE, EXPOSURE_AUTO

from .fake import FakeCamera, FakeKernel, Knob

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")


def test_the_node_publishes_a_camera_while_it_is_active(
    ros: Any,
    soon: Callable[..., bool],
    kernel: FakeKernel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from rclpy.parameter import Parameter
    from sensor_msgs.msg import Image

    from emopulse_ros.nodes import qualities
    from emopulse_ros.nodes.camera_node import CameraNode
    from emopulse_ros.nodes.diagnostics import ERROR

    monkeypatch.setattr(live_module, "RETRY_S", 0.01)
    monkeypatch.setitem(DEVICES, "v4l2", Opener(kernel))
    camera = FakeCamera([("YUYV", (64, 48), (100.0,))])
    path = kernel.plug(camera, 0, by_id="usb-Fake_camera-video-index0")

    images: list[Any] = []
    listener = ros.process().node("listener")
    listener.create_subscription(
        Image, "/emopulse/camera/image_raw", images.append, qualities.images()
    )
    process = ros.process()
    values = {"camera": f"v4l2:{path}", "rate": 100.0, "width": 64, "height": 48}
    node = CameraNode(
        context=process.context,
        parameter_overrides=[Parameter(name, value=value) for name, value in values.items()],
    )
    process.spinner.add(node)

    def change(transition: str) -> None:
        process.spinner.call(getattr(node, f"trigger_{transition}"))
        assert node.error is None

    change("configure")
    assert not kernel.streams
    change("activate")
    assert soon(lambda: len(images) > 5)
    assert (images[-1].width, images[-1].height, images[-1].encoding) == (64, 48, "mono8")
    pictures = [camera.picture(number).tobytes() for number in range(6)]
    assert all(image.data.tobytes() in pictures for image in images)

    kernel.unplug(camera)
    assert soon(lambda: "is looked for again" in node.health().message)
    kernel.plug(camera, 3, by_id="usb-Fake_camera-video-index0")
    seen = node.published
    assert soon(lambda: node.published > seen + 5)
    assert node.health().message.endswith("frames a second")

    # One that is there and takes no pictures is as good as unplugged.
    camera.silent = True
    assert soon(lambda: "sends no pictures any more" in node.health().message)
    assert node.health().level == ERROR
    camera.silent = False
    seen = node.published
    assert soon(lambda: node.published > seen + 5)
    assert node.health().message.endswith("frames a second")
    stamps = [(image.header.stamp.sec, image.header.stamp.nanosec) for image in images]
    assert stamps == sorted(set(stamps))

    change("deactivate")
    gc.collect()
    assert kernel.is_clean()
    change("activate")
    assert camera.streaming
    change("deactivate")
    change("cleanup")
    assert not kernel.streams
    process.spinner.remove(node)
    node.destroy_node()


def test_a_node_without_its_camera_says_so_and_can_be_tried_again(
    ros: Any, kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rclpy.parameter import Parameter

    from emopulse_ros.nodes.camera_node import CameraNode

    monkeypatch.setitem(DEVICES, "v4l2", Opener(kernel))
    process = ros.process()
    node = CameraNode(
        context=process.context, parameter_overrides=[Parameter("camera", value="v4l2:")]
    )
    process.spinner.add(node)
    process.spinner.call(node.trigger_configure)
    process.spinner.call(node.trigger_activate)
    assert "No camera is plugged in" in str(node.error)
    camera = FakeCamera([("GREY", (64, 48), (200.0,))])
    kernel.plug(camera, 0)
    process.spinner.call(node.trigger_activate)
    assert node.error is None
    assert camera.streaming
    process.spinner.call(node.trigger_shutdown)
    assert not kernel.streams
    process.spinner.remove(node)
    node.destroy_node()


def test_the_exposure_is_live(
    ros: Any, soon: Callable[..., bool], kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rclpy.parameter import Parameter

    from emopulse_ros.nodes.camera_node import CameraNode

    monkeypatch.setattr(live_module, "RETRY_S", 0.01)
    monkeypatch.setitem(DEVICES, "v4l2", Opener(kernel))
    knobs = {EXPOSURE_AUTO: Knob(3), EXPOSURE_ABSOLUTE: Knob(156, 1, 5000)}
    camera = FakeCamera([("GREY", (64, 48), (100.0,))], knobs)
    path = kernel.plug(camera, 0)
    values = {"camera": f"v4l2:{path}", "rate": 100.0, "exposure": 2000.0}
    process = ros.process()
    node = CameraNode(
        context=process.context,
        parameter_overrides=[Parameter(name, value=value) for name, value in values.items()],
    )
    process.spinner.add(node)

    def expose(time: float) -> None:
        (answer,) = node.set_parameters([Parameter("exposure", value=time)])
        assert answer.successful, answer.reason

    process.spinner.call(node.trigger_configure)
    expose(2500.0)
    process.spinner.call(node.trigger_activate)
    assert knobs[EXPOSURE_ABSOLUTE].value == 25
    expose(1000.0)
    assert soon(lambda: knobs[EXPOSURE_ABSOLUTE].value == 10)
    kernel.unplug(camera)
    assert soon(lambda: "is looked for again" in node.health().message)
    knobs[EXPOSURE_ABSOLUTE].value = 156
    kernel.plug(camera, 0)
    assert soon(lambda: knobs[EXPOSURE_ABSOLUTE].value == 10)
    process.spinner.call(node.shut_down)
    process.spinner.remove(node)
    node.destroy_node()


@pytest.mark.parametrize("side", ["width", "height"])
def test_one_side_of_a_picture_alone_is_refused(ros: Any, side: str) -> None:
    from rclpy.parameter import Parameter

    from emopulse_ros.nodes.camera_node import CameraNode

    process = ros.process()
    values = {"camera": "v4l2:", side: 640}
    node = CameraNode(
        context=process.context,
        parameter_overrides=[Parameter(name, value=value) for name, value in values.items()],
    )
    process.spinner.add(node)
    process.spinner.call(node.trigger_configure)
    assert "give both, or neither for the camera's own choice" in str(node.error)
    process.spinner.remove(node)
    node.destroy_node()
