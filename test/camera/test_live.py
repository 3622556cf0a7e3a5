"""Devices: opened, read, unplugged, plugged in again, given back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import SupportsIndex

import numpy as np
import pytest

from emopulse_ros.camera import CameraError, Live, Wish, in_time
from emopulse_ros.camera import live as live_module
from emopulse_ros.camera.live import UnpluggedError
from emopulse_ros.stream import Frame

PICTURE = np.zeros((4, 6), np.uint8)
MS = 1_000_000


class Plugged:
    """A device that gives what a test puts into it: frames, None, or an error."""

    rate = 200.0
    size = (6, 4)

    def __init__(self, items: Iterator[object]) -> None:
        self.lost = 0
        self.remarks: list[str] = []
        self.closed = 0
        self.exposures: list[float | None] = []
        self._items = items

    def read(self) -> Frame | None:
        item = next(self._items, None)
        if isinstance(item, Exception):
            raise item
        if item is None:
            time.sleep(0.001)
            return None
        assert isinstance(item, Frame)
        return item

    def expose(self, exposure: float) -> None:
        self.exposures.append(exposure)

    def close(self) -> None:
        self.closed += 1


def frames(
    count: int, every_ms: float = 5.0, start: int = 7, from_ms: float = 1000.0
) -> list[object]:
    return [Frame(round((from_ms + k * every_ms) * MS), start + k, PICTURE) for k in range(count)]


def live(
    *devices: Plugged | Exception, wish: Wish | None = None, duration: float | None = None
) -> Live:
    waiting = iter(devices)

    def make(wish: Wish) -> Plugged:
        device = next(waiting)
        if isinstance(device, Exception):
            raise device
        device.exposures.append(wish.exposure)
        return device

    return Live("test:0", make, wish or Wish(rate=200.0), duration)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "RETRY_S", 0.01)


def test_it_is_open_only_between_open_and_rest() -> None:
    first, second = Plugged(iter(frames(2))), Plugged(iter(frames(2, from_ms=5000.0)))
    camera = live(first, second)
    assert next(camera, None) is None
    camera.open()
    camera.open()
    assert camera.size == (6, 4)
    assert [next(camera).sequence, next(camera).sequence] == [0, 1]
    camera.rest()
    camera.rest()
    assert first.closed == 1
    assert next(camera, None) is None
    with camera:
        # It goes on counting, for nothing was lost.
        assert [next(camera).sequence, next(camera).sequence] == [2, 3]
    assert second.closed == 1


def test_gaps_stay_and_what_comes_twice_does_not() -> None:
    one, two, three, four = frames(4)
    assert isinstance(three, Frame)
    device = Plugged(iter([one, two, two, four]))
    device.lost = 1
    with live(device) as camera:
        assert [next(camera).sequence for _ in range(3)] == [0, 1, 3]
        assert camera.skipped == 2
    assert camera.skipped == 2


def test_a_device_that_cannot_be_opened_says_so() -> None:
    camera = live(CameraError("There is no test:0."))
    with pytest.raises(CameraError, match=r"There is no test:0\."):
        camera.open()
    camera.close()


def test_unplugged_and_plugged_in_again() -> None:
    first = Plugged(iter([*frames(2), UnpluggedError("test:0 is gone.")]))
    second = Plugged(iter(frames(2, start=0, from_ms=9000.0)))
    camera = live(first, CameraError("not yet"), CameraError("not yet"), second)
    with camera:
        seen = [next(camera) for _ in range(4)]
    assert first.closed == second.closed == 1
    assert [frame.sequence for frame in seen] == [0, 1, 2, 3]
    assert camera.remarks() == ["test:0 is gone. It is looked for again.", "test:0 is back."]
    assert camera.remarks() == []
    assert camera.status == ""


def test_one_that_can_be_opened_and_sends_nothing_is_not_back() -> None:
    gone = UnpluggedError("test:0 sends no pictures any more.")
    silent = [Plugged(iter([None, None, gone])) for _ in range(3)]
    camera = live(Plugged(iter([*frames(1), gone])), *silent, Plugged(iter(frames(2))))
    seen: list[str] = []
    status = "test:0 sends no pictures any more. It is looked for again."
    for device in silent:
        told = device.read

        def read(told: Callable[[], Frame | None] = told) -> Frame | None:
            seen.append(camera.status)
            return told()

        device.read = read  # type: ignore[method-assign]
    with camera:
        next(camera)
        next(camera)
    assert seen == [status] * 9
    assert camera.status == ""
    # Once each, however often it was opened in between.
    assert camera.remarks() == [status, "test:0 is back."]


def test_a_device_that_stays_away_holds_nobody() -> None:
    gone = [CameraError("not yet")] * 1000
    camera = live(Plugged(iter([UnpluggedError("test:0 is gone.")])), *gone)
    camera.open()
    seen: list[Frame] = []
    reader = threading.Thread(target=lambda: seen.extend(camera))
    reader.start()
    while not camera.status:
        time.sleep(0.001)
    assert camera.status == "test:0 is gone. It is looked for again."
    camera.rest()
    reader.join(5.0)
    assert not reader.is_alive()
    assert not seen


def test_a_device_that_fails_for_good_ends_the_stream() -> None:
    with (
        live(Plugged(iter([CameraError("test:0 speaks nonsense.")]))) as camera,
        pytest.raises(CameraError, match="speaks nonsense"),
    ):
        next(camera)


@pytest.mark.parametrize(("every_ms", "told"), [(5.0, False), (5.1, False), (8.33, True)])
def test_another_rate_is_told_once(every_ms: float, told: bool) -> None:
    with live(Plugged(iter(frames(1200, every_ms)))) as camera:
        for _ in range(1100):
            next(camera)
        remarks = camera.remarks()
    assert len(remarks) == told
    assert not told or "takes 120.0 frames a second, not 200 as asked for" in remarks[0]


def test_a_lossy_device_is_not_called_slow() -> None:
    kept = [frame for number, frame in enumerate(frames(1200)) if number % 3]
    with live(Plugged(iter(kept))) as camera:
        for _ in range(700):
            next(camera)
        assert camera.remarks() == []


def test_it_ends_after_its_duration() -> None:
    with live(Plugged(iter(frames(500))), duration=0.1) as camera:
        assert len(list(camera)) == 20


def test_nobody_paces_a_device() -> None:
    camera = live(Plugged(iter(frames(1))))
    assert in_time(camera, 10) is camera


class Busy(list[str]):
    """Remarks to which another thread adds one in the very moment in which they are emptied."""

    def __init__(self, *remarks: str, late: str) -> None:
        super().__init__(remarks)
        self._late = [late]

    def clear(self) -> None:
        self += self._late
        self._late = []
        super().clear()

    def pop(self, index: SupportsIndex = -1) -> str:
        self += self._late
        self._late = []
        return super().pop(index)


def test_no_remark_is_lost_while_they_are_read() -> None:
    device = Plugged(iter([*frames(2), UnpluggedError("test:0 is gone.")]))
    device.remarks = Busy("It is small.", late="It is slow.")
    camera = live(device, Plugged(iter(frames(2, from_ms=9000.0))))
    with camera:
        next(camera)
        assert camera.remarks() + camera.remarks() == ["It is small.", "It is slow."]
        device.remarks = Busy("It is warm.", late="It is hot.")
        for _ in range(2):
            next(camera)
    told = camera.remarks()
    assert told[:3] == ["It is warm.", "It is hot.", "test:0 is gone. It is looked for again."]
    assert (told[3:], device.remarks) == (["test:0 is back."], [])


def test_what_the_device_says_is_told() -> None:
    device = Plugged(iter(frames(1)))
    device.remarks.append("test:0 has no control of its exposure.")
    with live(device) as camera:
        next(camera)
    assert camera.remarks() == ["test:0 has no control of its exposure."]


def test_an_exposure_is_set_by_the_reader_and_again_when_it_is_back() -> None:
    first = Plugged(iter([*frames(3), UnpluggedError("test:0 is gone.")]))
    second = Plugged(iter(frames(3, from_ms=9000.0)))
    with live(first, second, wish=Wish(200.0, None, 3000.0)) as camera:
        next(camera)
        camera.expose(3000.0)
        next(camera)
        camera.expose(2000.0)
        assert first.exposures == [3000.0]
        next(camera)
        assert first.exposures == [3000.0, 2000.0]
        next(camera)
        assert second.exposures == [2000.0]
        # As it is.
        camera.expose(None)
        next(camera)
    assert second.exposures == [2000.0]


def test_the_rate_is_judged_again_after_another_exposure() -> None:
    slow = frames(500, 8.33, start=1107, from_ms=7000.0)
    with live(Plugged(iter([*frames(1100), *slow]))) as camera:
        for _ in range(1100):
            next(camera)
        assert camera.remarks() == []
        camera.expose(8000.0)
        for _ in range(500):
            next(camera)
        assert "takes 120.0 frames a second, not 200 as asked for" in camera.remarks()[0]
