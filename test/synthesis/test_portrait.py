"""The portrait: repeatable, plausible, and where its landmarks say it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emopulse_ros.facs import CODES, INDEX, unit
from emopulse_ros.synthesis.grid import pixels
from emopulse_ros.synthesis.habits import Habits, write_script
from emopulse_ros.synthesis.lens import LEVEL, Sensor
from emopulse_ros.synthesis.likeness import astronaut
from emopulse_ros.synthesis.portrait import PortraitScene
from emopulse_ros.synthesis.script import MILLISECOND, SECOND, Movement, Script

APEX = 100 * MILLISECOND
FACE_WIDTH = 200.0
LID_EDGES = (
    33, 246, 161, 160, 159, 158, 157, 173, 133, 7, 163, 144, 145, 153, 154, 155,
    263, 466, 388, 387, 386, 385, 384, 398, 362, 249, 390, 373, 374, 380, 381, 382,
)  # fmt: skip
RIGHT_LIDS, LEFT_LIDS = ((159, 145), (158, 153)), ((386, 374), (385, 380))


def script(*codes: int, strength: tuple[float, float] = (1.0, 1.0)) -> Script:
    """These units with their apex at :data:`APEX`, the head at rest."""
    move = Movement("macro", codes, (strength,) * len(codes), 0, APEX, 2 * APEX)
    return Script(0, SECOND, (move,), np.zeros((6, 1, 3)))


def leaning(field: int, amount: float) -> Script:
    """A head that starts at rest and has one field of its pose at ``amount`` at the apex."""
    sway = np.zeros((6, 1, 3))
    sway[field, 0] = amount, 2.5, 0.0
    return Script(0, SECOND, (), sway)


def motion(scene: PortraitScene) -> NDArray[np.float32]:
    """How far each landmark has come at the apex, in pixels."""
    return scene.landmarks(APEX) - scene.landmarks(0)


def tracked(
    before: NDArray[np.uint8], after: NDArray[np.uint8], points: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Where an optical flow finds ``points`` again, in small windows."""
    found, _, _ = cv2.calcOpticalFlowPyrLK(
        before, after, points[:, None], None, winSize=(9, 9), maxLevel=3, criteria=(3, 60, 1e-3)
    )
    return found[:, 0]


@pytest.fixture(scope="module")
def rest() -> PortraitScene:
    return PortraitScene(script(), noise=0.0)


def test_pictures_depend_on_time_alone() -> None:
    one, other = (PortraitScene(write_script(5, 4 * SECOND)) for _ in range(2))
    times = [k * 5 * MILLISECOND for k in range(0, 600, 29)]
    forwards = [one.render(time) for time in times]
    backwards = [other.render(time) for time in reversed(times)][::-1]
    for a, b in zip(forwards, backwards, strict=True):
        assert np.array_equal(a, b)
    assert forwards[0].shape == (480, 640)
    assert forwards[0].dtype == np.uint8
    assert not forwards[0].flags.writeable


def test_pictures_given_out_stay_as_they_are() -> None:
    scene = PortraitScene(script(12))
    first = scene.render(0)
    before = first.copy()
    scene.render(APEX)
    assert np.array_equal(first, before)


def test_noise_is_fresh_and_as_strong_as_asked_for() -> None:
    scene = PortraitScene(script(), noise=3.0)
    one, two, three = (scene.render(k * 5 * MILLISECOND).astype(float) for k in range(3))
    for difference in (two - one, three - two):
        assert difference.std() == pytest.approx(3.0 * 2**0.5, rel=0.05)
    assert abs(np.corrcoef((two - one).ravel(), (three - one).ravel())[0, 1] - 0.5) < 0.05


def test_light_between_two_gray_levels_is_not_lost() -> None:
    sensor = Sensor(1, (64, 64), noise=2.0)
    light = np.full((64, 64), round(100.3 * LEVEL), np.int16)
    shots = np.mean([sensor.expose(light, time) for time in range(100)])
    assert shots == pytest.approx(100.3, abs=0.05)


@pytest.mark.parametrize("code", CODES)
def test_the_skin_goes_where_the_landmarks_say(code: int, rest: PortraitScene) -> None:
    moved = PortraitScene(script(code, strength=(0.5, 0.5)), noise=0.0)
    start, end = rest.landmarks(0), moved.landmarks(APEX)
    # At the edge of a lid the skin slides over the eyeball, of which an optical flow knows nothing.
    skin = ~np.isin(np.arange(468), LID_EDGES)
    chosen = skin & (np.linalg.norm(end - start, axis=1) > 1.0)
    assert chosen.sum() >= 12
    found = tracked(rest.render(0), moved.render(APEX), start[chosen])
    told, seen = end[chosen] - start[chosen], found - start[chosen]
    assert np.median(np.linalg.norm(seen - told, axis=1)) < (1.2 if code == 45 else 0.5)
    assert 0.75 < (seen * told).sum() / (told * told).sum() < 1.25


