"""The face stage on a face that is told where it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from emopulse_ros.face.beside import Beside
from emopulse_ros.face.look import Seen
from emopulse_ros.face.mesh import Mesh, Region
from emopulse_ros.face.stage import ANSWER_AFTER_MS, FaceStage
from emopulse_ros.face.template import STABLE, crop_points, similarity
from emopulse_ros.flow.stage import GAP_MS as FLOW_GAP_MS
from emopulse_ros.stream import FaceCrop, Frame

from .test_align import IMAGE

MS = 1_000_000
WAIT = int(ANSWER_AFTER_MS // 5)
PLACE = np.array([[1.6, 0.0, 150.0], [0.0, 1.6, 120.0]])


def mesh_at(matrix: NDArray[np.float64]) -> Mesh:
    """A mesh whose stable points put the crop at this place."""
    points = np.tile(matrix @ [64.0, 64.0, 1.0], (468, 1))
    for index, place in zip(STABLE, crop_points(np.array(list(STABLE.values())), 128), strict=True):
        points[index] = matrix @ [*place, 1.0]
    return Mesh(points.astype(np.float32), 1.0)


class Eye:
    """Sees faces at ``places``, of those that it is asked about the nearest."""

    def __init__(self) -> None:
        self.places: list[NDArray[np.float64]] = [PLACE]
        self.wanted: list[int] = []

    def __call__(self, _: NDArray[np.uint8], regions: Sequence[Region], wanted: int, /) -> Seen:
        self.wanted.append(wanted)
        meshes = [mesh_at(place) for place in self.places]
        again = []
        for region in regions:
            near = [mesh for mesh in meshes if away(region, mesh) < region.size]
            again.append(min(near, key=lambda mesh: away(region, mesh)) if near else None)
        others = [mesh for mesh in meshes if not any(mesh is known for known in again)]
        return Seen(tuple(again), tuple(others[:wanted]))


def away(region: Region, mesh: Mesh) -> float:
    return float(np.hypot(region.x - mesh.region.x, region.y - mesh.region.y))


@pytest.fixture
def eye() -> Eye:
    return Eye()


@pytest.fixture
def stage(eye: Eye) -> Iterator[FaceStage]:
    beside: Beside[Seen] = Beside(wait=True)
    yield FaceStage(eye, beside)
    beside.close()


def frame(number: int, image: NDArray[np.uint8] = IMAGE) -> Frame:
    return Frame(number * 5 * MS, number, image)


def run(stage: FaceStage, numbers: range) -> list[FaceCrop | None]:
    """Of each frame the crop of its one face, or None."""
    crops = [stage(frame(number)) for number in numbers]
    assert all(len(each) <= 1 for each in crops)
    return [each[0] if each else None for each in crops]


def test_the_template_is_where_the_mesh_says() -> None:
    np.testing.assert_allclose(similarity(mesh_at(PLACE).points, 128), PLACE, atol=1e-3)


def test_a_face_is_followed_a_fixed_time_after_it_was_seen(stage: FaceStage) -> None:
    crops = run(stage, range(60))
    assert all(crop is None for crop in crops[:WAIT])
    assert all(crop is not None for crop in crops[WAIT:])
    last = crops[-1]
    assert last is not None
    assert last.face_id == 1
    assert (last.stamp, last.sequence) == (59 * 5 * MS, 59)
    assert not last.image.flags.writeable
    np.testing.assert_allclose(last.to_image, PLACE, atol=0.05)
    assert stage.status == "following a face"


def test_a_look_begins_when_its_frame_is_done_and_with_the_next_one_at_the_latest(
    stage: FaceStage, eye: Eye
) -> None:
    stage(frame(0))
    assert not eye.wanted
    stage.begin_look()
    stage.beside.take()
    stage.begin_look()
    assert len(eye.wanted) == 1
    stage(frame(WAIT))
    stage(frame(WAIT + 1))
    stage.beside.take()
    assert len(eye.wanted) == 2


def test_it_is_told_why_there_is_no_crop(stage: FaceStage, eye: Eye) -> None:
    eye.places = []
    run(stage, range(20))
    assert stage.status == "no face in view"


@pytest.mark.parametrize(("frames", "face_id"), [(60, 1), (300, 2)], ids=["0.3 s", "1.5 s"])
def test_a_face_that_comes_back_keeps_its_id_for_a_second(
    stage: FaceStage, eye: Eye, frames: int, face_id: int
) -> None:
    run(stage, range(40))
    eye.places = []
    gone = run(stage, range(40, 40 + frames))
    assert gone[-1] is None
    assert stage.status in ("the face has left the view", "no face in view")
    eye.places = [PLACE]
    back = run(stage, range(40 + frames, 80 + frames))[-1]
    assert back is not None
    assert back.face_id == face_id


def test_who_comes_to_another_place_is_somebody_else(stage: FaceStage, eye: Eye) -> None:
    run(stage, range(40))
    eye.places = []
    run(stage, range(40, 90))
    eye.places = [PLACE + np.array([[0, 0, 150.0], [0, 0, 0]])]
    other = run(stage, range(90, 120))[-1]
    assert other is not None
    assert other.face_id == 2


def test_there_is_a_hole_before_a_face_that_comes_back(stage: FaceStage, eye: Eye) -> None:
    """The flow must not read the new alignment as motion of the skin."""
    seen = run(stage, range(40))
    far = PLACE + np.array([[0, 0, 30.0], [0, 0, 0]])
    eye.places = [far]
    crops = [crop for crop in seen + run(stage, range(40, 80)) if crop]
    assert {crop.face_id for crop in crops} == {1}
    assert crops[-1].to_image[0, 2] == pytest.approx(far[0, 2], abs=1.0)
    stamps = np.array([crop.stamp for crop in crops])
    assert np.diff(stamps).max() > FLOW_GAP_MS * MS


def test_the_crop_drifts_slowly_to_where_the_mesh_sees_the_face(stage: FaceStage, eye: Eye) -> None:
    run(stage, range(20))
    eye.places = [PLACE + np.array([[0, 0, 1.6], [0, 0, 0]])]
    crops = [crop for crop in run(stage, range(20, 600)) if crop]
    moved = np.array([crop.to_image[0, 2] - PLACE[0, 2] for crop in crops])
    assert moved[-1] == pytest.approx(1.6, abs=0.2)
    # Between two frames it moves by a few hundredths of a crop pixel at most.
    assert np.abs(np.diff(moved)).max() / 1.6 < 0.12


def test_a_jump_begins_a_new_face(stage: FaceStage, eye: Eye) -> None:
    run(stage, range(40))
    eye.places = [PLACE + np.array([[0, 0, 120.0], [0, 0, 0]])]
    assert any(crop is None for crop in run(stage, range(40, 60)))
    last = run(stage, range(60, 100))[-1]
    assert last is not None
    assert last.face_id == 2


@pytest.mark.parametrize("then", [10, 100], ids=["time goes back", "a hole"])
def test_a_broken_clock_starts_over(stage: FaceStage, then: int) -> None:
    run(stage, range(40))
    assert stage(frame(then)) == []
    assert stage.status == "looking for a face"


def test_a_hidden_face_gives_no_crop(stage: FaceStage) -> None:
    run(stage, range(40))
    covered = np.full_like(IMAGE, 90)
    assert stage(frame(40, covered)) == []
    assert stage.status == "the face is hidden or moves too fast"


SMALL = np.array([[1.2, 0.0, 20.0], [0.0, 1.2, 20.0]])
RIGHT = np.array([[1.4, 0.0, 420.0], [0.0, 1.4, 30.0]])


@pytest.fixture
def crowd(eye: Eye) -> Iterator[FaceStage]:
    eye.places = [PLACE, RIGHT, SMALL]
    beside: Beside[Seen] = Beside(wait=True)
    yield FaceStage(eye, beside, most=3)
    beside.close()


def ids(crops: list[FaceCrop]) -> list[int]:
    return [crop.face_id for crop in crops]


def test_each_of_several_faces_is_followed(crowd: FaceStage) -> None:
    crops = [crowd(frame(number)) for number in range(60)]
    assert all(each == [] for each in crops[:WAIT])
    assert all(ids(each) == [1, 2, 3] for each in crops[WAIT:])
    for crop, place in zip(crops[-1], (PLACE, RIGHT, SMALL), strict=True):
        np.testing.assert_allclose(crop.to_image, place, atol=0.05)
    assert crowd.status == "following 3 faces"
    assert crowd.following == 3


def test_one_of_them_goes_and_comes_back(crowd: FaceStage, eye: Eye) -> None:
    for number in range(40):
        crowd(frame(number))
    eye.places = [PLACE, SMALL]
    assert ids([crowd(frame(number)) for number in range(40, 100)][-1]) == [1, 3]
    eye.places = [PLACE, RIGHT, SMALL]
    crops = [crowd(frame(number)) for number in range(100, 240)]
    assert sorted(ids(crops[-1])) == [1, 2, 3]


def test_a_newcomer_is_found_while_others_are_followed(crowd: FaceStage, eye: Eye) -> None:
    eye.places = [PLACE]
    assert ids([crowd(frame(number)) for number in range(60)][-1]) == [1]
    eye.places = [PLACE, SMALL]
    assert ids([crowd(frame(number)) for number in range(60, 200)][-1]) == [1, 2]
    # The whole picture is not searched at every look.
    assert sum(wanted > 0 for wanted in eye.wanted) < len(eye.wanted) / 5


def test_the_smallest_are_let_go_first(crowd: FaceStage) -> None:
    for number in range(40):
        crowd(frame(number))
    crowd.most = 2
    assert ids(crowd(frame(40))) == [1, 2]
    crowd.most = 3
    assert ids([crowd(frame(number)) for number in range(41, 200)][-1]) == [1, 2, 3]


def test_no_more_than_asked_for(eye: Eye) -> None:
    eye.places = [PLACE, RIGHT, SMALL]
    beside: Beside[Seen] = Beside(wait=True)
    stage = FaceStage(eye, beside, most=2)
    assert ids([stage(frame(number)) for number in range(40)][-1]) == [1, 2]
    beside.close()


def larger(place: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    return place * [[factor, factor, 1.0]]


def test_a_larger_newcomer_takes_the_smallest_ones_place(crowd: FaceStage, eye: Eye) -> None:
    crowd.most = 2
    eye.places = [RIGHT, SMALL]
    assert ids([crowd(frame(number)) for number in range(100)][-1]) == [1, 2]
    eye.places = [larger(PLACE, 1.2), RIGHT, SMALL]
    crops = [crowd(frame(number)) for number in range(100, 1000)]
    assert {tuple(ids(each)) for each in crops} == {(1, 2), (1, 3)}
    # With all places taken the whole picture is searched now and then only.
    assert 2 <= sum(wanted > 0 for wanted in eye.wanted) <= 4
    assert max(eye.wanted[1:]) == 1


def test_two_of_nearly_one_size_do_not_take_turns(stage: FaceStage, eye: Eye) -> None:
    def sway(number: int) -> list[NDArray[np.float64]]:
        """One nods while the other is upright: they seem larger and smaller by turns."""
        swing = 1.0 + 0.12 * np.sin(2 * np.pi * number / 3000)
        return [larger(PLACE, swing), larger(RIGHT, 1.6 / 1.4 / swing)]

    seen = []
    for number in range(6000):
        eye.places = sway(number)
        if number < 40:
            del eye.places[1]
        seen += [crop.face_id for crop in stage(frame(number))]
    assert sum(wanted > 0 for wanted in eye.wanted) > 10
    # The alignment of a still picture knows nothing of growing: only who is followed counts.
    assert set(seen) == {1}


def test_two_that_follow_one_face_become_one(crowd: FaceStage, eye: Eye) -> None:
    eye.places = [PLACE, PLACE + np.array([[0, 0, 180.0], [0, 0, 0]])]
    assert ids([crowd(frame(number)) for number in range(40)][-1]) == [1, 2]
    eye.places = [PLACE]
    assert len([crowd(frame(number)) for number in range(40, 120)][-1]) == 1


def test_who_steps_in_front_of_another_is_not_lost_with_him(crowd: FaceStage, eye: Eye) -> None:
    behind = PLACE + np.array([[0, 0, 70.0], [0, 0, 0]])
    for places in ([PLACE, behind], [behind, PLACE]):
        eye.places = places
        start = 0 if places[0] is PLACE else 1000
        for number in range(start, start + 60):
            crops = crowd(frame(number))
        assert len(crops) == 2
        front = next(crop.face_id for crop in crops if crop.to_image[0, 2] < 180.0)
        eye.places = [PLACE + np.array([[0, 0, 15.0], [0, 0, 0]])]
        later = [ids(crowd(frame(number))) for number in range(start + 60, start + 120)]
        assert all(front in each for each in later)
        assert later[-1] == [front]


def test_a_face_that_has_come_to_look_otherwise_is_followed_again(stage: FaceStage) -> None:
    """The light is another, or it has put on glasses, and the mesh sees it where it was."""
    run(stage, range(40))
    changed = np.ascontiguousarray(IMAGE[::-1, ::-1])
    crops = [stage(frame(number, changed)) for number in range(40, 240)]
    assert not any(crops[:50])
    assert ids(crops[-1]) == [1]
