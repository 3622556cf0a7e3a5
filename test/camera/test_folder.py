"""Folders of numbered images: order, stamps, and a sentence where something is wrong."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emopulse_ros.camera import CameraError, FolderCamera, open_camera
from emopulse_ros.camera.numbered import numbered_images

STEP = 5_000_000
"""From one frame to the next at 200 frames per second, in ns."""


def write(path: Path, level: int = 100, size: tuple[int, int] = (12, 8)) -> Path:
    """An image of one brightness; ``size`` is width and height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((size[1], size[0], 3), level, np.uint8))
    return path


def folder(at: Path, *names: str) -> Path:
    """A folder of images whose brightness is 40 and 10 more for each of the names."""
    for index, name in enumerate(names):
        write(at / name, 40 + 10 * index)
    return at


def test_images_come_in_the_order_of_their_numbers_not_of_their_names(tmp_path: Path) -> None:
    with FolderCamera(folder(tmp_path, "img9.png", "img10.png", "img11.png")) as camera:
        assert camera.numbers == (9, 10, 11)
        assert (camera.name, camera.rate, camera.size) == (f"folder:{tmp_path}", 200.0, (12, 8))
        assert camera.script is None
        frames = list(camera)
    assert [int(frame.image[0, 0]) for frame in frames] == [40, 50, 60]
    assert [frame.stamp for frame in frames] == [0, STEP, 2 * STEP]
    assert [frame.sequence for frame in frames] == [0, 1, 2]
    for frame in frames:
        assert frame.image.shape == (8, 12)
        assert frame.image.dtype == np.uint8
        assert not frame.image.flags.writeable
    assert camera.shortfall is None


@pytest.mark.parametrize(
    "names",
    [
        ("img46.jpg", "img47.jpg"),
        ("reg_img46.jpg", "reg_img47.jpg"),
        ("006_00046.jpg", "006_00047.jpg"),
        ("006_1_046.JPG", "006_1_047.jpeg"),
        ("46.bmp", "047.png"),
    ],
)
def test_the_number_is_the_last_of_the_name(names: tuple[str, ...], tmp_path: Path) -> None:
    assert FolderCamera(folder(tmp_path, *names)).numbers == (46, 47)


def test_a_missing_number_is_a_gap(tmp_path: Path) -> None:
    camera = FolderCamera(folder(tmp_path, "3.png", "4.png", "8.png"), rate=100.0)
    frames = list(camera)
    assert [frame.stamp for frame in frames] == [0, 10_000_000, 50_000_000]
    assert [frame.sequence for frame in frames] == [0, 1, 5]
    assert camera.stamp(6) == 30_000_000


@given(st.sets(st.integers(0, 10**6), min_size=1, max_size=20), st.integers(1, 8))
def test_stamps_and_numbers_say_the_same(numbers: set[int], width: int) -> None:
    with tempfile.TemporaryDirectory() as at:
        for number in numbers:
            Path(at, f"x_{number:0{width}d}.pgm").write_bytes(b"P5 1 1 255\n\x07")
        camera = FolderCamera(at)
        assert camera.numbers == tuple(sorted(numbers))
        assert [frame.stamp for frame in camera] == [camera.stamp(n) for n in camera.numbers]


def test_the_ends_can_be_left_out(tmp_path: Path) -> None:
    folder(tmp_path, *(f"{number}.png" for number in range(1, 8)))
    camera = FolderCamera(tmp_path, first=3, last=5)
    assert camera.numbers == (3, 4, 5)
    assert [frame.stamp for frame in camera] == [0, STEP, 2 * STEP]
    with pytest.raises(CameraError, match=r"no image numbered 9 to the last; .* from 1 to 7"):
        FolderCamera(tmp_path, first=9)


