"""Frames at their own times, and what a reader who is late misses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from emopulse_ros.camera import Paced
from emopulse_ros.stream import Frame, read_only

PERIOD = 5_000_000
START = 1_700_000_000_000_000_000
IMAGE = read_only(np.zeros((2, 2), np.uint8))


class Clock:
    """Time that passes only when somebody sleeps or works; sleepers wake ``late`` ns late."""

    def __init__(self, late: int = 60_000) -> None:
        self.time = 10**12
        self.late = late
        self.naps: list[float] = []

    def __call__(self) -> int:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        # Even sleep(0), which gives the processor away, takes a microsecond.
        self.time += round(seconds * 1e9) + self.late if seconds else 1_000


class Counter:
    """A camera of 200 frames per second, each of which takes ``work`` ns to make."""

    name, rate, size, script = "counter", 200.0, (2, 2), None

    def __init__(self, clock: Clock, work: int = 0, count: int = 1000) -> None:
        self.clock, self.work, self.count = clock, work, count
        self.given = 0
        self.closed = False

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        if self.given == self.count:
            raise StopIteration
        self.clock.time += self.work
        self.given += 1
        return Frame((self.given - 1) * PERIOD, self.given - 1, IMAGE)

    def close(self) -> None:
        self.closed = True


def paced(clock: Clock, camera: Counter, **options: int) -> Paced:
    return Paced(camera, now=lambda: START + clock.time, clock=clock, sleep=clock.sleep, **options)  # type: ignore[arg-type]


def test_frames_come_when_they_are_due_with_wall_stamps() -> None:
    clock = Clock()
    camera = paced(clock, Counter(clock, work=300_000))
    assert camera.origin is None
    for k in range(200):
        frame = next(camera)
        assert camera.origin is not None
        assert (frame.stamp, frame.sequence) == (camera.origin + k * PERIOD, k)
        lateness = START + clock.time - frame.stamp
        assert 0 <= lateness < 100_000
        clock.time += 2_000_000
    assert (camera.skipped, camera.belated) == (0, 0)
    assert frame.image is IMAGE


def test_the_last_moment_only_is_waited_for_awake() -> None:
    clock = Clock()
    camera = paced(clock, Counter(clock))
    for _ in range(100):
        clock.naps.clear()
        next(camera)
        awake = sum(1 for nap in clock.naps if nap == 0.0) * 1_000
        assert awake <= 200_000
        assert sum(1 for nap in clock.naps if nap > 0.0) <= 1


def test_a_reader_who_is_a_little_late_misses_nothing() -> None:
    clock = Clock()
    camera = paced(clock, Counter(clock), patience=4)
    next(camera)
    clock.time += 4 * PERIOD
    assert [next(camera).sequence for _ in range(6)] == [1, 2, 3, 4, 5, 6]
    assert camera.skipped == 0


def test_a_reader_who_is_too_late_misses_the_oldest() -> None:
    clock = Clock()
    camera = paced(clock, Counter(clock), patience=4)
    next(camera)
    clock.time += 20 * PERIOD
    # Of what was taken up to now the newest five are still there.
    assert [next(camera).sequence for _ in range(8)] == [16, 17, 18, 19, 20, 21, 22, 23]
    assert (camera.skipped, camera.belated) == (15, 0)
    assert clock.time - 10**12 == pytest.approx(23 * PERIOD, abs=100_000)


def test_a_reader_who_is_always_too_slow_keeps_up_by_missing_frames() -> None:
    clock = Clock()
    camera = paced(clock, Counter(clock), patience=2)
    for _ in range(100):
        frame = next(camera)
        assert camera.origin is not None
        assert START + clock.time - frame.stamp < 4 * PERIOD
        clock.time += 8_000_000
    assert 40 < camera.skipped < 80
    assert frame.sequence == 99 + camera.skipped


def test_a_camera_slower_than_its_rate_loses_nothing() -> None:
    clock = Clock()
    camera = paced(clock, Counter(clock, work=8_000_000, count=400), patience=2)
    assert [frame.sequence for frame in camera] == list(range(400))
    assert camera.skipped == 0
    assert camera.belated > 390


def test_the_end_and_the_closing_are_those_of_the_camera_behind() -> None:
    clock = Clock()
    counter = Counter(clock, count=3)
    with paced(clock, counter) as camera:
        assert (camera.name, camera.rate, camera.size, camera.script) == (
            "counter",
            200.0,
            (2, 2),
            None,
        )
        assert len(list(camera)) == 3
        assert not counter.closed
    assert counter.closed


class Pausing(Counter):
    """A recording with a pause of a minute after its second picture."""

    def __next__(self) -> Frame:
        frame = super().__next__()
        return replace(frame, stamp=frame.stamp + 60 * 10**9) if frame.sequence > 1 else frame


@pytest.mark.parametrize("end", [Paced.rest, Paced.close])
def test_a_pause_in_a_recording_holds_nobody(end: Callable[[Paced], None]) -> None:
    camera = Paced(Pausing(Clock()))
    seen: list[Frame] = []
    reader = threading.Thread(target=lambda: seen.extend(camera), daemon=True)
    reader.start()
    while len(seen) < 2:
        time.sleep(0.001)
    end(camera)
    reader.join(5.0)
    assert not reader.is_alive()
    assert len(seen) == 2
    assert next(camera, None) is None


def test_a_long_pause_is_waited_for_to_its_end() -> None:
    clock = Clock()
    camera = paced(clock, Pausing(clock))
    frames = [next(camera) for _ in range(4)]
    assert frames[2].stamp - frames[1].stamp == 60 * 10**9 + PERIOD
    assert START + clock.time - frames[3].stamp < 100_000
    assert camera.skipped == 0


def test_impatience_below_zero_is_refused() -> None:
    clock = Clock()
    with pytest.raises(ValueError, match="patience is -1"):
        paced(clock, Counter(clock), patience=-1)


def test_patience_may_change_meanwhile() -> None:
    clock = Clock()
    camera = paced(clock, Counter(clock), patience=20)
    next(camera)
    clock.time += 10 * PERIOD
    assert next(camera).sequence == 1
    camera.patience = 2
    clock.time += 10 * PERIOD
    assert next(camera).sequence > 10
    assert camera.skipped > 8
