"""The video camera: the file's pictures at the file's times, and sentences for what is no video."""

from __future__ import annotations

import gc
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from emopulse_ros.camera import CameraError, VideoCamera
from emopulse_ros.camera.container import missing_bytes

ROOT = Path(__file__).resolve().parents[2]
FACES = Path(os.environ.get("EMOPULSE_FACES", ROOT / "../shared/faces"))
COUNT, SIZE = 60, (96, 64)
CONTAINERS = {"mp4": "mp4v", "avi": "MJPG", "mkv": "mp4v"}


def picture(index: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A picture whose brightness tells which one it is, with something in it to code."""
    image = np.full((SIZE[1], SIZE[0], 3), 10 + 4 * index, np.uint8)
    cv2.circle(image, (20 + index, 30), 9, (255, 255, 255), -1)
    return image


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One video of 60 pictures at 200 frames per second in each kind of container."""
    folder = tmp_path_factory.mktemp("videos")
    found = {}
    for suffix, codec in CONTAINERS.items():
        path = folder / f"made.{suffix}"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 200.0, SIZE)
        if not writer.isOpened():
            pytest.skip(f"this OpenCV cannot write {codec} into .{suffix}")
        for index in range(COUNT):
            writer.write(picture(index))
        writer.release()
        found[suffix] = path
    return found


def boxes(data: bytes) -> dict[bytes, bytes]:
    """The outermost boxes of an MP4 file by their names."""
    found, at = {}, 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found[data[at + 4 : at + 8]] = data[at : at + length]
        at += length
    return found


def index_first(data: bytes) -> bytes:
    """An MP4 file with its index before its pictures, as files made for streaming have it."""
    box = boxes(data)
    moov = bytearray(box[b"moov"])
    at = moov.index(b"stco") + 8
    for k in range(int.from_bytes(moov[at : at + 4], "big")):
        where = slice(at + 4 + 4 * k, at + 8 + 4 * k)
        moov[where] = (int.from_bytes(moov[where], "big") + len(moov)).to_bytes(4, "big")
    others = b"".join(body for name, body in box.items() if name not in (b"ftyp", b"moov"))
    return box[b"ftyp"] + bytes(moov) + others


def brightness(frame: Any) -> float:
    """The brightness of a corner, where the pictures have nothing but their own gray."""
    return float(frame.image[:16, :].mean())


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


@pytest.mark.parametrize("suffix", ["mp4", "avi", "mkv"])
def test_a_file_cut_in_the_middle_gives_what_it_has_and_says_so(
    suffix: str, videos: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = videos[suffix].read_bytes()
    whole = index_first(data) if suffix == "mp4" else data
    path = tmp_path / f"cut.{suffix}"
    path.write_bytes(whole)
    with VideoCamera(path) as camera:
        assert len(list(camera)) == COUNT
        assert camera.complete
    path.write_bytes(whole[: len(whole) * 6 // 10])
    with caplog.at_level(logging.WARNING), VideoCamera(path) as camera:
        assert camera.complete
        frames = list(camera)
        assert not camera.complete
    assert 5 < len(frames) < COUNT
    assert brightness(frames[4]) == pytest.approx(26, abs=3)
    assert camera.shortfall is not None
    assert f"'{path}' is cut off" in camera.shortfall
    assert f"{len(frames)} frames could be read" in camera.shortfall
    assert caplog.messages == [camera.shortfall]


def test_a_cut_file_that_is_left_early_is_not_complained_of(
    videos: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "cut.avi"
    path.write_bytes(videos["avi"].read_bytes()[:-3000])
    with VideoCamera(path) as camera:
        next(camera)
    assert list(camera) == []
    assert camera.complete
    assert caplog.messages == []


def what_is_no_video(folder: Path, mp4: bytes) -> dict[str, Path]:
    (folder / "folder.mp4").mkdir()
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text01.mp4").write_text("I am no video.\n" * 100)
    (folder / "no_index.mp4").write_bytes(mp4[: len(mp4) // 2])
    os.mkfifo(folder / "pipe.mp4")
    return {path.name: path for path in folder.iterdir()} | {"missing": folder / "missing.mp4"}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing", "There is no file"),
        ("folder.mp4", "is a folder"),
        ("empty.mp4", "is empty"),
        ("text01.mp4", "is no video"),
        ("no_index.mp4", "is no video that OpenCV can read, or it is cut off"),
        ("pipe.mp4", "is not an ordinary file"),
    ],
)
def test_what_is_no_video_is_refused_in_a_sentence(
    name: str,
    says: str,
    videos: dict[str, Path],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = what_is_no_video(tmp_path, videos["mp4"].read_bytes())[name]
    with pytest.raises(CameraError, match=says) as caught:
        VideoCamera(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_file_that_goes_away_ends_a_loop_with_an_error(
    videos: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "going.mp4"
    path.write_bytes(videos["mp4"].read_bytes())
    with VideoCamera(path, loop=True) as camera:
        path.unlink()
        with pytest.raises(CameraError, match="There is no file"):
            list(camera)


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
    ("data", "missing"),
    [
        (b"\x00\x00\x00\x10ftypisom\x00\x00\x00\x00" + b"\x00\x00\x00\x40mdat" + b"x" * 56, 0),
        (b"\x00\x00\x00\x10ftypisom\x00\x00\x00\x00" + b"\x00\x00\x00\x40mdat" + b"x" * 50, 6),
        (b"\x00\x00\x00\x08wide\x00\x00\x00\x01mdat" + (100).to_bytes(8, "big") + b"x" * 60, 24),
        (b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat" + b"x" * 60, 0),
        (b"RIFF" + (100).to_bytes(4, "little") + b"AVI " + b"x" * 96, 0),
        (b"RIFF" + (100).to_bytes(4, "little") + b"AVI " + b"x" * 66, 30),
        (b"\x1a\x45\xdf\xa3\x84abcd\x18\x53\x80\x67\x41\x00" + b"x" * 250, 6),
        (b"\x1a\x45\xdf\xa3\x84abcd\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + b"x", 0),
        (b"\x1a\x45\xdf\xa3\x84ab", 0),
        (b"anything else at all", 0),
        (b"", 0),
    ],
)
def test_containers_tell_how_much_of_them_is_missing(
    data: bytes, missing: int, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert missing_bytes(path) == missing


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
