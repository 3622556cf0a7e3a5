"""The three nodes in one process, with stages that cost nothing."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def listener(ros: Any) -> Any:
    """A node of what is another process to ROS."""
    return ros.process().node("listener")


def test_frames_and_flow_travel_by_reference(light: Any, unhurried: str) -> None:
    from emopulse_ros.nodes.container import Container

    seen: list[Any] = []
    with Container(
        parameters_file=unhurried, on_activation=lambda item, _: seen.append(item)
    ) as container:
        assert container.wait(30.0)
    assert [frame.sequence for frame in light.frames] == list(range(200))
    for taken, seen_by_flow in zip(light.cameras[0].taken, light.frames, strict=True):
        assert taken.image is seen_by_flow.image
        assert np.shares_memory(taken.image, seen_by_flow.image)
        assert not seen_by_flow.image.flags.writeable
    assert all(one is other for one, other in zip(light.steps_made, light.steps_read, strict=True))
    assert not light.steps_read[0].data.flags.writeable
    assert light.threads == {"executor"}
    assert [item.sequence for item in seen] == list(range(200))


def test_what_was_published_locally_is_the_same_with_an_outside_subscriber(
    light: Any, unhurried: str, listener: Any, soon: Any
) -> None:
    from sensor_msgs.msg import CameraInfo, Image

    from emopulse_msgs.msg import AUActivation, FlowField
    from emopulse_ros.nodes import qualities
    from emopulse_ros.nodes.container import Container

    light.count = 10**9
    heard: dict[str, list[Any]] = {name: [] for name in ("image", "info", "flow", "activation")}
    listen = listener.create_subscription
    listen(Image, "/emopulse/camera/image_raw", heard["image"].append, qualities.images())
    listen(CameraInfo, "/emopulse/camera/camera_info", heard["info"].append, qualities.images())
    listen(FlowField, "/emopulse/flow", heard["flow"].append, qualities.flow())
    listen(
        AUActivation, "/emopulse/au_activation", heard["activation"].append, qualities.activations()
    )
    with Container(parameters_file=unhurried):
        assert soon(lambda: all(len(messages) > 20 for messages in heard.values()))
    taken = {frame.sequence: frame for frame in light.cameras[0].taken}
    for frame in light.frames:
        assert frame.image is taken[frame.sequence].image
        assert np.shares_memory(frame.image, taken[frame.sequence].image)
        assert not frame.image.flags.writeable
    made = {step.sequence: step for step in light.steps_made}
    for step in light.steps_read:
        assert step is made[step.sequence]
        assert not step.data.flags.writeable
    assert len({frame.sequence for frame in light.frames}) == len(light.frames)
    image, info = heard["image"][0], heard["info"][0]
    sent = {frame.stamp: frame for frame in light.frames}
    frame = sent[image.header.stamp.sec * 10**9 + image.header.stamp.nanosec]
    assert bytes(image.data) == frame.image.tobytes()
    assert (info.width, info.height, info.header.frame_id) == (64, 48, "camera_optical_frame")
    field = heard["flow"][0]
    assert np.array_equal(field.data, np.full(9 * 8 * 8, field.sequence, np.float32))
    message = heard["activation"][0]
    assert (message.model, list(message.codes)[:3]) == ("light", [1, 2, 4])
    assert message.latency_ms > 0.0


@pytest.mark.usefixtures("light")
def test_without_a_listener_no_message_is_made(
    unhurried: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from emopulse_ros.nodes import au_node, camera_node, flow_node
    from emopulse_ros.nodes.calibration import Calibration
    from emopulse_ros.nodes.container import Container
    from emopulse_ros.nodes.images import image_adaptation
    from emopulse_ros.nodes.messages import activation_adaptation

    def refuse(*_: Any) -> Any:
        made.append(1)
        raise AssertionError

    made: list[int] = []
    for module, name in ((flow_node, "FLOW"), (au_node, "EVENTS")):
        monkeypatch.setattr(module, name, replace(getattr(module, name), to_message=refuse))
    images = replace(image_adaptation(), to_message=refuse)
    monkeypatch.setattr(camera_node, "image_adaptation", lambda: images)
    activations = replace(activation_adaptation(), to_message=refuse)
    monkeypatch.setattr(au_node, "activation_adaptation", lambda _: activations)
    monkeypatch.setattr(Calibration, "__call__", refuse)
    with Container(parameters_file=unhurried) as container:
        assert container.wait(30.0)
    assert container.counters.activations == 200
    assert made == []


def test_counters_add_up(light: Any, unhurried: str) -> None:
    from emopulse_ros.nodes.container import Container

    def fail(frame: Any) -> None:
        light.has_face = frame.sequence >= 20
        if frame.sequence in (50, 60):
            raise ValueError("this frame is broken")

    light.before_face = fail
    events: list[Any] = []
    with Container(parameters_file=unhurried, on_event=events.append) as container:
        assert container.wait(30.0)
    counters = container.counters
    assert counters.frames == 200
    assert counters.faceless == 20
    assert counters.failed == 2
    assert counters.activations == 178
    assert counters.dropped == 0
    # Four on the way, and one that the end of the stream made known.
    assert counters.events == len(events) == 5


def test_a_stage_that_is_too_slow_drops_the_oldest_and_says_so(light: Any, tmp_path: Any) -> None:
    from emopulse_ros.nodes.container import Container

    light.count = 100
    go_on = threading.Event()

    def hold_up(frame: Any) -> None:
        if frame.sequence == 0:
            go_on.wait(30.0)

    light.before_face = hold_up
    file = tmp_path / "parameters.yaml"
    file.write_text(
        "/**/camera_node: {ros__parameters: {patience: 1000000}}\n"
        "/**/flow_node: {ros__parameters: {queue_depth: 5}}\n"
    )
    with Container(parameters_file=file) as container:
        assert container.finished.wait(30.0)
        go_on.set()
    assert [frame.sequence for frame in light.frames] == [0, *range(95, 100)]
    assert container.counters.dropped == 94
    assert container.flow_node.gaps == 94


def test_a_camera_that_fails_ends_the_stream_with_its_sentence(light: Any, unhurried: str) -> None:
    from emopulse_ros.nodes.container import Container

    light.fails_at = 30
    with (
        pytest.raises(OSError, match=r"The cable was pulled out\."),
        Container(parameters_file=unhurried) as container,
    ):
        container.spin(30.0)
    assert container.counters.activations == 30


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"camera": "telescope"}, "There is no camera 'telescope'"),
        ({"camera": "video:/nowhere.mp4"}, "nowhere.mp4"),
        ({"model": "/nowhere.onnx"}, "there is no model at /nowhere.onnx"),
        ({"parameters_file": "/nowhere.yaml"}, "there is no parameter file at /nowhere.yaml"),
        ({"arguments": ["--ros-args", "-p", "broken"]}, "ROS cannot work with its arguments"),
        ({"rate": -1.0}, "parameter rate of camera_node must be of type double from 0 to 10000"),
        ({"rate": 0.5}, "0.5 frames per second"),
    ],
)
def test_what_cannot_be_worked_with_is_told_in_a_sentence(
    options: dict[str, Any], sentence: str
) -> None:
    pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")
    from emopulse_ros.nodes.container import Container

    with pytest.raises((ValueError, OSError), match=sentence):
        Container(**options).start()
    assert "executor" not in [thread.name for thread in threading.enumerate()]


def test_a_parameter_file_that_is_none_is_told(tmp_path: Any) -> None:
    pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")
    from emopulse_ros.nodes.container import Container

    file = tmp_path / "parameters.yaml"
    file.write_text("]")
    with pytest.raises(ValueError, match="ROS cannot work with its arguments"):
        Container(parameters_file=file)


def test_images_of_another_driver_are_read_and_numbered(
    light: Any, unhurried: str, listener: Any, soon: Any
) -> None:
    from sensor_msgs.msg import Image

    from emopulse_ros.nodes import qualities
    from emopulse_ros.nodes.container import Container

    publisher = listener.create_publisher(Image, "/their/image", qualities.images(100))
    with Container("ros:/their/image", parameters_file=unhurried) as container:
        assert container.camera_node is None
        assert soon(lambda: publisher.get_subscription_count() == 1)
        assert soon(lambda: container.flow_node.subscription.get_publisher_count() == 1)
        for index in range(40):
            if index == 30:
                continue
            message = Image(height=2, width=2, encoding="bgr8", step=6)
            message.data.frombytes(bytes([index] * 12))
            message.header.stamp.nanosec = index * 5_000_000
            message.header.frame_id = "theirs"
            publisher.publish(message)
        assert soon(lambda: container.counters.activations == 39)
    assert [frame.image[0, 0] for frame in light.frames] == [i for i in range(40) if i != 30]
    assert light.frames[-1].sequence == 39
    assert light.frames[0].frame_id == "theirs"
    assert container.counters.dropped == 1


@pytest.mark.usefixtures("light")
def test_stamps_ride_unchanged_from_capture(unhurried: str) -> None:
    from emopulse_ros.nodes.container import Container

    seen: list[Any] = []
    with Container(
        parameters_file=unhurried,
        on_activation=lambda item, latency: seen.append((item.stamp, latency)),
    ) as container:
        assert container.wait(30.0)
    stamps = [stamp for stamp, _ in seen]
    assert container.origin == stamps[0]
    assert np.unique(np.diff(stamps)).tolist() == [5_000_000]
    assert all(latency > 0.0 for _, latency in seen)
    kept = container.au_node.latency.since(0)
    assert np.allclose(kept, [latency for _, latency in seen])


@pytest.mark.parametrize("simulated", [True, False])
def test_a_bag_that_is_played_is_timed_by_its_own_clock(
    light: Any, unhurried: str, listener: Any, soon: Any, simulated: bool
) -> None:
    """As by ``ros2 bag play --clock``: images of years ago, and a clock to go with them."""
    from rosgraph_msgs.msg import Clock
    from sensor_msgs.msg import Image

    from emopulse_ros.nodes import qualities
    from emopulse_ros.nodes.container import Container

    years_ago, late = 1_500_000_000, 3_000_000
    publisher = listener.create_publisher(Image, "/their/image", qualities.images(100))
    clock = listener.create_publisher(Clock, "/clock", 10)
    seen: list[float] = []
    with Container(
        "ros:/their/image",
        parameters_file=unhurried,
        arguments=["--ros-args", "-p", f"use_sim_time:={str(simulated).lower()}"],
        on_activation=lambda _, latency: seen.append(latency),
    ) as container:
        assert soon(lambda: container.flow_node.subscription.get_publisher_count() == 1)
        assert soon(lambda: clock.get_subscription_count() == (2 if simulated else 0))
        for index in range(20):
            nanosec = index * 5_000_000
            told = Clock()
            told.clock.sec, told.clock.nanosec = years_ago, nanosec + late
            clock.publish(told)
            here = container.au_node.get_clock()
            if simulated:
                assert soon(lambda: here.now().nanoseconds % 10**9 == nanosec + late)  # noqa: B023
            message = Image(height=2, width=2, encoding="mono8", step=2)
            message.data.frombytes(bytes([index] * 4))
            message.header.stamp.sec, message.header.stamp.nanosec = years_ago, nanosec
            publisher.publish(message)
            assert soon(lambda: len(seen) == index + 1)  # noqa: B023
    years_ms = (time.time_ns() - years_ago * 10**9) / 1e6
    assert seen == pytest.approx([late / 1e6 if simulated else years_ms] * 20, rel=1e-3)
    assert [frame.stamp // 10**9 for frame in light.frames] == [years_ago] * 20


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize("managed", [True, False])
def test_a_node_that_does_not_start_itself_is_left_to_its_manager(
    tmp_path: Any, managed: bool
) -> None:
    from emopulse_ros.nodes.container import Container

    from .test_lifecycle import state

    file = tmp_path / "parameters.yaml"
    file.write_text("/**/flow_node: {ros__parameters: {autostart: false}}")
    container = Container(parameters_file=file)
    try:
        container.start(managed=managed)
        assert state(container.au_node) == "active"
        assert state(container.flow_node) == ("unconfigured" if managed else "active")
        assert container.camera_node is not None
        assert state(container.camera_node) == "active"
    finally:
        container.stop()


@pytest.mark.parametrize("autostart", [True, False])
def test_a_stream_that_its_manager_began_does_not_end_the_process(
    light: Any, soon: Any, tmp_path: Any, autostart: bool
) -> None:
    from emopulse_ros.nodes.container import Container

    light.count = 20
    file = tmp_path / "parameters.yaml"
    file.write_text(f"/**: {{ros__parameters: {{autostart: {str(autostart).lower()}}}}}")
    container = Container(parameters_file=file)
    try:
        serving = threading.Thread(target=container.serve)
        serving.start()
        camera = container.camera_node
        assert camera is not None
        if not autostart:
            for transition in ("configure", "activate"):
                container._process._change(camera, transition)
        assert soon(camera.finished.is_set)
        serving.join(1.0)
        assert serving.is_alive() is not autostart
        container._process.over.set()
        serving.join(10.0)
        assert not serving.is_alive()
    finally:
        container.stop()