# Landmarks on the person's right, and which way the unit moves them: (right, down) as seen.
WAYS = {
    1: (55, 0, -1), 2: (53, 0, -1), 4: (55, 1, 1), 5: (159, 0, -1), 6: (50, 0, -1), 7: (145, 0, -1),
    9: (49, 0, -1), 10: (39, 0, -1), 12: (61, -1, -1), 14: (202, 0, -1), 15: (61, 0, 1),
    17: (17, 0, -1), 20: (61, -1, 0), 25: (17, 0, 1), 45: (159, 0, 1),
}  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_each_unit_pulls_its_own_way_and_far_enough(code: int) -> None:
    way = motion(PortraitScene(script(code)))
    mark, right, down = WAYS[code]
    x, y = way[mark] / FACE_WIDTH
    if right:
        assert x * right > 0.01
    if down:
        assert y * down > 0.01
    largest = np.linalg.norm(way, axis=1).max() * 128.0 / FACE_WIDTH
    assert 2.5 <= largest <= 11.0


@pytest.mark.parametrize("code", CODES)
def test_the_halves_of_the_face_move_alone(code: int) -> None:
    both = motion(PortraitScene(script(code)))
    left = motion(PortraitScene(script(code, strength=(1.0, 0.0))))
    right = motion(PortraitScene(script(code, strength=(0.0, 1.0))))
    # The person's left is at the viewer's right.
    at_left = astronaut().landmarks[:, 0] > astronaut().landmarks[:, 0].mean() + 15
    at_right = astronaut().landmarks[:, 0] < astronaut().landmarks[:, 0].mean() - 15
    assert np.abs(left[at_right]).max() < 0.25 * np.abs(left[at_left]).max()
    assert np.abs(right[at_left]).max() < 0.25 * np.abs(right[at_right]).max()
    if not unit(code).sided:
        # Halves of one movement: they share what lies in the middle, such as the lip's.
        for half in (left, right):
            assert 0.25 < half[17, 1] / both[17, 1] < 0.75


def test_a_blink_closes_the_lids_over_the_eyes(rest: PortraitScene) -> None:
    blink = PortraitScene(script(45), noise=0.0)
    opened, closed = rest.landmarks(0), blink.landmarks(APEX)
    seen, hidden = rest.render(0), blink.render(APEX)
    for upper, lower in (*RIGHT_LIDS, *LEFT_LIDS):
        assert opened[lower, 1] - opened[upper, 1] > 8.0
        assert abs(closed[lower, 1] - closed[upper, 1]) < 1.0
    for upper, lower in (RIGHT_LIDS[0], LEFT_LIDS[0]):
        x, y = np.rint((opened[upper] + opened[lower]) / 2).astype(int)
        iris = np.s_[y - 3 : y + 3, x - 6 : x + 6]
        # Where the iris was there is skin, as bright as the skin above it.
        assert hidden[iris].min() > seen[iris].min() + 30


def test_an_eyeball_stays_while_the_lids_tighten(rest: PortraitScene) -> None:
    marks = rest.landmarks(0)
    x, y = np.rint((marks[159] + marks[145]) / 2).astype(int)
    pupil = np.s_[y - 1 : y + 2, x - 4 : x + 5]
    for code in (2, 7, 12):
        tight = PortraitScene(script(code, strength=(0.5, 0.5)), noise=0.0).render(APEX)
        assert np.abs(tight[pupil].astype(int) - rest.render(0)[pupil]).max() <= 1


def test_a_hundredth_of_a_pixel_shows_in_the_picture() -> None:
    scenes = [PortraitScene(leaning(0, shift / FACE_WIDTH), noise=0.0) for shift in (0.02, 0.05)]
    for scene, shift in zip(scenes, (0.02, 0.05), strict=True):
        # The light, before the sensor rounds it: its rounding is for the noise to dither.
        scene.render(0)
        before = scene._light.astype(float)
        scene.render(APEX)
        change = scene._light - before
        face = np.s_[180:340, 240:400]
        slope = np.gradient(before, axis=1)[face]
        found = -(slope * change[face]).sum() / (slope * slope).sum()
        assert found == pytest.approx(shift, abs=0.008)


@pytest.mark.parametrize(
    ("field", "amount"), [(0, 0.05), (1, 0.05), (2, 0.05), (3, 0.1), (4, 0.1), (5, 0.05)]
)
def test_the_head_goes_where_the_landmarks_say(
    field: int, amount: float, rest: PortraitScene
) -> None:
    leant = PortraitScene(leaning(field, amount), noise=0.0)
    start, end = leant.landmarks(0), leant.landmarks(APEX)
    assert np.linalg.norm(end - start, axis=1).max() > 2.0
    found = tracked(rest.render(0), leant.render(APEX), start)
    assert np.median(np.linalg.norm(found - end, axis=1)) < 0.2
    # Behind the head nothing moves.
    corner = np.s_[:15, :25]
    assert np.array_equal(rest.render(0)[corner], leant.render(APEX)[corner])


