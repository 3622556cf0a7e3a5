"""What travels down the stream, as the messages of ``emopulse_msgs``, and back."""

from __future__ import annotations

import time
from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopulse_msgs.msg import AUActivation, FlowField
from emopulse_msgs.msg import MicroExpression as MicroExpressionMessage
from emopulse_ros.bag.messages import (
    SECOND,
    activation_from_message,
    event_from_message,
    floats,
    from_time,
)
from emopulse_ros.nodes.stamps import Clock, header_of, to_header, to_time
from emopulse_ros.stream import Activation, FlowStep, MicroExpression, read_only
from emopulse_ros.transport import Adaptation


def since(stamp: int, clock: Clock = time.time_ns) -> float:
    """Milliseconds from a capture stamp to now; 0 if it lies in the future (another clock)."""
    return max(0.0, (clock() - stamp) / 1e6)


def flow_to_message(step: FlowStep) -> Any:
    """A flow step as ``FlowField``; the field is copied once."""
    _, height, width = step.data.shape
    message = FlowField(
        header=to_header(step.stamp, step.frame_id),
        sequence=step.sequence,
        face_id=step.face_id,
        restarted=step.restarted,
        to_image=step.to_image.ravel(),
        frame_size=step.frame_size,
        channels=list(step.channels),
        height=height,
        width=width,
    )
    _fill(message.data, step.data)
    return message


def flow_from_message(message: Any) -> FlowStep:
    """A ``FlowField`` as flow step; the field is not copied.

    :raises ValueError: if the data does not fit the channels and the size.
    """
    shape = len(message.channels), message.height, message.width
    if len(message.data) != np.prod(shape):
        raise ValueError(
            f"its {len(message.data)} values do not fill {shape[0]} channels of "
            f"{message.width}x{message.height}"
        )
    return FlowStep(
        stamp=from_time(message.header.stamp),
        sequence=message.sequence,
        face_id=message.face_id,
        data=floats(message.data).reshape(shape),
        channels=tuple(message.channels),
        to_image=read_only(np.array(message.to_image, np.float64).reshape(2, 3)),
        restarted=message.restarted,
        frame_id=message.header.frame_id,
        frame_size=(int(message.frame_size[0]), int(message.frame_size[1])),
    )


class ActivationMessage:
    """Makes activations into ``AUActivation``: the same message each time, filled anew.

    Making a new one takes 0.1 ms between two frames, when nothing of it is in the caches; this
    0.04. Who publishes the message is done with it when the next one is made.
    """

    def __init__(self, clock: Clock = time.time_ns) -> None:
        """``clock`` tells the time in ns that the latency is counted by."""
        self._clock = clock
        self._message = AUActivation()
        self._units: tuple[tuple[int, ...], int] | None = None

    def __call__(self, activation: Activation) -> Any:
        """The message; its latency is counted up to this moment."""
        if (activation.codes, len(activation.intensity)) != self._units:
            self._prepare(activation)
        message = self._message
        stamp = message.header.stamp
        stamp.sec, stamp.nanosec = divmod(activation.stamp, SECOND)
        message.header.frame_id = activation.frame_id
        message.sequence = activation.sequence
        message.face_id = activation.face_id
        message.attention = activation.attention
        message.model = activation.model[:64]
        message.model_hash = activation.model_hash
        self._probability[:] = activation.probability
        self._intensity[:] = activation.intensity
        message.latency_ms = since(activation.stamp, self._clock)
        return message

    def _prepare(self, activation: Activation) -> None:
        self._message = AUActivation()
        self._units = activation.codes, len(activation.intensity)
        self._message.codes.frombytes(bytes(activation.codes))
        _fill(self._message.probability, activation.probability)
        _fill(self._message.intensity, activation.intensity)
        self._probability = np.frombuffer(self._message.probability, np.float32)
        self._intensity = np.frombuffer(self._message.intensity, np.float32)


def event_to_message(event: MicroExpression) -> Any:
    """A micro-expression as message."""
    message = MicroExpressionMessage(
        header=to_header(event.stamp, event.frame_id),
        sequence=event.sequence,
        face_id=event.face_id,
        onset=to_time(event.onset),
        apex=to_time(event.apex),
        offset=to_time(event.offset),
        duration_ms=event.duration_ms,
        confidence=event.confidence,
    )
    message.aus.frombytes(bytes(event.aus))
    _fill(message.peak_probability, event.peak_probability)
    return message


def activation_adaptation(clock: Clock = time.time_ns) -> Adaptation[Activation]:
    """Bind Activation to ``AUActivation``; each publisher needs one of its own."""
    message = ActivationMessage(clock)
    return Adaptation(Activation, AUActivation, message, activation_from_message, header=header_of)


FLOW: Adaptation[FlowStep] = Adaptation(
    FlowStep, FlowField, flow_to_message, flow_from_message, header=header_of
)
EVENTS: Adaptation[MicroExpression] = Adaptation(
    MicroExpression, MicroExpressionMessage, event_to_message, event_from_message, header=header_of
)


def _fill(field: array[float], values: NDArray[np.float32]) -> None:
    # In place: a field that is assigned, an array too, is copied element by element.
    field.frombytes(np.ascontiguousarray(values).data.cast("B"))
