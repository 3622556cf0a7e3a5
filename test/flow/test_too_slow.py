"""A camera that is too slow for anything to be read: it is told, with what to do."""

from __future__ import annotations

import numpy as np
import pytest

from emopulse_ros.detection.events import EventFinder
from emopulse_ros.flow.stage import FlowStage
from emopulse_ros.flow.too_slow import SURE, TooSlow
from emopulse_ros.stream import FaceCrop

MS = 1_000_000


def said_of(steps_ms: list[float], lost: int = 0) -> list[str]:
    """What is said of a stream with these steps, each time it is said."""
    watch, stamp, sentences = TooSlow(), 7, []
    watch(stamp, 0)
    for step in steps_ms:
        stamp += round(step * MS)
        if watch(stamp, lost):
            sentences.append(watch.status)
    return sentences


def test_a_camera_at_15_hz_is_told_once_with_what_to_do() -> None:
    assert said_of([1000 / 15] * 1000) == [
        "only 15.0 pictures a second can be worked with, and nothing can be read from fewer than "
        "17: give the camera more light or a shorter exposure, or take another one"
    ]


@pytest.mark.parametrize("rate", [200.0, 60.0, 30.0, 20.0])
def test_a_faster_one_is_not_nor_its_holes(rate: float) -> None:
    assert said_of([1000 / rate] * 100) == []
    assert said_of(([1000 / rate] * 4 + [200.0] * 3) * 100) == []
    assert said_of([60_000.0, -60_000.0, 0.0]) == []


def test_where_pictures_give_way_here_the_machine_is_at_fault() -> None:
    watch = TooSlow()
    for number in range(SURE + 1):
        watch(number * 100 * MS, number * 15)
    assert "10.0 pictures" in watch.status
    assert "more come than this machine has time for" in watch.status


def test_it_is_over_when_the_light_is_on_again_and_told_anew_after() -> None:
    watch = TooSlow()
    said = 0
    for number in range(100):
        said += watch(number * 67 * MS, 0)
    assert (said, bool(watch.status)) == (1, True)
    begun = 100 * 67 * MS
    for number in range(SURE + 1):
        watch(begun + number * 33 * MS, 0)
    assert watch.status == ""
    begun += 10**9
    assert sum(watch(begun + number * 67 * MS, 0) for number in range(100)) == 1


@pytest.mark.parametrize(("rate", "is_read"), [(200.0, True), (18.0, True), (16.0, False)])
def test_the_rate_it_names_is_that_of_the_stages(rate: float, is_read: bool) -> None:
    flow, watch = FlowStage(), TooSlow()
    picture = np.zeros((flow.crop_size, flow.crop_size), np.uint8)
    restarted = []
    for number in range(2 * SURE):
        stamp = round(number * 1e9 / rate)
        watch(stamp, 0)
        crop = FaceCrop(stamp, number, 1, picture, np.eye(2, 3))
        restarted.append(flow(crop).restarted)
    assert restarted == [True] + [not is_read] * (len(restarted) - 1)
    assert bool(watch.status) is not is_read
    # The events forget at the same rate as the flow.
    assert (round(1e9 / rate) <= EventFinder()._gap) is is_read
