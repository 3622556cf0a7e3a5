"""The annotated picture: drawn while somebody looks, of things that belong together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

TOPIC = "/emopulse/camera/annotated"


def test_who_subscribes_gets_pictures_with_what_was_seen_in_them(
    light: Any, unhurried: str, ros: Any, soon: Any
) -> None:
    from sensor_msgs.msg import Image

    from emopulse_ros.nodes import qualities
    from emopulse_ros.nodes.container import Container

    light.count = 10**9
    node = ros.process().node("listener")
    heard: list[Any] = []
    node.create_subscription(Image, TOPIC, heard.append, qualities.looked_at())
    with Container(parameters_file=unhurried, annotated=True) as container:
        assert soon(lambda: len(heard) >= 10)
        origin = container.camera_node.paced.origin
    stamps = [message.header.stamp for message in heard]
    numbers = [(s.sec * 10**9 + s.nanosec - origin) // 5_000_000 for s in stamps]
    assert numbers == sorted(set(numbers))
    # Thirty a second at most, on average.
    assert numbers[-1] - numbers[0] >= (len(numbers) - 2) * 200 / 30
    for number, message in zip(numbers, heard, strict=True):
        assert (message.encoding, message.width, message.height) == ("bgr8", 64, 48)
        assert message.header.frame_id == "camera_optical_frame"
        picture = np.frombuffer(message.data, np.uint8).reshape(48, message.step // 3, 3)
        # Nothing is drawn in the right half: there it is the camera's picture of that stamp.
        assert (picture[:, 32:] == number % 256).all()
        assert (picture[:, :14] != number % 256).any()


def test_while_nobody_looks_it_listens_to_nothing(
    light: Any, unhurried: str, ros: Any, soon: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sensor_msgs.msg import Image

    from emopulse_ros.nodes.view_node import ViewNode

    made: list[ViewNode] = []
    begin = ViewNode.__init__

    def remember(self: ViewNode, **options: Any) -> None:
        begin(self, **options)
        made.append(self)

    monkeypatch.setattr(ViewNode, "__init__", remember)
    from emopulse_ros.nodes.container import Container

    light.count = 10**9
    node = ros.process().node("listener")
    heard: list[Any] = []
    with Container(parameters_file=unhurried, annotated=True):
        (viewing,) = made
        assert soon(lambda: len(light.steps_read) > 100)
        assert (viewing.published, viewing._pictured) == (0, ())
        assert viewing.health().message == "nobody looks"
        listener = node.create_subscription(Image, TOPIC, heard.append, 5)
        assert soon(lambda: len(heard) >= 3)
        assert viewing.health().message.endswith("pictures a second")
        node.destroy_subscription(listener)
        assert soon(lambda: not viewing._pictured)
        drawn = viewing.published
        read = len(light.steps_read)
        assert soon(lambda: len(light.steps_read) > read + 50)
        assert viewing.published == drawn
        assert viewing.errors == 0


def test_without_a_face_the_bare_picture_is_shown(
    light: Any, unhurried: str, ros: Any, soon: Any
) -> None:
    from sensor_msgs.msg import Image

    from emopulse_ros.nodes.container import Container

    light.count, light.has_face = 10**9, False
    node = ros.process().node("listener")
    heard: list[Any] = []
    node.create_subscription(Image, TOPIC, heard.append, 5)
    with Container(parameters_file=unhurried, annotated=True):
        assert soon(lambda: len(heard) >= 3)
    for message in heard:
        assert len(set(bytes(message.data))) == 1


@pytest.mark.usefixtures("light")
def test_alone_it_sees_the_pictures_of_other_processes(ros: Any, soon: Any) -> None:
    from sensor_msgs.msg import Image

    from emopulse_ros.nodes import qualities
    from emopulse_ros.nodes.view_node import ViewNode

    process, outside = ros.process(), ros.process().node("outside")
    viewing = ViewNode(context=process.context)
    process.spinner.add(viewing)
    # What rclpy keeps lists of is not ours to keep lists of.
    for kept in (viewing.publishers, viewing.subscriptions, viewing.timers):
        assert isinstance(kept, Iterator)
    known = {publisher.topic_name for publisher in viewing.publishers}
    assert "/parameter_events" in known
    for transition in (viewing.trigger_configure, viewing.trigger_activate):
        process.spinner.call(transition)
    heard: list[Any] = []
    outside.create_subscription(Image, TOPIC, heard.append, 5)
    camera = outside.create_publisher(Image, "/emopulse/camera/image_raw", qualities.images())
    numbers = iter(range(1, 10**6))

    def take() -> bool:
        message = Image(width=4, height=3, encoding="mono8", step=4, data=bytes(12))
        stamp, number = message.header.stamp, next(numbers)
        stamp.sec, stamp.nanosec = number // 200, number % 200 * 5_000_000
        camera.publish(message)
        return len(heard) >= 2

    assert soon(take)
    assert viewing.errors == 0
    process.spinner.call(viewing.shut_down)
    assert {publisher.topic_name for publisher in viewing.publishers} >= known
    process.spinner.remove(viewing)
    viewing.destroy_node()
