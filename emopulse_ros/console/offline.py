"""A run without ROS, as fast as possible: the same input gives the same bytes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from emopulse_ros.console.display import REDRAW_S, Display
from emopulse_ros.console.ending import Ending
from emopulse_ros.console.tally import Inbox

if TYPE_CHECKING:
    from emopulse_ros.camera import Camera
    from emopulse_ros.pipeline import Pipeline


def run_offline(
    camera: Camera, pipeline: Pipeline, inbox: Inbox, display: Display, ending: Ending
) -> None:
    """Send every frame of a camera through the pipeline, show it and count it in ``ending``.

    Latency is not measured: nothing here happens at its time.
    """
    redraw = time.monotonic()
    state = ""
    for _, outcome in pipeline.outcomes(camera):
        ending.frames += 1
        if outcome.activation is not None:
            ending.activations += 1
            inbox.put(outcome.activation)
            state = ""
        else:
            state = outcome.status
            ending.without[state] += 1
        if outcome.event is not None:
            inbox.put_event(outcome.event)
            ending.events += 1
        if time.monotonic() >= redraw:
            display.update(state)
            redraw = time.monotonic() + REDRAW_S
    last = pipeline.events.flush()
    if last is not None:
        inbox.put_event(last)
        ending.events += 1
    display.update(state)
