"""What goes wrong does so by name and level, the same each time, and harms no frame it keeps."""

from __future__ import annotations

import numpy as np
import pytest

from emopulse_ros.stream import Frame
from emopulse_ros.synthesis.corruption import CORRUPTIONS, filmed_through
from emopulse_ros.synthesis.habits import MICRO, write_script
from emopulse_ros.synthesis.portrait import PortraitScene
from emopulse_ros.synthesis.scene import filmed
from emopulse_ros.synthesis.script import MILLISECOND, SECOND

LENGTH = 120 * MILLISECOND
SCENE = PortraitScene.varied(3, write_script(3, SECOND, MICRO))
FRAMES = list(filmed(SCENE, LENGTH))


def corrupted(name: str, level: int, seed: int = 5) -> list[Frame]:
    return list(filmed_through(SCENE, LENGTH, seed, {name: CORRUPTIONS[name].levels[level]}))


def away(frames: list[Frame]) -> float:
    """How far the pictures are from what they were, in gray levels."""
    before = {frame.stamp: frame.image.astype(np.float64) for frame in FRAMES}
    return float(np.mean([np.abs(frame.image - before[frame.stamp]).mean() for frame in frames]))


def noise(frames: list[Frame]) -> float:
    """How much the still background changes from frame to frame, in gray levels."""
    still = [frame.image[:9, :9].astype(float) for frame in frames[8:]]
    return float(np.std(np.diff(still, axis=0)) / np.sqrt(2.0))


def test_without_trouble_a_scene_is_filmed_as_it_is() -> None:
    for frame, plain in zip(filmed_through(SCENE, LENGTH, 5, {}), FRAMES, strict=True):
        assert (frame.stamp, frame.sequence) == (plain.stamp, plain.sequence)
        assert np.array_equal(frame.image, plain.image)


def test_a_corruption_nobody_knows_is_refused() -> None:
    with pytest.raises(KeyError, match="fog"):
        list(filmed_through(SCENE, LENGTH, 5, {"fog": 1.0}))


@pytest.mark.parametrize("name", ["motion_blur", "low_contrast", "small_face", "off_centre"])
def test_the_sensor_is_as_noisy_whatever_happens_to_the_light(name: str) -> None:
    assert noise(corrupted(name, 2)) == pytest.approx(noise(FRAMES), rel=0.15)


def test_troubles_happen_in_their_own_order() -> None:
    one, other = ({"glasses": 0.08, "small_face": 0.5}, {"small_face": 0.5, "glasses": 0.08})
    for a, b in zip(
        filmed_through(SCENE, LENGTH, 5, one), filmed_through(SCENE, LENGTH, 5, other), strict=True
    ):
        assert np.array_equal(a.image, b.image)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_seed_gives_the_same_bytes(name: str) -> None:
    one, again = corrupted(name, 1), corrupted(name, 1)
    assert [frame.stamp for frame in one] == [frame.stamp for frame in again]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(one, again, strict=True))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_frames_stay_frames(name: str) -> None:
    kept = corrupted(name, 2)
    stamps, numbers = [f.stamp for f in kept], [f.sequence for f in kept]
    assert kept
    assert stamps == sorted(set(stamps))
    assert numbers == sorted(set(numbers))
    for frame in kept:
        assert frame.image.dtype == np.uint8
        assert not frame.image.flags.writeable


@pytest.mark.parametrize(
    "name", ["sensor_noise", "exposure_flicker", "jpeg", "rolling_light", "glasses", "off_centre"]
)
def test_a_higher_level_changes_more(name: str) -> None:
    mild, medium, strong = (away(corrupted(name, level)) for level in range(3))
    assert 0.0 < mild < medium < strong


def test_contrast_falls_with_its_factor() -> None:
    spread = [np.std(corrupted("low_contrast", level)[0].image) for level in range(3)]
    assert np.std(FRAMES[0].image) > spread[0] > spread[1] > spread[2]


def test_dropped_frames_leave_gaps_in_the_numbers_and_a_slow_camera_does_not() -> None:
    dropped, slow = corrupted("dropped_frames", 2), corrupted("slow_camera", 0)
    assert len(dropped) < len(FRAMES)
    assert len(slow) == len(FRAMES) // 2
    assert [frame.sequence for frame in slow] == list(range(len(slow)))
    assert slow[1].stamp - slow[0].stamp == 10 * MILLISECOND


def test_glasses_stay_on_the_eyes() -> None:
    worn = corrupted("glasses", 1)[0].image.astype(int)
    changed = np.abs(worn - FRAMES[0].image) > 20
    rows, columns = np.nonzero(changed)
    eyes = SCENE.eyes(0)
    apart = float(np.hypot(*(eyes[0] - eyes[1])))
    assert np.abs(np.array([columns.mean(), rows.mean()]) - eyes.mean(axis=0)).max() < 0.2 * apart
    assert np.ptp(columns) < 2.2 * apart
