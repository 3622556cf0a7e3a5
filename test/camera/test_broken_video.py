"""Files that are cut off, and files that are no videos: what they hold, and a sentence."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from emopulse_ros.camera import CameraError, VideoCamera
from emopulse_ros.camera.container import missing_bytes

from .recordings import CONTAINERS, COUNT, brightness


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


@pytest.mark.parametrize("suffix", CONTAINERS)
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
