"""Stamps of the kernel as wall time, which is set while the camera runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from emopulse_ros.camera.v4l2 import stamps as stamps_module
from emopulse_ros.camera.v4l2.calls import BUFFER_MONOTONIC
from emopulse_ros.camera.v4l2.layouts import Buffer
from emopulse_ros.camera.v4l2.stamps import Stamps

PERIOD = 5_000_000
START = 1_000 * 10**9
WALL = 1_790_000_000 * 10**9
HOUR = 3600 * 10**9


class Machine:
    """Its two clocks; each reading of one takes 100 ns."""

    def __init__(self) -> None:
        self.passed = START
        self.wall = WALL

    def monotonic_ns(self) -> int:
        self.passed += 100
        return self.passed

    def time_ns(self) -> int:
        return self.monotonic_ns() + self.wall


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(stamps_module, "time", made)
    return made


def at(stamp: int) -> Buffer:
    buffer = Buffer(flags=BUFFER_MONOTONIC)
    buffer.timestamp.seconds, rest = divmod(stamp, 10**9)
    buffer.timestamp.microseconds = rest // 1000
    return buffer


def taken(machine: Machine, stamps: Stamps, count: int) -> list[tuple[int, int]]:
    """So many pictures: when they were taken, by the monotonic clock, and what is said of it."""
    seen = []
    for _ in range(count):
        when = machine.passed // 1000 * 1000
        machine.passed = when + PERIOD
        seen.append((when, stamps(at(when))))
    return seen


def test_stamps_are_wall_time_to_the_microsecond(machine: Machine) -> None:
    remarks: list[str] = []
    for when, stamp in taken(machine, Stamps(Path("video0"), remarks), 1000):
        assert abs(stamp - when - WALL) <= 1000
    assert remarks == []


def test_wall_time_that_is_set_forward_is_followed_at_once(machine: Machine) -> None:
    remarks: list[str] = []
    stamps = Stamps(Path("video0"), remarks)
    taken(machine, stamps, 100)
    machine.wall += HOUR
    for when, stamp in taken(machine, stamps, 100):
        assert abs(stamp - when - WALL - HOUR) <= 1000
    assert remarks == [
        "The clock of this machine was set forward by 3600.000 s, and the stamps of video0 with it."
    ]


@pytest.mark.parametrize("by", [-HOUR, -2 * 10**9, -20_000_000, 20_000_000])
def test_stamps_never_go_back_and_draw_near_to_the_wall_clock(machine: Machine, by: int) -> None:
    remarks: list[str] = []
    stamps = Stamps(Path("video0"), remarks)
    seen = taken(machine, stamps, 100)
    machine.wall += by
    seen += taken(machine, stamps, 2000)
    for (before, one), (after, other) in pairwise(seen):
        assert abs((other - one) - (after - before)) <= (after - before) // 400
    when, stamp = seen[-1]
    off = stamp - when - WALL - by
    # Ten seconds lose 20 ms.
    assert abs(off) <= max(abs(by) - 19_000_000, 100_000)
    assert len(remarks) == (by < -100_000_000)


def test_a_reading_that_is_held_up_moves_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = Stamps(Path("video0"), [])
    true: Callable[[], int] = machine.monotonic_ns
    calls = 0

    def held_up() -> int:
        nonlocal calls
        calls += 1
        machine.passed += 30_000_000 * (calls % 7 == 0)
        return true()

    monkeypatch.setattr(machine, "monotonic_ns", held_up)
    for when, stamp in taken(machine, stamps, 500):
        assert abs(stamp - when - WALL) <= 1000


def test_what_is_stamped_twice_has_one_stamp(machine: Machine) -> None:
    stamps = Stamps(Path("video0"), [])
    machine.passed += 10 * PERIOD
    one, two = stamps(at(START + PERIOD)), stamps(at(START + PERIOD))
    assert one == two
    assert stamps(at(START)) == two
    assert stamps(at(START + 2 * PERIOD)) == one + PERIOD


def test_the_clocks_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    stamps = Stamps(Path("video0"), [])
    before = time.time_ns()
    stamp = stamps(at(time.monotonic_ns()))
    assert before - 2000 <= stamp <= time.time_ns()
    true = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: true() + HOUR)
    before = time.time_ns()
    stamp = stamps(at(time.monotonic_ns()))
    assert before - 2000 <= stamp <= time.time_ns()
