"""The interface package: one field for each of the stream's, bounded, and told with its unit."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from emopulse_ros.stream import Activation, FlowStep, MicroExpression

FOLDER = Path(__file__).parent.parent / "emopulse_msgs" / "msg"
FIELD = re.compile(r"^(?P<type>[\w/]+(?:<=\d+)?(?:\[[^]]*\])?)\s+(?P<name>[a-z]\w*)", re.MULTILINE)

PAIRS = {
    # What the message has beyond the stream's type, and the other way round `header` for
    # `stamp` and `frame_id`.
    "AUActivation": (Activation, {"latency_ms"}),
    "MicroExpression": (MicroExpression, {"duration_ms"}),
    "FlowField": (FlowStep, {"height", "width"}),
}


def fields(name: str) -> dict[str, str]:
    """Name and type of each field of a message, as its file declares them."""
    text = (FOLDER / f"{name}.msg").read_text()
    return {match["name"]: match["type"] for match in FIELD.finditer(text)}


def message(name: str) -> Any:
    """A new message of that type."""
    pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
    return getattr(pytest.importorskip("emopulse_msgs.msg"), name)()


@pytest.mark.parametrize("name", PAIRS)
def test_a_message_has_the_fields_of_the_type_it_carries(name: str) -> None:
    kind, more = PAIRS[name]
    travelling = {field.name for field in dataclasses.fields(kind)} - {"stamp", "frame_id"}
    assert fields(name).keys() == travelling | {"header"} | more


@pytest.mark.parametrize("name", PAIRS)
def test_every_field_says_what_it_is(name: str) -> None:
    for line in (FOLDER / f"{name}.msg").read_text().splitlines():
        if FIELD.match(line):
            assert len(line.partition("#")[2].split()) >= 3, line


@pytest.mark.parametrize("name", PAIRS)
def test_everything_is_bounded_but_the_planes(name: str) -> None:
    open_ended = [
        field
        for field, kind in fields(name).items()
        if kind.endswith("[]") or (kind.startswith("string") and "<=" not in kind)
    ]
    assert open_ended == (["data"] if name == "FlowField" else [])


def test_the_units_are_bounded_by_the_facs_codes_there_are() -> None:
    for name in ("AUActivation", "MicroExpression"):
        bounds = {kind for kind in fields(name).values() if "[" in kind}
        assert bounds == {"uint8[<=99]", "float32[<=99]"}


@pytest.mark.parametrize("name", PAIRS)
def test_the_built_message_is_the_one_in_the_source(name: str) -> None:
    assert message(name).get_fields_and_field_types().keys() == fields(name).keys()


def test_an_activation_survives_the_wire() -> None:
    sent = message("AUActivation")
    sent.header.stamp.sec, sent.header.stamp.nanosec = 1_700_000_000, 5_000_000
    sent.header.frame_id = "camera_optical_frame"
    sent.sequence, sent.face_id = 2**40, 7
    sent.codes, sent.probability, sent.intensity = [1, 45], [0.25, 1.0], [0.0, 0.5]
    sent.attention, sent.latency_ms = 1.5, 2.25
    sent.model, sent.model_hash = "tiny_i3d", "0f" * 32
    assert over_the_wire(sent) == sent


def test_a_flow_field_keeps_its_planes() -> None:
    import numpy as np

    sent = message("FlowField")
    planes = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    sent.channels, sent.height, sent.width = ["u_160", "v_160"], 3, 4
    sent.data.frombytes(planes.tobytes())
    sent.to_image = [2.0, 0.0, 10.0, 0.0, 2.0, 20.0]
    sent.restarted = True
    got = over_the_wire(sent)
    assert np.array_equal(np.reshape(got.data, (len(got.channels), got.height, got.width)), planes)
    assert list(got.to_image) == [2.0, 0.0, 10.0, 0.0, 2.0, 20.0]
    assert got.restarted


def test_more_units_than_there_are_do_not_travel() -> None:
    sent = message("AUActivation")
    sent.codes = [1] * 100
    with pytest.raises(RuntimeError, match="Failed to serialize"):
        over_the_wire(sent)


def over_the_wire(sent: Any) -> Any:
    """What a subscriber gets of a message."""
    from rclpy.serialization import deserialize_message, serialize_message

    return deserialize_message(serialize_message(sent), type(sent))