@pytest.mark.parametrize(("field", "amount"), [(2, 0.1), (3, 0.15), (4, 0.15)])
def test_the_eyes_go_with_the_head(field: int, amount: float) -> None:
    scene = PortraitScene(leaning(field, amount), noise=0.0)
    went = np.sort(scene.eyes(APEX) - scene.eyes(0), axis=0)
    marks = scene.landmarks(APEX) - scene.landmarks(0)
    lids = np.sort(
        [marks[[33, 133, 159, 145]].mean(0), marks[[263, 362, 386, 374]].mean(0)], axis=0
    )
    assert np.abs(went).max() > 3.0
    assert np.abs(went - lids).max() < 1.0


def test_what_is_nearer_to_the_camera_moves_more_when_the_head_turns() -> None:
    turned = motion(PortraitScene(leaning(3, 0.1)))
    nose, eye, ear = turned[4, 0], turned[133, 0], turned[234, 0]
    assert nose > eye + 2.0 > ear + 4.0
    assert motion(PortraitScene(leaning(4, 0.1)))[4, 1] > 5.0


def test_varied_scenes_are_other_faces_and_repeatable() -> None:
    told = write_script(1, SECOND)
    scenes = [PortraitScene.varied(seed, told, (256, 256)) for seed in (3, 3, 4, 5)]
    pictures = [scene.render(500 * MILLISECOND) for scene in scenes]
    assert np.array_equal(pictures[0], pictures[1])
    assert pictures[0].shape == (256, 256)
    for other in pictures[2:]:
        assert np.abs(other.astype(int) - pictures[0]).mean() > 5
    for scene in scenes:
        width = np.ptp(scene.landmarks(0)[:, 0])
        assert 110 < width < 190


def test_a_mirrored_likeness_is_the_same_face_the_other_way_round() -> None:
    face, mirrored = astronaut(), astronaut().mirrored()
    last = face.picture.shape[1] - 1
    # The left lip corner has become the right one.
    assert mirrored.landmarks[61, 0] == pytest.approx(last - face.landmarks[291, 0])
    assert mirrored.landmarks[61, 0] < mirrored.landmarks[291, 0]
    assert np.array_equal(mirrored.mirrored().landmarks, face.landmarks)
    assert np.array_equal(mirrored.mirrored().picture, face.picture)


@pytest.mark.parametrize("seed", range(3))
def test_a_morphed_likeness_keeps_its_landmarks_on_its_features(seed: int) -> None:
    face, morphed = astronaut(), astronaut().morphed(np.random.default_rng(seed))
    assert np.linalg.norm(morphed.landmarks - face.landmarks, axis=1).max() > 2.0

    def at_marks(picture: NDArray[np.uint8], marks: NDArray[np.float32]) -> NDArray[np.float64]:
        places = marks[None, :, :2].copy()
        return cv2.remap(picture, places, None, cv2.INTER_LINEAR)[0].astype(float)

    before = at_marks(face.picture, face.landmarks)
    after = at_marks(morphed.picture, morphed.landmarks)
    assert np.median(np.abs(after - before)) < 2.0
    assert np.median(np.abs(at_marks(morphed.picture, face.landmarks) - before)) > 4.0


def test_units_are_in_the_order_of_the_one_list() -> None:
    # A scene takes a row of the script's strength for each unit: a swap would go unseen above.
    assert [INDEX[code] for code in CODES] == list(range(len(CODES)))
    assert set(WAYS) == set(CODES)


def test_flow_is_the_motion_of_the_pictures() -> None:
    scene = PortraitScene.varied(7, write_script(7, 2 * SECOND, Habits(strength=(0.3, 0.8))))
    start, end = 500 * MILLISECOND, 700 * MILLISECOND
    flow = scene.flow(start, end)
    skin = np.isfinite(flow[..., 0])
    assert 0.97 < skin.mean() < 1.0, "only the eyes are left out"
    back = cv2.remap(scene.light(end), pixels(*flow.shape[1::-1]) + flow, None, cv2.INTER_LINEAR)
    before, after = (
        np.abs(light - scene.light(start))[20:-20, 20:-20][skin[20:-20, 20:-20]].mean()
        for light in (scene.light(end), back)
    )
    assert after < 0.35 * before
    assert np.nanmax(np.abs(scene.flow(start, start))) < 0.01


def test_flow_is_that_of_the_landmarks() -> None:
    scene = PortraitScene(write_script(9, 2 * SECOND, Habits(strength=(0.3, 0.8))), noise=0.0)
    start, end = 600 * MILLISECOND, 900 * MILLISECOND
    marks = scene.landmarks(start)
    skin = ~np.isin(np.arange(468), LID_EDGES)
    told = (scene.landmarks(end) - marks)[skin]
    flow = cv2.remap(scene.flow(start, end), marks[skin][None], None, cv2.INTER_LINEAR)[0]
    seen = np.isfinite(flow).all(axis=1)
    assert seen.mean() > 0.9
    assert np.percentile(np.linalg.norm((flow - told)[seen], axis=1), 95) < 0.1
