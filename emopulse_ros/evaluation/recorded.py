"""What a run said while it was recorded, out of its bag."""

from __future__ import annotations

from typing import Any

import numpy as np

from emopulse_ros.bag.errors import BagError
from emopulse_ros.bag.file import BagFile
from emopulse_ros.camera.bag import stamp_of, time_of
from emopulse_ros.evaluation.recording import Recorder, Recording
from emopulse_ros.evaluation.timing import ACTIVATION
from emopulse_ros.stream import Activation, MicroExpression, read_only

EVENT = "emopulse_msgs/msg/MicroExpression"


def recorded(bag: BagFile) -> tuple[Recording, str]:
    """The activations and events of a bag, as they were published, and the hash of their model.

    :raises BagError: if it holds none, or those of several nodes.
    """
    activations, events = bag.of_type(ACTIVATION), bag.of_type(EVENT)
    if not activations:
        raise BagError(f"{bag.path} holds no activations ({ACTIVATION}): leave out --recorded")
    if len(activations) > 1 or len(events) > 1:
        names = ", ".join(topic.name for topic in (*activations, *events))
        raise BagError(f"{bag.path} holds what several nodes said: {names}")
    recorder, model_hash = Recorder(pack_every=4096), ""
    for _, _, message in bag.messages(activations[0].name):
        recorder.add(_activation(message), float(message.latency_ms))
        model_hash = message.model_hash
    for topic in events:
        for _, _, message in bag.messages(topic.name):
            recorder.add_event(_event(message))
    return recorder.recording(), model_hash


def _activation(message: Any) -> Activation:
    probability = read_only(np.array(message.probability, np.float32))
    # A model that does not estimate it says nothing of intensity.
    intensity = np.array(message.intensity, np.float32)
    return Activation(
        stamp=stamp_of(message),
        sequence=int(message.sequence),
        face_id=int(message.face_id),
        codes=tuple(int(code) for code in message.codes),
        probability=probability,
        intensity=read_only(intensity if intensity.size else np.zeros_like(probability)),
        attention=float(message.attention),
        model=message.model,
        model_hash=message.model_hash,
        frame_id=message.header.frame_id,
    )


def _event(message: Any) -> MicroExpression:
    onset, apex, offset = map(time_of, (message.onset, message.apex, message.offset))
    return MicroExpression(
        stamp=stamp_of(message),
        sequence=int(message.sequence),
        face_id=int(message.face_id),
        onset=onset,
        apex=apex,
        offset=offset,
        aus=tuple(int(code) for code in message.aus),
        peak_probability=read_only(np.array(message.peak_probability, np.float32)),
        confidence=float(message.confidence),
        frame_id=message.header.frame_id,
    )
