"""Transitions that fail: why is said, what was opened is freed, and the node can be tried again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from .test_lifecycle import ours, state

NAMES = ["CameraNode", "FlowNode", "AuNode"]


def broken() -> None:
    raise RuntimeError("it is jammed")


@pytest.fixture
def make(ros: Any, light: Any) -> Callable[[str], Any]:
    """Make a node that spins; ``node.to(transition)`` takes it through one."""
    from emopulse_ros.nodes import au_node, camera_node, flow_node, view_node

    light.count = 10**9
    process = ros.process()
    modules = {"CameraNode": camera_node, "FlowNode": flow_node, "AuNode": au_node}
    modules["ViewNode"] = view_node

    def one(name: str) -> Any:
        node = getattr(modules[name], name)(context=process.context)
        process.spinner.add(node)
        node.to = lambda transition: process.spinner.call(getattr(node, f"trigger_{transition}"))
        node.end = lambda: end(node)
        return node

    def end(node: Any) -> None:
        process.spinner.call(node.shut_down)
        process.spinner.remove(node)
        node.destroy_node()

    return one


def works(node: Any) -> None:
    """It goes through its whole life without a word."""
    for transition, expected in (
        ("configure", "inactive"),
        ("activate", "active"),
        ("deactivate", "inactive"),
        ("cleanup", "unconfigured"),
    ):
        node.to(transition)
        assert state(node) == expected
        assert node.error is None
    node.end()


def topics(node: Any) -> set[str]:
    """What it publishes, beside what every node does."""
    names = {publisher.topic_name for publisher in node.publishers}
    return {name for name in names if name.startswith("/emopulse/") and "transition" not in name}


@pytest.mark.parametrize("name", NAMES)
def test_what_fails_after_the_first_publisher_frees_it(
    make: Any, light: Any, soon: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    node = make(name)
    allocate = node.allocate

    def half() -> None:
        allocate()
        broken()

    monkeypatch.setattr(node, "allocate", half)
    node.to("configure")
    assert state(node) == "unconfigured"
    assert "it is jammed" in str(node.error)
    assert soon(lambda: topics(node) == set())
    assert all(camera.is_closed for camera in light.cameras)
    assert soon(lambda: ours() == set())
    monkeypatch.setattr(node, "allocate", allocate)
    works(node)


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_started_stays_inactive(
    make: Any, monkeypatch: pytest.MonkeyPatch, capfd: Any, name: str
) -> None:
    node = make(name)
    start = node.start
    node.to("configure")
    monkeypatch.setattr(node, "start", broken)
    node.to("activate")
    assert state(node) == "inactive"
    assert "it is jammed" in str(node.error)
    assert "it is jammed" in capfd.readouterr().err
    monkeypatch.setattr(node, "start", start)
    node.to("activate")
    assert state(node) == "active"
    assert node.error is None
    node.end()


def opened(node: Any) -> list[Any]:
    """What a node holds of ROS."""
    return [list(node.publishers), list(node.subscriptions), list(node.timers)]


@pytest.mark.parametrize("name", [*NAMES, "ViewNode"])
def test_what_fails_when_it_has_started_is_taken_back(
    make: Any, soon: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    node = make(name)
    start = node.start
    node.to("configure")
    before = opened(node)

    def half() -> None:
        start()
        broken()

    monkeypatch.setattr(node, "start", half)
    for _ in range(2):
        node.to("activate")
        assert state(node) == "inactive"
        assert "it is jammed" in str(node.error)
        assert soon(lambda: opened(node) == before)
        assert soon(lambda: "capture" not in ours())
    monkeypatch.setattr(node, "start", start)
    node.to("activate")
    assert node.error is None
    node.to("deactivate")
    assert soon(lambda: opened(node) == before)
    node.end()


def test_an_au_node_that_cannot_subscribe_keeps_nothing_of_rep_155(
    make: Any, soon: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("hri_msgs.msg", reason="hri_msgs is not installed")
    node = make("AuNode")
    node.to("configure")
    before = opened(node)
    with monkeypatch.context() as patch:
        patch.setattr(node, "settings", {**node.settings, "queue_depth": 0})
        node.to("activate")
    assert state(node) == "inactive"
    assert "depth" in str(node.error)
    assert soon(lambda: opened(node) == before)
    node.end()


@pytest.mark.parametrize("step", ["stop", "free"])
@pytest.mark.parametrize("name", NAMES)
def test_an_error_at_the_end_frees_everything(
    make: Any, light: Any, soon: Any, monkeypatch: pytest.MonkeyPatch, name: str, step: str
) -> None:
    node = make(name)
    whole = getattr(node, step)

    def fails() -> None:
        whole()
        broken()

    monkeypatch.setattr(node, step, fails)
    node.to("configure")
    node.to("activate")
    node.to("deactivate")
    if step == "free":
        assert state(node) == "inactive"
        node.to("cleanup")
    assert state(node) == "unconfigured"
    assert "it is jammed" in str(node.error)
    assert soon(lambda: topics(node) == set())
    assert all(camera.is_closed for camera in light.cameras)
    assert soon(lambda: ours() == set())
    monkeypatch.setattr(node, step, whole)
    works(node)


def that_failed(make: Any, light: Any, soon: Any) -> Any:
    """An active camera node whose camera fails after ten pictures, and has done so."""
    light.fails_at = 10
    node = make("CameraNode")
    node.to("configure")
    node.to("activate")
    assert soon(node.finished.is_set)
    return node


def test_a_camera_that_fails_is_active_until_somebody_takes_it_back(
    make: Any, light: Any, soon: Any
) -> None:
    node = that_failed(make, light, soon)
    assert state(node) == "active"
    assert "The cable was pulled out." in node.health().message
    light.fails_at = None
    node.to("deactivate")
    node.to("cleanup")
    works(node)
    assert not node.finished.is_set()


def test_a_camera_that_failed_and_is_activated_again_has_not_ended(
    make: Any, light: Any, soon: Any
) -> None:
    node = that_failed(make, light, soon)
    node.to("deactivate")
    node.to("activate")
    published = node.published
    assert soon(lambda: node.published > published + 10)
    assert not node.finished.is_set()
    assert node.health().message.endswith("frames a second")
    node.paced.status = "It is unplugged."
    assert node.health().message == "It is unplugged."
    node.end()


@pytest.fixture
def fails_at_once(light: Any, soon: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera whose first picture fails while its node is still being activated."""
    from emopulse_ros.nodes.camera_node import CameraNode

    light.fails_at = 0
    start = CameraNode.start

    def slowly(self: CameraNode) -> None:
        start(self)
        assert soon(self.finished.is_set)

    monkeypatch.setattr(CameraNode, "start", slowly)


