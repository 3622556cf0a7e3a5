"""Stamps out of a device's clock: what holds whatever the link does."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from emopulse_ros.camera.clock import DeviceClock

pytest.importorskip("hypothesis", reason="hypothesis is not installed")
from hypothesis import given, settings
from hypothesis import strategies as st

MS = 1_000_000
PERIOD = 5 * MS
WALL = 1_790_000_000_000_000_000
DELAY = 3 * MS // 10


def played(taken: list[int], device: list[int], arrivals: list[int], settle: int = 20) -> list[int]:
    """The stamps of pictures after the first ``settle``, of which the clock is only told."""
    clock = DeviceClock()
    stamps = []
    for number in range(len(taken)):
        clock.hear(device[number], arrivals[number])
        if number >= settle:
            stamps.append(clock.stamp(device[number]))
    return stamps


def pictures(count: int, ppm: float, jitter_ms: float, seed: int) -> tuple[list[int], ...]:
    """When each was taken (wall time), what the device said, and when it came."""
    late = random.Random(seed)
    taken = [WALL + PERIOD * number for number in range(count)]
    device = [round(77 + (time - WALL) * (1.0 + ppm * 1e-6)) for time in taken]
    arrivals = [time + DELAY + round(late.random() * jitter_ms * MS) for time in taken]
    return taken, device, arrivals


@settings(deadline=None, max_examples=25)
@given(st.floats(-100.0, 100.0), st.floats(0.0, 10.0), st.integers(0, 1000))
def test_drift_is_followed_and_jitter_is_not(ppm: float, jitter_ms: float, seed: int) -> None:
    taken, device, arrivals = pictures(12_000, ppm, jitter_ms, seed)
    stamps = played(taken, device, arrivals)
    for k in range(1, len(stamps)):
        passed = device[20 + k] - device[19 + k]
        assert stamps[k] > stamps[k - 1]
        assert abs(stamps[k] - stamps[k - 1] - passed) <= passed // 500
    # After 20 s: true within what the clocks drift in a window, and the jitter's rare least.
    errors = [stamp - time - DELAY for stamp, time in zip(stamps, taken[20:], strict=True)][4000:]
    assert max(map(abs, errors)) < 0.8 * MS
    for k in range(4001, len(stamps)):
        assert abs(stamps[k] - stamps[k - 1] - PERIOD) <= PERIOD // 2000


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.integers(-(10**10), 10**10), st.integers(-(10**10), 10**10)), min_size=2)
)
def test_stamps_rise_whatever_is_said(steps: list[tuple[int, int]]) -> None:
    device, arrivals = [10**12], [WALL]
    for forward, later in steps:
        device.append(device[-1] + forward)
        arrivals.append(arrivals[-1] + later)
    stamps = played(device, device, arrivals, settle=0)
    assert all(a < b for a, b in pairwise(stamps))


def test_a_steady_link_gives_the_devices_own_intervals() -> None:
    taken, device, arrivals = pictures(1000, 0.0, 0.0, 1)
    assert played(taken, device, arrivals) == [time + DELAY for time in taken[20:]]


def test_a_hold_up_of_a_second_moves_nothing() -> None:
    taken, device, arrivals = pictures(2000, 0.0, 0.0, 1)
    arrivals[1000:1200] = [max(time, arrivals[1200]) for time in arrivals[1000:1200]]
    assert played(taken, device, arrivals) == [time + DELAY for time in taken[20:]]


def test_wall_time_that_is_set_forward_is_followed_after_the_window() -> None:
    taken, device, arrivals = pictures(4000, 0.0, 0.0, 1)
    hour = 3_600_000 * MS
    arrivals[1000:] = [time + hour for time in arrivals[1000:]]
    stamps = played(taken, device, arrivals)
    assert stamps[979 + 990] == taken[999 + 990] + DELAY
    assert stamps[-1] == taken[-1] + hour + DELAY


def test_wall_time_that_is_set_back_lets_the_stream_go_on() -> None:
    taken, device, arrivals = pictures(4000, 0.0, 0.0, 1)
    arrivals[1000:] = [time - 3_600_000 * MS for time in arrivals[1000:]]
    stamps = played(taken, device, arrivals)
    steps = [b - a for a, b in pairwise(stamps)]
    assert all(abs(step - PERIOD) <= PERIOD // 500 for step in steps)


def test_a_device_that_begins_its_time_anew_goes_on_at_once() -> None:
    taken, device, arrivals = pictures(2000, 0.0, 0.0, 1)
    device[1000:] = [time - device[1000] for time in device[1000:]]
    assert played(taken, device, arrivals)[1:] == [time + DELAY for time in taken[21:]]


def test_a_device_whose_time_is_set_forward_is_not_believed() -> None:
    taken, device, arrivals = pictures(2000, 0.0, 0.0, 1)
    device[1000:] = [time + 10**15 for time in device[1000:]]
    assert played(taken, device, arrivals) == [time + DELAY for time in taken[20:]]
