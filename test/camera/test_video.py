"""The video camera: the file's pictures, all of them, at the file's times."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from emopulse_ros.camera import CameraError, VideoCamera

from .recordings import CONTAINERS, COUNT, SIZE, brightness

ROOT = Path(__file__).resolve().parents[2]
FACES = Path(os.environ.get("EMOPULSE_FACES", ROOT / "../shared/faces"))


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_all_pictures_come_in_order_at_their_times(videos: dict[str, Path], suffix: str) -> None:
    with VideoCamera(videos[suffix]) as camera:
        assert camera.size == SIZE
        assert camera.rate == pytest.approx(200.0)
        assert camera.script is None
        frames = list(camera)
    assert [frame.sequence for frame in frames] == list(range(COUNT))
    assert [frame.stamp for frame in frames] == pytest.approx(
        [k * 5_000_000 for k in range(COUNT)], abs=1_000_000
    )
    for k, frame in enumerate(frames):
        assert frame.image.shape == (SIZE[1], SIZE[0])
        assert not frame.image.flags.writeable
        assert brightness(frame) == pytest.approx(10 + 4 * k, abs=3)
    assert camera.complete
    assert camera.shortfall is None


def test_a_forced_rate_takes_the_place_of_the_clock(videos: dict[str, Path]) -> None:
    with VideoCamera(videos["mp4"], rate=30.0) as camera:
        assert camera.rate == 30.0
        assert [frame.stamp for frame in camera] == [round(k * 1e9 / 30) for k in range(COUNT)]


def test_a_loop_goes_on_in_time(videos: dict[str, Path]) -> None:
    with VideoCamera(videos["mp4"], loop=True) as camera:
        frames = [next(camera) for _ in range(2 * COUNT + 5)]
    assert [frame.sequence for frame in frames] == list(range(2 * COUNT + 5))
    steps = np.diff([frame.stamp for frame in frames])
    assert steps == pytest.approx(5_000_000, abs=10)
    assert np.array_equal(frames[COUNT + 3].image, frames[3].image)
    assert np.array_equal(frames[2 * COUNT + 4].image, frames[4].image)


def test_a_duration_ends_a_file_and_a_loop(videos: dict[str, Path]) -> None:
    with VideoCamera(videos["mp4"], duration=0.1) as camera:
        assert len(list(camera)) == 20
        assert camera.complete
    with VideoCamera(videos["mp4"], loop=True, duration=1.0) as camera:
        assert len(list(camera)) == 200


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[float], float]], None]:
    """Makes OpenCV tell something else of files than it would, as it does of some containers."""

    def tell(property_: int, changed: Callable[[float], float]) -> None:
        class Capture:
            def __init__(self, path: str) -> None:
                self.real = real(path)

            def get(self, what: int) -> float:
                value = float(self.real.get(what))
                return changed(value) if what == property_ else value

            def __getattr__(self, name: str) -> Any:
                return getattr(self.real, name)

        real = cv2.VideoCapture
        monkeypatch.setattr(cv2, "VideoCapture", Capture)

    return tell


@pytest.mark.parametrize("position", [0.0, 1234.5])
def test_where_the_container_gives_no_times_the_rate_does(
    position: float, videos: dict[str, Path], told: Callable[..., None]
) -> None:
    told(cv2.CAP_PROP_POS_MSEC, lambda _: position)
    with VideoCamera(videos["mp4"]) as camera:
        stamps = [frame.stamp for frame in camera]
    assert stamps == [5_000_000 * k for k in range(COUNT)]


def test_times_that_step_back_are_bridged(
    videos: dict[str, Path], told: Callable[..., None]
) -> None:
    # The 20th to the 29th picture are said to be 60 ms older than they are.
    told(cv2.CAP_PROP_POS_MSEC, lambda time: time - 60.0 if 97 < time < 147 else time)
    with VideoCamera(videos["mp4"]) as camera:
        stamps = [frame.stamp for frame in camera]
    assert stamps == pytest.approx([5_000_000 * k for k in range(COUNT)], abs=10)


def test_a_file_without_a_rate_asks_for_one(
    videos: dict[str, Path], told: Callable[..., None]
) -> None:
    told(cv2.CAP_PROP_FPS, lambda _: 0.0)
    with pytest.raises(CameraError, match="does not say its frame rate"):
        VideoCamera(videos["mp4"])
    with VideoCamera(videos["mp4"], rate=200.0) as camera:
        assert len(list(camera)) == COUNT


def decoders() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "video decoder" in thread.name]


def test_closing_early_ends_the_iteration_and_its_thread(videos: dict[str, Path]) -> None:
    camera = VideoCamera(videos["mp4"], loop=True)
    next(camera)
    camera.close()
    camera.close()
    assert list(camera) == []
    assert decoders() == []


def test_a_camera_that_is_dropped_takes_its_thread_along(
    videos: dict[str, Path], soon: Callable[..., bool]
) -> None:
    camera = VideoCamera(videos["mp4"], loop=True)
    next(camera)
    del camera
    gc.collect()
    assert soon(lambda: decoders() == [])


def test_one_thread_reads_while_another_closes(videos: dict[str, Path]) -> None:
    camera = VideoCamera(videos["mp4"], loop=True)
    reader = threading.Thread(target=lambda: [None for _ in camera])
    reader.start()
    camera.close()
    reader.join(timeout=10.0)
    assert not reader.is_alive()


@pytest.mark.parametrize(
    ("name", "count", "rate"),
    [("single_face.mp4", 72, 30.0), ("no_face.mp4", 95, 23.67), ("noface_face.mov", 169, 26.49)],
)
def test_real_recordings_are_read_whole(name: str, count: int, rate: float) -> None:
    path = FACES / name
    if not path.exists():
        pytest.skip(f"no recording at {path} (EMOPULSE_FACES)")
    with VideoCamera(path) as camera:
        frames = list(camera)
        assert camera.rate == pytest.approx(rate, abs=0.01)
    assert camera.complete
    assert len(frames) == count
    stamps = [frame.stamp for frame in frames]
    assert stamps[0] == 0
    assert np.all(np.diff(stamps) > 5_000_000)
    assert np.all(np.diff(stamps) < 60_000_000)
    capture = cv2.VideoCapture(str(path))
    for frame in frames[:10]:
        _, colours = capture.read()
        assert np.array_equal(frame.image, cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY))
