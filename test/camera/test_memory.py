"""A camera out of memory."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from emopulse_ros.camera import CameraError, MemoryCamera, SyntheticCamera, open_camera
from emopulse_ros.camera.memory import AHEAD_S
from emopulse_ros.stream import Frame


def test_it_plays_to_and_fro() -> None:
    kept = round(AHEAD_S * 200)
    with open_camera("memory:synthetic:5") as camera, open_camera("synthetic:5") as drawn:
        frames = list(islice(camera, 2 * kept))
        assert camera.name == "memory:synthetic:5"
        assert camera.script is None
        for frame, original in zip(frames[:40], drawn, strict=False):
            np.testing.assert_array_equal(frame.image, original.image)
    assert [frame.stamp for frame in frames] == [number * 5_000_000 for number in range(2 * kept)]
    assert [frame.sequence for frame in frames] == list(range(2 * kept))
    # By reference, backwards from the end, and forwards again from the start.
    assert frames[kept].image is frames[kept - 2].image
    assert frames[2 * kept - 2].image is frames[0].image
    assert not frames[0].image.flags.writeable


def test_it_ends_when_told() -> None:
    with open_camera("memory:synthetic", duration=0.1) as camera:
        assert len(list(camera)) == 20


class Blind(SyntheticCamera):
    """A camera that ends before its first picture."""

    def __next__(self) -> Frame:
        raise StopIteration


def test_a_camera_without_a_picture() -> None:
    with pytest.raises(CameraError, match="has no picture"):
        MemoryCamera(Blind(0))
