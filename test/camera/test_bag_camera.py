"""The images of a bag as a camera."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("rosbags", reason="rosbags is not installed: requirements/evaluation.txt")

from bag.bags import STEP, compressed, image, images, new, picture, write_bag

from emopulse_ros.camera import BagCamera, CameraError, Paced, open_camera

BEGIN = 1_700_000_000 * 10**9


def read(path: Path, **options: Any) -> list[tuple[int, int, int]]:
    """Stamp, number and brightness of each frame."""
    with BagCamera(path, **options) as camera:
        return [(one.stamp, one.sequence, int(one.image[0, 0])) for one in camera]


def test_frames_have_the_images_stamps_from_the_first_on(tmp_path: Path) -> None:
    frames = [(9, image(BEGIN + n * STEP, picture(n))) for n in range(40)]
    path = write_bag(tmp_path / "bag", {"/eye": frames})
    assert read(path) == [(n * STEP, n, n) for n in range(40)]
    assert read(path, absolute=True) == [(BEGIN + n * STEP, n, n) for n in range(40)]
    assert len(read(path, duration=0.1)) == 20
    with open_camera(f"bag:{path}") as camera:
        assert (camera.rate, camera.size) == (200.0, (16, 12))
        assert isinstance(camera, BagCamera)
        assert camera.origin == BEGIN
        frame = next(camera)
        assert not frame.image.flags.writeable


def test_what_was_lost_leaves_a_gap(tmp_path: Path) -> None:
    numbers = [n for n in range(60) if n not in (30, 31, 45)]
    frames = read(write_bag(tmp_path / "bag", {"/eye": images(numbers)}))
    assert [sequence for _, sequence, _ in frames] == numbers


@pytest.mark.parametrize("kind", ["compressed", "bgr8"])
def test_pictures_of_other_kinds_become_gray(tmp_path: Path, kind: str) -> None:
    grays = [picture(n) for n in range(1, 5)]
    colours = [cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR) for gray in grays]
    messages = [
        (
            n,
            compressed(n * STEP, grays[n])
            if kind == "compressed"
            else image(n * STEP, colours[n], kind),
        )
        for n in range(4)
    ]
    path = write_bag(tmp_path / "bag", {"/eye": messages})
    assert [level for _, _, level in read(path)] == [1, 2, 3, 4]


def test_time_that_goes_back_and_pictures_that_are_none_are_left_out(tmp_path: Path) -> None:
    messages = images(range(50))
    messages[30:30] = [(29 * STEP + 2000, image(7 * STEP, picture(7)))] * 2
    messages[40:40] = [(37 * STEP + 2000, image(37 * STEP + 1, picture(1), "mono16"))]
    path = write_bag(tmp_path / "bag", {"/eye": messages})
    with BagCamera(path) as camera:
        assert [frame.stamp for frame in camera] == [n * STEP for n in range(50)]
        told = camera.shortfall
    assert told is not None
    assert "2 images on /eye were left out because their stamps do not rise" in told
    assert "1 images on /eye were left out, the first because its encoding is 'mono16'" in told


def test_of_several_topics_one_is_chosen(tmp_path: Path) -> None:
    topics = {"/left": images(range(5)), "/right": images(range(3))}
    path = write_bag(tmp_path / "bag", topics)
    with pytest.raises(CameraError, match=r"several topics of images: choose one; .*/left, /right"):
        BagCamera(path)
    with pytest.raises(CameraError, match=r"no images on /up .*there are /left, /right"):
        BagCamera(path, "/up")
    assert len(read(path, topic="/right")) == 3
    with open_camera(f"bag:{path}@/left") as camera:
        assert len(list(camera)) == 5


def test_bags_without_a_picture_are_told(tmp_path: Path) -> None:
    words = write_bag(tmp_path / "a", {"/word": [(5, new("std_msgs/msg/String", data="hello"))]})
    with pytest.raises(CameraError, match=r"no images in .*holds /word \(std_msgs/msg/String\)"):
        BagCamera(words)
    odd = write_bag(tmp_path / "b", {"/eye": [(5, image(5, picture(1), "mono16"))]})
    with pytest.raises(CameraError, match=r"no image on /eye .*its encoding is 'mono16'"):
        BagCamera(odd)
    with pytest.raises(CameraError, match="there is no bag at"):
        BagCamera(tmp_path / "c")
    with pytest.raises(ValueError, match="A bag needs a path"):
        open_camera("bag:")
    with pytest.raises(ValueError, match="speed of a bag is 0"):
        open_camera(f"bag:{words}", rate=0.001)


def test_a_bag_is_played_at_the_speed_asked_for(tmp_path: Path) -> None:
    path = write_bag(tmp_path / "bag", {"/eye": images(range(20))})
    now = 0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += max(round(seconds * 1e9), 1000)

    with Paced(
        open_camera(f"bag:{path}", rate=0.5), lambda: 7, clock=lambda: now, sleep=sleep
    ) as it:
        frames = list(it)
        # Twice as long as it was, with the stamps that it had.
        assert now == pytest.approx(2 * 19 * STEP, rel=0.01)
        assert np.diff([frame.stamp for frame in frames]).tolist() == [STEP] * 19
        assert it.skipped == it.belated == 0
