"""The detection stage: from flow to action units."""

from __future__ import annotations

from emopulse_ros.detection.engine import Engine
from emopulse_ros.detection.model import ModelError
from emopulse_ros.stream import Activation, FlowStep, read_only

LONGEST_HOLD = 20
"""Most ticks that one step stands for; a longer hole begins anew."""


class Detector:
    """Reads the action units of one face from its flow, step by step.

    The network's clock ticks every 5 ms. A step that comes later than a tick after the last one
    (a dropped frame, a slower camera) is held for the ticks between, so that what the network has
    learnt of time stays true.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._channels = engine.card.recipe.channels
        self._state = engine.first_state()
        self._face_id: int | None = None
        self._stamp = 0

    def __call__(self, step: FlowStep) -> Activation:
        """Return what the face shows at this step.

        :raises ModelError: if the flow is not made as the model wants it.
        """
        card = self.engine.card
        if step.channels != self._channels:
            raise ModelError(
                f"the flow has the channels {', '.join(step.channels)}, but the model {card.name} "
                f"reads {', '.join(self._channels)}: use one model for both stages"
            )
        tick = card.tick_ms * 1e6
        ticks = round((step.stamp - self._stamp) / tick)
        if step.restarted or step.face_id != self._face_id or not 0 <= ticks <= LONGEST_HOLD:
            self._state = self.engine.first_state()
            self._face_id = step.face_id
            ticks = 1
        self._stamp = step.stamp
        for _ in range(max(ticks, 1)):
            reading, self._state = self.engine.step(step.data, self._state)
        return Activation(
            step.stamp,
            step.sequence,
            step.face_id,
            card.codes,
            read_only(card.probability(reading.logits)),
            read_only(reading.intensity),
            reading.attention,
            card.name,
            self.engine.model_hash,
            step.frame_id,
        )
