"""A run over ROS: the three nodes in this process, and a display beside them."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emopulse_ros.console.bad_input import BadInputError, reading_input
from emopulse_ros.console.display import REDRAW_S
from emopulse_ros.console.ending import Ending
from emopulse_ros.console.show import Show, complain, exit_status, say
from emopulse_ros.console.tally import Inbox
from emopulse_ros.view.health import Standing
from emopulse_ros.view.viewer import Viewer

if TYPE_CHECKING:
    from emopulse_ros.nodes.container import Container

FOLLOWING = "following a face"

SLOW_CAMERA_MS = 5.0
"""A frame's time at 200 FPS; a camera that is later than that cannot keep its pace."""


def run_live(
    camera: str | None = None,
    *,
    rate: float | None = None,
    size: tuple[int, int] | None = None,
    exposure: float | None = None,
    duration: float | None = None,
    model: Path | None = None,
    engine: str | None = None,
    params: Path | None = None,
    csv: Path | None = None,
    png: Path | None = None,
    viewer: Viewer | None = None,
) -> int:
    """Run until the camera ends, ``duration`` seconds are over or Ctrl-C; return the exit status.

    A ``viewer`` is shown all of it.

    :raises BadInputError: if what the user gave cannot be worked with.
    :raises RuntimeError: if ROS is not there.
    """
    container_class = _container_class()
    is_foreign = camera is not None and camera.startswith("ros:")
    if is_foreign and any(wish is not None for wish in (rate, size, exposure)):
        raise BadInputError(
            "the node that publishes the images sets their rate, size and exposure; "
            "leave out --rate, --size and --exposure"
        )
    if camera is not None and is_foreign:
        _check_topic(camera.removeprefix("ros:"))
    inbox, ending = Inbox(viewer), Ending()
    with reading_input():
        container = container_class(
            camera,
            rate=rate,
            size=size,
            exposure=exposure,
            duration=None if is_foreign else duration,
            model=model,
            engine=engine,
            parameters_file=params,
            on_frame=None if viewer is None else viewer.frame,
            on_step=None if viewer is None else viewer.step,
            on_activation=inbox.put,
            on_event=inbox.put_event,
        )
        container.start()
    try:
        if viewer is not None:
            viewer.start(container.card.levels, partial(_standing, container))
        show = _show(container, inbox, camera, csv, record=duration is not None)
        with show:
            until = duration if is_foreign else None
            interrupted = _watch(container, show, ending, until)
            shortfall, failure = _camera_troubles(container)
            ending.notes += _on_a_slow_camera(container)
            status = container.status
            container.stop()
            show.display.update(_count(container, ending, status))
    finally:
        container.stop()
    say(show.summary(ending, png))
    if failure is not None:
        complain(f"the camera failed: {failure}")
        return 1
    return exit_status(shortfall, seen=bool(ending.frames) or is_foreign, interrupted=interrupted)


def _container_class() -> type[Container]:
    try:
        from emopulse_ros.nodes.container import Container
    except ImportError as error:
        raise RuntimeError(
            f"ROS 2 is not there ({error}): `make demo` sets one up, or source your distribution; "
            "`emopulse run --no-ros` does without, `emopulse doctor` says what is missing"
        ) from error
    return Container


def _check_topic(name: str) -> None:
    from rclpy.exceptions import InvalidTopicNameException
    from rclpy.validate_topic_name import validate_topic_name

    try:
        validate_topic_name(name)
    except InvalidTopicNameException as error:
        reason = str(error).partition("\n")[0].removeprefix("Invalid topic name: ").rstrip(":")
        raise BadInputError(f"'ros:{name}' names no topic: {reason}") from error


def _show(
    container: Container, inbox: Inbox, camera: str | None, csv: Path | None, *, record: bool
) -> Show:
    node, card = container.camera_node, container.card
    opened = node.camera if node is not None else None
    name, rate = (opened.name, opened.rate) if opened is not None else (f"{camera}", 200.0)
    pace = f" at {rate:g} FPS" if opened is not None else ""
    return Show(
        f"EmoPulse   {name}{pace}   model {card.name}",
        inbox,
        script=container.script,
        rate=rate,
        thresholds=card.levels,
        csv=csv,
        record=record,
    )


def _watch(container: Container, show: Show, ending: Ending, seconds: float | None) -> bool:
    """Show the run until it ends; return whether it was interrupted."""
    end = None if seconds is None else time.monotonic() + seconds
    try:
        while not container.wait(REDRAW_S) and (end is None or time.monotonic() < end):
            show.display.update(_count(container, ending, container.status))
    except KeyboardInterrupt:
        return True
    return False


def _count(container: Container, ending: Ending, status: str) -> str:
    """Bring the counts up to date; return how it stands in words."""
    counters = container.counters
    ending.frames, ending.activations = counters.frames, counters.activations
    ending.events = counters.events
    ending.dropped, ending.late = counters.dropped, counters.late
    # Nobody notes why each single frame had no face, but the reason of the moment is known.
    faceless = counters.faceless - sum(ending.without.values())
    if faceless:
        seen = status.startswith("following")
        ending.without["looking for a face" if seen else status] += faceless
    words = f"{counters.dropped} frames dropped, {counters.late} face answers late"
    if counters.failed:
        words += f", {counters.failed} failed"
    return words if status == FOLLOWING else f"{words}; {status}"


def _standing(container: Container) -> Standing:
    counters = container.counters
    return Standing(
        frames=counters.frames,
        dropped=counters.dropped,
        late=counters.late,
        failed=counters.failed,
        status=container.status,
    )


def _on_a_slow_camera(container: Container) -> list[str]:
    """A line on a camera that was slow itself: its share of the latency is not the pipeline's."""
    node = container.camera_node
    if node is None or not node.published:
        return []
    late = float(np.median(node.lateness.since(0)))
    if late < SLOW_CAMERA_MS:
        return []
    return [
        f"the camera itself was late by {late:.0f} ms (median): "
        "this machine is too slow or too busy to make its pictures in time"
    ]


def _camera_troubles(container: Container) -> tuple[str | None, Exception | None]:
    """What is said of a video that was cut off, and why the camera failed, if it did."""
    node = container.camera_node
    if node is None:
        return None, None
    return getattr(node.camera, "shortfall", None), node.error