def test_a_loop_goes_on_and_a_duration_ends_it(tmp_path: Path) -> None:
    folder(tmp_path, "1.png", "2.png", "4.png")
    with open_camera(f"folder:{tmp_path}", rate=100.0, loop=True, duration=0.07) as camera:
        frames = list(camera)
    assert [frame.sequence for frame in frames] == [0, 1, 3, 4, 5]
    assert [frame.stamp for frame in frames] == [k * 10_000_000 for k in (0, 1, 3, 4, 5)]
    assert [int(frame.image[0, 0]) for frame in frames] == [40, 50, 60, 40, 50]


def test_strays_are_left_out(tmp_path: Path) -> None:
    folder(tmp_path, "img1.jpg", "img2.jpg", "img2 (1).jpg", "cover.png")
    for name in ("Thumbs.db", ".DS_Store", "._img1.jpg", "EP02_01f - Shortcut1.lnk"):
        (tmp_path / name).write_bytes(b"stray")
    (tmp_path / "5.jpg").mkdir()
    images = numbered_images(tmp_path)
    assert images.numbers == (1, 2)
    assert len(images.stray) == 6
    assert len(list(FolderCamera(tmp_path))) == 2


def test_an_unreadable_image_is_told_and_the_stream_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder(tmp_path, *(f"img{number}.jpg" for number in range(1, 8)))
    (tmp_path / "img1.jpg").write_bytes(b"")
    (tmp_path / "img3.jpg").write_text("I am no image.")
    cut = (tmp_path / "img5.jpg").read_bytes()
    (tmp_path / "img5.jpg").write_bytes(cut[: len(cut) - 20])
    with caplog.at_level(logging.WARNING), FolderCamera(tmp_path) as camera:
        assert camera.size == (12, 8)
        assert camera.shortfall is None
        assert [frame.sequence for frame in camera] == [1, 3, 5, 6]
    assert camera.unreadable == {1, 3, 5}
    assert camera.shortfall == (
        f"3 of 7 images in '{tmp_path}' could not be read and are left out: "
        "img1.jpg, img3.jpg, img5.jpg."
    )
    assert caplog.messages == [camera.shortfall]


def test_images_of_two_sizes_end_with_a_sentence(tmp_path: Path) -> None:
    folder(tmp_path, "1.png", "2.png")
    write(tmp_path / "3.png", size=(20, 10))
    with FolderCamera(tmp_path) as camera:
        assert next(camera).sequence == 0
        assert next(camera).sequence == 1
        with pytest.raises(CameraError, match=r"3\.png' is 20x10 pixels, .* 12x8; .* one size"):
            next(camera)
        assert list(camera) == []


def test_a_closed_camera_ends(tmp_path: Path) -> None:
    camera = FolderCamera(folder(tmp_path, "1.png", "2.png"))
    next(camera)
    camera.close()
    camera.close()
    assert list(camera) == []


def what_is_no_folder_of_images(at: Path) -> dict[str, Path]:
    (at / "empty").mkdir()
    (at / "file.jpg").write_bytes(b"x")
    folder(at / "twice", "img01.png", "img1.png")
    (at / "broken").mkdir()
    (at / "broken" / "1.jpg").write_bytes(b"")
    (at / "inside" / "sub01").mkdir(parents=True)
    return {path.name: path for path in at.iterdir()} | {"missing": at / "missing"}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing", "There is no folder"),
        ("file.jpg", "is a file; give the folder"),
        ("empty", r"no image whose name ends in a number, such as img46\.jpg"),
        ("inside", "give the folder that holds the frames themselves"),
        ("twice", r"two images of number 1: img01\.png and img1\.png; take one"),
        ("broken", "None of the 1 images .* can be read"),
    ],
)
def test_what_is_no_folder_of_images_is_refused_in_a_sentence(
    name: str, says: str, tmp_path: Path
) -> None:
    path = what_is_no_folder_of_images(tmp_path)[name]
    with pytest.raises(CameraError, match=says) as caught:
        FolderCamera(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "options", "says"),
    [
        ("folder:", {}, "folder:PATH"),
        ("folder:x", {"rate": 0.0}, "rate"),
        ("folder:x", {"duration": -1.0}, "duration"),
    ],
)
def test_a_spec_that_makes_no_sense(spec: str, options: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        open_camera(spec, **options)
