"""Cameras by their specs, and sentences for specs that make no sense."""

from __future__ import annotations

from typing import Any

import pytest

from emopulse_ros.camera import CameraError, open_camera


@pytest.mark.parametrize(
    ("spec", "options", "says"),
    [
        ("webcam", {}, "synthetic, synthetic:SEED, synthetic:SEEDxFACES"),
        ("", {}, "synthetic, synthetic:SEED, synthetic:SEEDxFACES"),
        ("synthetic:seven", {}, "names no seed"),
        ("synthetic:7x99", {}, "There are 99 faces"),
        ("synthetic:7x0", {}, "There are 0 faces"),
        ("synthetic:-1", {}, "names no seed"),
        ("synthetic", {"duration": 0.0}, "duration"),
        ("synthetic", {"duration": float("nan")}, "duration"),
        ("synthetic", {"rate": 0.0}, "rate"),
        ("video:", {}, "video:PATH"),
        ("video:x.mp4", {"rate": -5.0}, "rate"),
        ("video:x.mp4", {"duration": -1.0}, "duration"),
        ("v4l2:", {"size": (640, 0)}, "width of 640 and a height of 0; give both, or neither"),
        ("genicam:", {"size": (0, 480)}, "width of 0 and a height of 480; give both, or neither"),
        ("v4l2:", {"size": (-1, 480)}, "width of -1 and a height of 480; give both"),
    ],
)
def test_a_spec_that_makes_no_sense_is_answered_by_a_sentence(
    spec: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        open_camera(spec, **options)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_a_camera_error() -> None:
    with pytest.raises(CameraError, match=r"no file 'nowhere\.mp4'"):
        open_camera("video:nowhere.mp4")


def test_the_spec_says_the_seed_and_the_options_the_rest() -> None:
    with open_camera("synthetic:12", rate=100.0, duration=0.03) as camera:
        assert (camera.name, camera.rate, camera.size) == ("synthetic:12", 100.0, (640, 480))
        assert camera.script is not None
        assert camera.script.seed == 12
        assert [frame.stamp for frame in camera] == [0, 10_000_000, 20_000_000]
