"""The rendered face: repeatable, true to its script, smooth below a pixel, and found as a face."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("numba", reason="numba, which renders the 3D face, is not installed")

from emopulse_ros.synthesis.face_kit import NARROW_FACE, FaceKit, Part, load_face_kit
from emopulse_ros.synthesis.grid import pixels
from emopulse_ros.synthesis.habits import Habits, write_script
from emopulse_ros.synthesis.mouth import CLOSED, close, gap
from emopulse_ros.synthesis.rendered import RenderedScene
from emopulse_ros.synthesis.script import MILLISECOND, SECOND, Movement, Script

ROOT = Path(__file__).resolve().parents[2]
PATH = Path(os.environ.get("EMOPULSE_FACE_KIT", ROOT / "../shared/face_kit/ict_facekit.npz"))
APEX = 100 * MILLISECOND


@pytest.fixture(scope="module")
def kit() -> FaceKit:
    if not PATH.exists():
        pytest.skip(f"no face kit at {PATH} (EMOPULSE_FACE_KIT)")
    return load_face_kit(PATH)


def script(*units: tuple[int, float, float], sway: NDArray[np.float64] | None = None) -> Script:
    movement = Movement(
        "micro",
        tuple(code for code, _, _ in units),
        tuple((left, right) for _, left, right in units),
        0,
        APEX,
        2 * APEX,
    )
    return Script(0, SECOND, (movement,), np.zeros((6, 1, 3)) if sway is None else sway)


def leaning(field: int, amount: float) -> NDArray[np.float64]:
    """A sway that starts at rest and has one field of the pose at ``amount`` at the apex."""
    sway = np.zeros((6, 1, 3))
    sway[field, 0] = amount, 2.5, 0.0
    return sway


def visible_skin(scene: RenderedScene, kit: FaceKit) -> NDArray[np.intp]:
    """Vertices of the face away from its outline: turned to the camera in the picture."""
    points = scene.vertices(0)[kit.triangles]
    (ax, ay), (bx, by) = (points[:, 1] - points[:, 0]).T, (points[:, 2] - points[:, 0]).T
    area = ax * by - ay * bx
    skin = (kit.part[kit.triangles] == Part.FACE).all(axis=1) & (area < -0.3)
    chosen = np.unique(kit.triangles[skin])
    return chosen[chosen < NARROW_FACE.stop]


def test_pictures_depend_on_time_alone(kit: FaceKit) -> None:
    scene = RenderedScene(write_script(4, SECOND), kit, 4, size=(200, 160), face_width=100)
    times = [0, 5 * MILLISECOND, 600 * MILLISECOND, 605 * MILLISECOND]
    forth = [scene.render(time) for time in times]
    back = [scene.render(time) for time in reversed(times)][::-1]
    again = RenderedScene(write_script(4, SECOND), kit, 4, size=(200, 160), face_width=100)
    for one, other, time in zip(forth, back, times, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, again.render(time))
    assert forth[0].shape == (160, 200)
    assert forth[0].dtype == np.uint8
    assert not forth[0].flags.writeable
    assert (forth[0] != forth[1]).mean() > 0.3  # noise of its own


def test_a_face_at_rest_stands_still(kit: FaceKit) -> None:
    scene = RenderedScene(script(), kit, 5, noise=0.0)
    np.testing.assert_array_equal(scene.render(0), scene.render(5 * MILLISECOND))


def test_seeds_are_people(kit: FaceKit) -> None:
    one, other = (RenderedScene(script(), kit, seed).render(0).astype(int) for seed in (6, 7))
    assert np.abs(one - other).mean() > 8


def test_a_smile_flows_as_the_vertices_do(kit: FaceKit) -> None:
    scene = RenderedScene(script((12, 0.2, 0.2)), kit, 8, noise=0.0)
    before, after = scene.render(0), scene.render(APEX)
    chosen = visible_skin(scene, kit)
    start, moved = scene.vertices(0)[chosen], (scene.vertices(APEX) - scene.vertices(0))[chosen]
    assert 0.5 < np.linalg.norm(moved, axis=1).max() < 5.0
    dense = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(before, after, None)
    seen = cv2.remap(dense, start[:, None, 0], start[:, None, 1], cv2.INTER_LINEAR)[:, 0]
    assert np.corrcoef(seen.ravel(), moved.ravel())[0, 1] > 0.9
    assert 0.7 < (seen * moved).sum() / (moved**2).sum() < 1.2


def test_the_left_half_is_the_persons_left(kit: FaceKit) -> None:
    scene = RenderedScene(script((12, 0.5, 0.0)), kit, 9, noise=0.0)
    change = np.abs(scene.render(APEX).astype(int) - scene.render(0))
    middle = round(float(scene.vertices(0)[NARROW_FACE, 0].mean()))
    assert change[:, middle:].sum() > 5 * change[:, :middle].sum()


@pytest.mark.parametrize(
    ("field", "amount", "right", "down"),
    [(0, 0.1, 15.0, 0.0), (1, 0.1, 0.0, 15.0), (3, 0.1, 15.0, 0.0), (4, 0.1, 0.0, 15.0)],
    ids=["right", "down", "yaw", "pitch"],
)
def test_the_head_goes_where_the_pose_says(
    kit: FaceKit, field: int, amount: float, right: float, down: float
) -> None:
    scene = RenderedScene(script(sway=leaning(field, amount)), kit, 10, face_width=150)
    nose = int(np.argmax(kit.neutral[:, 2]))
    moved = (scene.vertices(APEX) - scene.vertices(0))[nose]
    # Turning, the tip of the nose swings about the middle of the head, 13 cm behind it.
    np.testing.assert_allclose(moved, (right, down), atol=4.0)


def test_roll_is_clockwise_and_scale_enlarges(kit: FaceKit) -> None:
    rolled = RenderedScene(script(sway=leaning(2, 0.1)), kit, 10)
    eyes = [np.flatnonzero(kit.part == part) for part in (Part.EYE_RIGHT, Part.EYE_LEFT)]
    right, left = (rolled.vertices(APEX)[own].mean(axis=0) for own in eyes)
    was_right, was_left = (rolled.vertices(0)[own].mean(axis=0) for own in eyes)
    assert (left - right)[1] - (was_left - was_right)[1] > 3.0
    grown = RenderedScene(script(sway=leaning(5, 0.1)), kit, 10)
    width = np.ptp(grown.vertices(APEX)[:, 0]) / np.ptp(grown.vertices(0)[:, 0])
    assert width == pytest.approx(1.1, abs=1e-3)


def test_lids_close_over_eyes_that_stay(kit: FaceKit) -> None:
    scene = RenderedScene(script((45, 1.0, 1.0)), kit, 11, noise=0.0)
    eye = np.flatnonzero(kit.part == Part.EYE_LEFT)
    np.testing.assert_array_equal(scene.vertices(0)[eye], scene.vertices(APEX)[eye])
    x, y = scene.vertices(0)[eye].mean(axis=0).round().astype(int)
    window = (slice(y - 4, y + 5), slice(x - 6, x + 7))
    open_eye, closed = scene.render(0)[window], scene.render(APEX)[window]
    assert closed.min() > open_eye.min() + 20  # no pupil


def test_mouths_are_closed_at_rest_and_opened_by_parting_lips(kit: FaceKit) -> None:
    for seed in range(6):
        head = close(kit, kit.person(seed))
        assert gap(kit, head) < CLOSED + 1e-3
        weights = kit.weights(script((25, 1.0, 1.0)).strength(APEX))
        parted = head + np.tensordot(weights, kit.expression, 1)
        assert gap(kit, parted) > CLOSED + 0.3


def test_outlines_move_smoothly(kit: FaceKit) -> None:
    # The head goes 0.07 px per frame. What a pixel does must follow from what it did before, on
    # outlines too, down to the rounding of gray levels. Hard outlines have a share of 0.76.
    scene = RenderedScene(script(sway=leaning(0, 0.06)), kit, 8, noise=0.0)
    frames = np.stack([scene.render(step * MILLISECOND // 2) for step in range(32)])
    change = np.moveaxis(np.diff(frames.astype(np.float32), axis=0), 0, -1)
    assert 0.3 < change.std() < 3.0
    change = cv2.GaussianBlur(change, (0, 0), 2.0)
    assert np.diff(change, axis=-1).std() < 0.45 * change.std()


@pytest.mark.parametrize("seed", [20, 21, 22, 23])
def test_a_detector_of_real_faces_finds_it(kit: FaceKit, seed: int) -> None:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    finder = pytest.importorskip("emopulse_ros.face.finder")
    scene = RenderedScene(script(), kit, seed)
    found = finder.FaceFinder().find(scene.render(0))
    assert len(found) == 1
    centre = scene.vertices(0)[NARROW_FACE].mean(axis=0)
    left, top, right, bottom = found[0].box
    assert left < centre[0] < right
    assert top < centre[1] < bottom


def test_flow_is_that_of_the_vertices_and_of_the_pictures(kit: FaceKit) -> None:
    moving = write_script(7, 2 * SECOND, Habits(strength=(0.3, 0.8)))
    scene = RenderedScene(moving, kit, 7, noise=0.0)
    start, end = 500 * MILLISECOND, 700 * MILLISECOND
    flow = scene.flow(start, end)
    chosen = visible_skin(scene, kit)
    points = scene.vertices(start)[chosen]
    told = scene.vertices(end)[chosen] - points
    seen = cv2.remap(flow, points[None], None, cv2.INTER_LINEAR)[0]
    known = np.isfinite(seen).all(axis=1)
    assert known.mean() > 0.95
    assert np.percentile(np.linalg.norm((seen - told)[known], axis=1), 95) < 0.1
    head = np.isfinite(flow[..., 0])
    later = scene.light(end)
    back = cv2.remap(later, pixels(*flow.shape[1::-1]) + flow, None, cv2.INTER_LINEAR)
    before, after = (np.abs(light - scene.light(start))[head].mean() for light in (later, back))
    assert after < 0.5 * before
    assert np.nanmax(np.abs(scene.flow(start, start))) == 0.0
