from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from emopulse_ros.stream import Activation, FlowStep, MicroExpression, read_only

pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")

STAMP = 1_700_000_000_123_456_789


def floats(*shape: int) -> Any:
    return read_only(np.random.default_rng(5).random(shape, np.float32))


STEP = FlowStep(
    STAMP,
    2**40,
    7,
    floats(3, 4, 5),
    ("u_160", "v_160", "strain_160"),
    read_only(np.arange(6.0).reshape(2, 3)),
    True,
    "eye",
)
ACTIVATION = Activation(
    STAMP, 5, 7, (1, 12, 45), floats(3), floats(3), 1.25, "tiny", "ab" * 32, "eye"
)
EVENT = MicroExpression(
    STAMP, 9, 7, STAMP - 200, STAMP - 100, STAMP - 50, (1, 2), floats(2), 0.5, "eye"
)


@pytest.mark.parametrize("item", [STEP, ACTIVATION, EVENT], ids=lambda item: type(item).__name__)
def test_an_item_survives_the_way_there_and_back(item: Any) -> None:
    from emopulse_ros.nodes import messages

    adaptations = messages.FLOW, messages.activation_adaptation(), messages.EVENTS
    adaptation = next(one for one in adaptations if one.item is type(item))
    there = adaptation.to_message(item)
    assert there.header.stamp.sec == 1_700_000_000
    back = adaptation.from_message(there)
    for field in type(item).__slots__:
        before, after = getattr(item, field), getattr(back, field)
        if isinstance(before, np.ndarray):
            assert before.dtype == after.dtype
            assert not after.flags.writeable
            assert np.array_equal(before, after)
        else:
            assert before == after
    assert adaptation.identity(there) == adaptation.identity(adaptation.to_message(back))


def test_a_field_that_does_not_fit_its_size_is_refused() -> None:
    from emopulse_ros.nodes.messages import flow_from_message, flow_to_message

    message = flow_to_message(STEP)
    message.height = 5
    with pytest.raises(ValueError, match="its 60 values do not fill 3 channels of 5x5"):
        flow_from_message(message)


def test_latency_is_counted_from_capture_and_never_negative() -> None:
    to_message = activation_message()
    now = time.time_ns()
    old = to_message(replace(ACTIVATION, stamp=now - 10**9)).latency_ms
    assert 1000.0 <= old < 1000.0 + (time.time_ns() - now) / 1e6 + 1.0
    assert to_message(replace(ACTIVATION, stamp=now + 10**12)).latency_ms == 0.0


def test_the_message_that_is_used_again_tells_the_present_activation_only() -> None:
    to_message = activation_message()
    to_message(ACTIVATION)
    fewer = replace(ACTIVATION, codes=(4,), probability=floats(1), intensity=floats(1))
    unknown = replace(fewer, intensity=floats(0), model="m" * 99, face_id=8)
    for activation in (fewer, unknown, ACTIVATION):
        message = to_message(activation)
        assert tuple(message.codes) == activation.codes
        assert np.array_equal(message.probability, activation.probability)
        assert np.array_equal(message.intensity, activation.intensity)
        assert message.model == activation.model[:64]
        assert message.face_id == activation.face_id


def activation_message() -> Any:
    from emopulse_ros.nodes.messages import ActivationMessage

    return ActivationMessage()
