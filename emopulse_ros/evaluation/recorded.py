"""What a run said while it was recorded, heard while its bag is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from emopulse_ros.bag.errors import BagError
from emopulse_ros.bag.file import Received
from emopulse_ros.bag.messages import ACTIVATION, activation_from_message, event_from_message
from emopulse_ros.evaluation.recording import Recorder, Recording


class RecordedRun:
    """Gathers the activations and events of a bag, as one node published them.

    ``also`` hears each activation as well. ``model_hash`` is that of the model that said so.
    """

    def __init__(self, path: Path, also: Callable[[Received], None] = lambda _: None) -> None:
        self.path = path
        self._also = also
        self._recorder = Recorder(pack_every=4096)
        self._activations, self._events = set[str](), set[str]()
        self.model_hash = ""

    def hear_activation(self, received: Received) -> None:
        """Take an ``AUActivation``."""
        self._also(received)
        self._activations.add(received.topic)
        if len(self._activations) > 1:
            return
        activation = activation_from_message(received.message)
        if not activation.intensity.size:
            # A model that does not estimate it says nothing of intensity.
            activation = replace(activation, intensity=np.zeros_like(activation.probability))
        self._recorder.add(activation, received.message.latency_ms)
        self.model_hash = activation.model_hash

    def hear_event(self, received: Received) -> None:
        """Take a ``MicroExpression``."""
        self._events.add(received.topic)
        self._recorder.add_event(event_from_message(received.message))

    def recording(self) -> Recording:
        """What was heard.

        :raises BagError: if that was nothing, or what several nodes said.
        """
        if not self._activations:
            raise BagError(f"{self.path} holds no activations ({ACTIVATION}): leave out --recorded")
        if len(self._activations) > 1 or len(self._events) > 1:
            names = ", ".join(sorted(self._activations) + sorted(self._events))
            raise BagError(f"{self.path} holds what several nodes said: {names}")
        return self._recorder.recording()
