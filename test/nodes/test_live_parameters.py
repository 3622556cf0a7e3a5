"""What can be set while a node runs, and what is refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def camera(ros: Any, light: Any, ask: Any) -> Any:
    """A camera node that spins, and a client's way to set its parameters: over ROS's service."""
    from rcl_interfaces.srv import SetParameters, SetParametersAtomically
    from rclpy.parameter import Parameter

    from emopulse_ros.nodes.camera_node import CameraNode

    light.count = 10**9
    process, outside = ros.process(), ros.process().node("outside")
    node = CameraNode(context=process.context)
    process.spinner.add(node)
    node.to = lambda transition: process.spinner.call(getattr(node, f"trigger_{transition}"))

    def send(kind: Any, service: str, values: dict[str, Any]) -> Any:
        client = outside.create_client(kind, f"/emopulse/camera_node/{service}")
        given = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
        return ask(client, kind.Request(parameters=given))

    node.set = lambda **values: send(SetParameters, "set_parameters", values).results[0]
    node.set_together = lambda **values: (
        send(SetParametersAtomically, "set_parameters_atomically", values).result
    )
    yield node
    process.spinner.call(node.shut_down)
    process.spinner.remove(node)
    node.destroy_node()


def test_what_is_live_is_gone_by_at_once(camera: Any, light: Any, ros: Any, soon: Any) -> None:
    from sensor_msgs.msg import CameraInfo

    from emopulse_ros.nodes import qualities

    heard: list[Any] = []
    listener = ros.process().node("listener")
    listener.create_subscription(
        CameraInfo, "/emopulse/camera/camera_info", heard.append, qualities.images()
    )
    camera.to("configure")
    assert camera.set(patience=20).successful
    camera.to("activate")
    assert camera.paced.patience == 20
    assert soon(lambda: heard and heard[-1].header.frame_id == "camera_optical_frame")
    assert camera.set(frame_id="head_camera").successful
    assert soon(lambda: heard[-1].header.frame_id == "head_camera")
    assert camera.set(patience=30).successful
    assert camera.paced.patience == 30
    assert len(light.cameras) == 1


@pytest.mark.parametrize("state", ["inactive", "active"])
def test_what_is_read_when_configured_is_refused_until_then(
    camera: Any, light: Any, state: str
) -> None:
    assert camera.set(camera="synthetic:3").successful
    camera.to("configure")
    if state == "active":
        camera.to("activate")
    answer = camera.set(camera="synthetic:4")
    assert not answer.successful
    assert answer.reason == (
        "camera is read when the node is configured: deactivate it and clean it up first"
    )
    assert camera.get_parameter("camera").value == "synthetic:3"
    if state == "active":
        camera.to("deactivate")
    camera.to("cleanup")
    assert camera.set(camera="synthetic:4").successful
    camera.to("configure")
    assert camera.settings["camera"] == "synthetic:4"
    assert len(light.cameras) == 2


def test_the_clock_does_not_change_under_a_configured_node(camera: Any) -> None:
    camera.to("configure")
    answer = camera.set(use_sim_time=True)
    assert answer.reason == (
        "use_sim_time is read when the node is configured: deactivate it and clean it up first"
    )
    assert camera.get_clock().now().nanoseconds > 0
    camera.to("cleanup")
    assert camera.set(use_sim_time=True).successful
    assert camera.get_clock().ros_time_is_active


def test_one_refused_among_several_changes_none(camera: Any) -> None:
    camera.to("configure")
    answer = camera.set_together(patience=20, rate=100.0, width=640)
    assert answer.reason.startswith("rate, width are read when the node is configured")
    assert camera.settings["patience"] == 10
    assert camera.get_parameter("patience").value == 10
    assert camera.set_together(patience=20, frame_id="head").successful
    assert (camera.settings["patience"], camera.settings["frame_id"]) == (20, "head")


@pytest.mark.parametrize(("value", "reason"), [(-1, "out of range"), ("many", "type"), (None, "")])
def test_a_value_that_cannot_be_is_not_gone_by(camera: Any, value: Any, reason: str) -> None:
    camera.to("configure")
    camera.to("activate")
    answer = camera.set(patience=value)
    assert not answer.successful
    assert reason in answer.reason.lower()
    assert camera.paced.patience == 10
    assert camera.settings["patience"] == 10


def test_the_tables_say_what_is_live() -> None:
    pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    from emopulse_ros.nodes.parameters import Parameter, as_markdown, as_yaml, refusal

    table = (Parameter("gain", 1, "how much", live=True), Parameter("name", "x", "its name"))
    assert "how much (live)" in as_markdown(table)
    assert "# how much, live" in as_yaml({"node": table})
    assert refusal(table, ["gain"]) is None
    assert refusal(table, ["gain", "name"]).startswith("name is read")
    assert refusal(table, ["start_type_description_service"]) is None
