"""A stream into a bag, as it is seen."""

from __future__ import annotations

import time

from emopulse_ros.bag.writer import BagWriter
from emopulse_ros.camera import Camera, Live, Paced
from emopulse_ros.console.ending import Ending
from emopulse_ros.evaluation.script_truth import labels_of
from emopulse_ros.pipeline import Pipeline
from emopulse_ros.synthesis.script import Script


def tape(
    bag: BagWriter, pipeline: Pipeline, camera: Camera, paced: Paced | Live | None, ending: Ending
) -> None:
    """Write every frame, what was seen in it, and what is true as it begins.

    ``paced`` is the camera at its own pace, None to take it as fast as it goes. What is written is
    counted in ``ending``.
    """
    truth: _Truth | None = None
    for frame, outcome in pipeline.outcomes(paced or camera):
        now = time.time_ns() if paced else frame.stamp
        bag.image(frame, frame.stamp)
        ending.frames += 1
        if outcome.activation is not None:
            bag.activation(outcome.activation, now, max(0.0, (now - frame.stamp) / 1e6))
            ending.activations += 1
        if outcome.event is not None:
            bag.event(outcome.event, now)
            ending.events += 1
        if truth is None and camera.script is not None:
            truth = _Truth(camera.script, (paced.origin or 0) if paced else 0)
        if truth is not None:
            truth.write(bag, frame.stamp, now)
    last = pipeline.events.flush()
    if last is not None:
        bag.event(last, last.stamp)
        ending.events += 1


class _Truth:
    """The labels of a script that starts at ``origin``, written as they begin."""

    def __init__(self, script: Script, origin: int) -> None:
        self._labels = labels_of(script, origin)
        self._next = next(self._labels, None)

    def write(self, bag: BagWriter, until: int, now: int) -> None:
        while (label := self._next) is not None and label.onset <= until:
            bag.label(label.kind, label.aus, label.onset, label.apex, label.offset, now)
            self._next = next(self._labels, None)
