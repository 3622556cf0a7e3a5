"""What a client of Foxglove's websocket gets is what was seen."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import cv2
import numpy as np
import pytest

from emopulse_ros.view import topics
from emopulse_ros.view.annotation import annotate
from emopulse_ros.view.health import Standing
from emopulse_ros.view.viewer import LIMIT, Viewer
from view.scenes import (
    LEVELS,
    MS,
    activation,
    client,
    decoder,
    event,
    frame,
    scene,
    step,
)

pytest.importorskip("foxglove", reason="foxglove-sdk is not installed")
pytest.importorskip("websockets", reason="websockets is not installed")


@pytest.fixture
def server() -> Iterator[Any]:
    from emopulse_ros.view.server import Server

    with Server(port=0) as made:
        yield made


@pytest.fixture
def viewer(server: Any) -> Iterator[Viewer]:
    with Viewer(server) as made:
        made.start(LEVELS, lambda: Standing(400, 3, 2, 1, "following a face"))
        yield made


def test_the_topics_are_told_with_their_schemas(server: Any) -> None:
    with client(server.port) as foxglove:
        told = {
            topic: (channel["encoding"], channel["schemaName"])
            for topic, channel in foxglove.topics.items()
        }
    assert told == {
        topics.IMAGE: ("protobuf", "foxglove.CompressedImage"),
        topics.ANNOTATIONS: ("protobuf", "foxglove.ImageAnnotations"),
        topics.ACTIVATION: ("json", "emopulse.AUActivation"),
        topics.EVENTS: ("protobuf", "foxglove.Log"),
        topics.HEALTH: ("json", "emopulse.Health"),
    }


def test_messages_have_the_fields_of_their_schemas(server: Any) -> None:
    from emopulse_ros.view.health import Pulse

    health = Pulse(0.0)(1.0, Standing(), [1.0], 0)
    for topic, fields in (
        (topics.ACTIVATION, topics.activation_fields(activation(1), 2.0)),
        (topics.HEALTH, topics.health_fields(health)),
    ):
        with client(server.port) as foxglove:
            schema = json.loads(foxglove.topics[topic]["schema"])
        assert list(schema["properties"]) == list(fields)


def test_a_picture_decodes_and_what_is_drawn_lies_in_it(
    server: Any, soon: Callable[..., bool]
) -> None:
    with client(server.port) as foxglove:
        foxglove.subscribe(topics.IMAGE, topics.ANNOTATIONS)
        assert soon(lambda: server.wants_pictures)
        time.sleep(0.1)
        shown = scene(120)
        server.picture(shown.frame, annotate(shown, LEVELS))
        came = {topic: (stamp, data) for topic, stamp, data in _first(foxglove.heard(10.0), 2)}
        read = {topic: decoder(foxglove.topics[topic])(data) for topic, (_, data) in came.items()}
    assert {stamp for stamp, _ in came.values()} == {shown.frame.stamp}
    image = read[topics.IMAGE]
    assert (image.format, image.frame_id) == ("jpeg", "camera_optical_frame")
    assert _ns(image.timestamp) == shown.frame.stamp
    picture = cv2.imdecode(np.frombuffer(image.data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (240, 320)
    assert np.abs(picture.astype(int) - 120).max() <= 2
    drawn = read[topics.ANNOTATIONS]
    assert _ns(drawn.timestamp) == shown.frame.stamp
    outline, arrows, heads = drawn.points
    assert (len(outline.points), len(arrows.points)) == (4, 2 * len(heads.points))
    assert len(heads.points) > 60
    for points in drawn.points:
        assert all(0 <= point.x < 320 and 0 <= point.y < 240 for point in points.points)
    assert [text.text for text in drawn.texts] == ["AU12 lip corner puller 0.90"]
    assert all(0 <= t.position.x < 320 and 0 <= t.position.y < 240 for t in drawn.texts)


def test_the_curves_are_the_activations(server: Any, viewer: Viewer, soon: Any) -> None:
    sent = [activation(sequence) for sequence in range(200)]
    with client(server.port) as foxglove:
        foxglove.subscribe(topics.ACTIVATION)
        assert soon(lambda: viewer._watched)
        for item in sent:
            viewer.activation(item, 2.0 + item.sequence / 1000)
        heard = _first(foxglove.heard(20.0), 200)
    for item, (topic, stamp, data) in zip(sent, heard, strict=True):
        fields = json.loads(data)
        assert (topic, stamp) == (topics.ACTIVATION, item.stamp)
        assert _of(fields["header"]["stamp"]) == item.stamp
        assert tuple(fields["codes"]) == item.codes
        for name in ("probability", "intensity"):
            assert np.array_equal(np.float32(fields[name]), getattr(item, name))
        assert (fields["sequence"], fields["attention"]) == (item.sequence, 1.25)
        assert fields["latency_ms"] == 2.0 + item.sequence / 1000
    assert viewer.not_shown == 0


def test_events_are_told_in_words(server: Any, viewer: Viewer, soon: Any) -> None:
    with client(server.port) as foxglove:
        foxglove.subscribe(topics.EVENTS)
        assert soon(server._events.has_sinks)
        viewer.event(event())
        stamp, data = foxglove.one(topics.EVENTS)
        told = decoder(foxglove.topics[topics.EVENTS])(data)
    assert stamp == event().stamp
    assert told.message == "AU06 cheek raiser + AU12 lip corner puller: 85 ms, confidence 0.91"
    assert _ns(told.timestamp) == event().onset


def test_health_is_told_every_second(server: Any, viewer: Viewer, soon: Any) -> None:
    with client(server.port) as foxglove:
        foxglove.subscribe(topics.HEALTH)
        assert soon(lambda: viewer._watched)
        for sequence, latency in enumerate((1.0, 2.0, 9.0)):
            viewer.activation(activation(sequence), latency)
        for _ in range(5):
            told = json.loads(foxglove.one(topics.HEALTH)[1])
            if told["latency_median_ms"] is not None:
                break
    assert told["latency_median_ms"] == 2.0
    assert told["latency_p99_ms"] == pytest.approx(8.86)
    assert (told["frames"], told["dropped"], told["late"], told["failed"]) == (400, 3, 2, 1)
    assert told["status"] == "following a face"


def test_a_stream_is_shown_at_most_thirty_times_a_second(
    server: Any, viewer: Viewer, soon: Any
) -> None:
    with client(server.port) as foxglove:
        foxglove.subscribe(topics.IMAGE)
        assert soon(lambda: viewer._pictured)
        _stream(viewer, 200)
        assert soon(lambda: viewer.pictures > 0)
        time.sleep(0.1)
        came = list(foxglove.heard(0.3))
    # All at once, so that most have given way; none is shown twice, and none goes uncounted.
    assert viewer.pictures + viewer.not_shown <= 31
    assert len({stamp for _, stamp, _ in came}) == len(came) == viewer.pictures
    assert viewer.pictures + viewer.not_shown + len(viewer._pairing._frames) >= 29


def test_nothing_is_made_for_a_topic_nobody_subscribes_to(
    server: Any, viewer: Viewer, soon: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(cv2, "imencode", refuse)
    monkeypatch.setattr("emopulse_ros.view.viewer.annotate", refuse)
    with client(server.port) as foxglove:
        _stream(viewer, 50)
        viewer.event(event())
        assert list(foxglove.heard(0.3)) == []
        assert viewer._pairing._frames == {}
        foxglove.subscribe(topics.ACTIVATION)
        assert soon(lambda: viewer._watched)
        _stream(viewer, 50)
        heard = _first(foxglove.heard(10.0), 50)
        assert {topic for topic, _, _ in heard} == {topics.ACTIVATION}
        assert viewer._pairing._frames == {}
    assert viewer.error is None
    assert viewer.pictures == viewer.not_shown == 0


def test_a_client_that_has_gone_costs_nothing_more(server: Any, viewer: Viewer, soon: Any) -> None:
    with client(server.port) as foxglove:
        foxglove.subscribe(topics.IMAGE, topics.ACTIVATION)
        assert soon(lambda: viewer._pictured)
    assert soon(lambda: not viewer._watched)
    _stream(viewer, 50)
    assert not viewer._answers
    assert viewer._pairing._frames == {}


def test_the_stream_never_waits_and_what_overflows_is_counted() -> None:
    class Stuck:
        wants_pictures = wants_curves = wants_health = is_watched = True

        def curves(self, *_: Any) -> None: ...

    viewer = Viewer(Stuck())  # type: ignore[arg-type]
    viewer._watched = True
    for sequence in range(LIMIT + 25):
        viewer.activation(activation(sequence), 1.0)
    assert viewer.not_shown == 25
    assert viewer._answers[0][0].sequence == 25


def test_a_screen_that_fails_ends_the_view_and_not_the_stream(soon: Any) -> None:
    class Broken:
        wants_pictures = wants_curves = wants_health = is_watched = True

        def curves(self, *_: Any) -> None:
            raise OSError("the cable was cut")

    with Viewer(Broken()) as viewer:  # type: ignore[arg-type]
        viewer.start(LEVELS, Standing)
        assert soon(lambda: viewer._watched)
        viewer.activation(activation(1), 1.0)
        assert soon(lambda: viewer.error is not None)
        assert str(viewer.error) == "the cable was cut"
        _stream(viewer, 5)
        assert len(viewer._answers) == 0


@pytest.mark.parametrize(
    ("host", "port", "reason"),
    [("127.0.0.1", None, "Address already in use"), ("host.invalid", 0, "host.invalid")],
)
def test_an_address_that_cannot_be_served_is_told(
    server: Any, host: str, port: int | None, reason: str
) -> None:
    from emopulse_ros.view.server import Server, ServerError

    with pytest.raises(ServerError, match=reason) as told:
        Server(host, server.port if port is None else port)
    assert "choose another with --port or --host" in str(told.value)
    assert "\n" not in str(told.value)


def _stream(viewer: Viewer, frames: int) -> None:
    for sequence in range(frames):
        viewer.frame(frame(sequence))
        viewer.step(step(sequence))
        viewer.activation(activation(sequence), 2.0)


def _first(heard: Iterator[tuple[str, int, bytes]], many: int) -> list[tuple[str, int, bytes]]:
    return list(islice(heard, many))


def _ns(timestamp: Any) -> int:
    return int(timestamp.seconds * 1000 * MS + timestamp.nanos)


def _of(stamp: dict[str, int]) -> int:
    return stamp["sec"] * 1000 * MS + stamp["nsec"]