@pytest.mark.usefixtures("fails_at_once")
def test_a_camera_that_fails_at_once_says_so(make: Any) -> None:
    node = make("CameraNode")
    node.to("configure")
    node.to("activate")
    assert state(node) == "active"
    assert str(node.error) == "The cable was pulled out."
    assert node.health().message == "The cable was pulled out."
    node.to("deactivate")
    assert node.error is None
    node.end()


@pytest.mark.usefixtures("fails_at_once")
def test_a_camera_that_fails_at_once_ends_its_stream_not_its_start() -> None:
    from emopulse_ros.camera import CameraError
    from emopulse_ros.nodes.container import Container

    with Container() as container, pytest.raises(CameraError, match="cable was pulled out"):
        container.spin(10.0)


def test_a_pause_in_a_recording_holds_no_transition_up(
    make: Any, light: Any, soon: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make("CameraNode")
    take = light.open_camera

    def pausing(*given: Any, **options: Any) -> Any:
        camera = take(*given, **options)
        camera.pauses_at = 5
        return camera

    monkeypatch.setattr("emopulse_ros.nodes.camera_node.open_camera", pausing)
    node.to("configure")
    node.to("activate")
    assert soon(lambda: node.published == 5)
    begun = time.monotonic()
    node.to("deactivate")
    assert time.monotonic() - begun < 30.0
    assert not node.finished.is_set()
    # The recording goes on from there, at its own pace.
    node.to("activate")
    assert soon(lambda: node.published > 10)
    node.end()


def test_whoever_asks_for_what_is_impossible_is_told_no(make: Any, ros: Any, change: Any) -> None:
    from lifecycle_msgs.msg import Transition

    node, outside = make("FlowNode"), ros.process().node("outside")
    name = "/emopulse/flow_node"
    assert not change(outside, name, Transition.TRANSITION_ACTIVATE)
    assert state(node) == "unconfigured"
    assert change(outside, name, Transition.TRANSITION_CONFIGURE)
    assert not change(outside, name, Transition.TRANSITION_CONFIGURE)
    assert state(node) == "inactive"
    node.end()


def test_a_wrong_parameter_is_mended_from_outside(ros: Any, ask: Any, change: Any) -> None:
    pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")
    from lifecycle_msgs.msg import Transition
    from rcl_interfaces.srv import SetParameters
    from rclpy.parameter import Parameter

    from emopulse_ros.nodes.au_node import AuNode

    process, outside = ros.process(), ros.process().node("outside")
    wrong = [Parameter("model", value="/nowhere.onnx")]
    node = AuNode(context=process.context, parameter_overrides=wrong)
    process.spinner.add(node)
    name = "/emopulse/au_node"
    assert not change(outside, name, Transition.TRANSITION_CONFIGURE)
    assert state(node) == "unconfigured"
    assert "there is no model at /nowhere.onnx" in str(node.error)
    setting = outside.create_client(SetParameters, f"{name}/set_parameters")
    better = SetParameters.Request(parameters=[Parameter("model", value="").to_parameter_msg()])
    assert ask(setting, better).results[0].successful
    assert change(outside, name, Transition.TRANSITION_CONFIGURE)
    assert state(node) == "inactive"
    process.spinner.call(node.shut_down)
    process.spinner.remove(node)
    node.destroy_node()
