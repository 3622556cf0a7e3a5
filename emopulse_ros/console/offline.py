"""A run without ROS: as fast as possible, where the same input gives the same bytes, or in time."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from emopulse_ros.console.display import REDRAW_S, Display
from emopulse_ros.console.ending import Ending
from emopulse_ros.console.tally import Inbox
from emopulse_ros.flow.too_slow import TooSlow

if TYPE_CHECKING:
    from emopulse_ros.camera import Camera, Live, Paced
    from emopulse_ros.pipeline import Pipeline


def run_offline(
    camera: Camera | Paced | Live,
    pipeline: Pipeline,
    inbox: Inbox,
    display: Display,
    ending: Ending,
    *,
    in_time: bool = False,
) -> None:
    """Send every frame of a camera through the pipeline, show it and count it in ``ending``.

    Latency is measured only where frames come ``in_time``, with wall time stamps.
    """
    viewer = inbox.viewer
    redraw = time.monotonic()
    state = ""
    too_slow = TooSlow()
    for frame, outcome in pipeline.outcomes(camera):
        ending.frames += 1
        if too_slow(frame.stamp, 0):
            display.note(too_slow.status)
        if viewer is not None:
            viewer.frame(frame)
            if outcome.step is not None:
                viewer.step(outcome.step)
        if outcome.activation is not None:
            ending.activations += 1
            late = (time.time_ns() - frame.stamp) / 1e6 if in_time else math.nan
            inbox.put(outcome.activation, late)
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
