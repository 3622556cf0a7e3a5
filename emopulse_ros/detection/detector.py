"""The detection stage: from flow to action units."""

from __future__ import annotations

from collections.abc import Sequence

from emopulse_ros.detection.engine import Engine, Reading
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
        self.state = engine.first_state()
        """What earlier steps left behind."""
        self._face_id: int | None = None
        self._stamp = 0

    def __call__(self, step: FlowStep) -> Activation:
        """Return what the face shows at this step.

        :raises ModelError: if the flow is not made as the model wants it.
        """
        return detect([self], [step])[0]

    def begin(self, step: FlowStep) -> int:
        """Make ready for a step; return for how many ticks it is held.

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
            self.state = self.engine.first_state()
            self._face_id = step.face_id
            ticks = 1
        self._stamp = step.stamp
        return max(ticks, 1)

    def end(self, step: FlowStep, reading: Reading) -> Activation:
        """What the last reading of a step says."""
        card = self.engine.card
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


def detect(detectors: Sequence[Detector], steps: Sequence[FlowStep]) -> list[Activation]:
    """What several faces show at a step of each, tick by tick together; they share their engine.

    :raises ModelError: if the flow of one is not made as the model wants it.
    """
    ticks = [detector.begin(step) for detector, step in zip(detectors, steps, strict=True)]
    readings: dict[int, Reading] = {}
    for tick in range(max(ticks, default=0)):
        going = [number for number, count in enumerate(ticks) if tick < count]
        done = detectors[0].engine.step_all(
            [steps[number].data for number in going], [detectors[number].state for number in going]
        )
        for number, (reading, after) in zip(going, done, strict=True):
            readings[number], detectors[number].state = reading, after
    return [
        detector.end(step, readings[number])
        for number, (detector, step) in enumerate(zip(detectors, steps, strict=True))
    ]
