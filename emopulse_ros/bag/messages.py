"""What travels down the stream, out of messages, whoever has deserialised them: ROS or rosbags."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.stream import Activation, MicroExpression, read_only

SECOND = 1_000_000_000

ACTIVATION = "emopulse_msgs/msg/AUActivation"
EVENT = "emopulse_msgs/msg/MicroExpression"
LABEL = "emopulse_msgs/msg/TruthLabel"
IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"


def from_time(time: Any) -> int:
    """``builtin_interfaces/Time`` in ns."""
    stamp: int = time.sec * SECOND + time.nanosec
    return stamp


def activation_from_message(message: Any) -> Activation:
    """An ``AUActivation`` as activation."""
    return Activation(
        stamp=from_time(message.header.stamp),
        sequence=message.sequence,
        face_id=message.face_id,
        codes=tuple(bytes(message.codes)),
        probability=floats(message.probability),
        intensity=floats(message.intensity),
        attention=message.attention,
        model=message.model,
        model_hash=message.model_hash,
        frame_id=message.header.frame_id,
    )


def event_from_message(message: Any) -> MicroExpression:
    """A message as micro-expression."""
    return MicroExpression(
        stamp=from_time(message.header.stamp),
        sequence=message.sequence,
        face_id=message.face_id,
        onset=from_time(message.onset),
        apex=from_time(message.apex),
        offset=from_time(message.offset),
        aus=tuple(bytes(message.aus)),
        peak_probability=floats(message.peak_probability),
        confidence=message.confidence,
        frame_id=message.header.frame_id,
    )


def floats(values: Any) -> NDArray[np.float32]:
    """A field of a message, ``(N,) float32``, read-only and not copied."""
    return read_only(np.frombuffer(values, np.float32))
