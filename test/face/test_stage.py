"""The face stage on a face that is told where it is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from emopulse_ros.face.beside import Beside
from emopulse_ros.face.mesh import Mesh, Region
from emopulse_ros.face.stage import ANSWER_AFTER_MS, FaceStage
from emopulse_ros.face.template import STABLE, crop_points, similarity
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
    """Sees a face at ``place``, or none."""

    def __init__(self) -> None:
        self.place: NDArray[np.float64] | None = PLACE
        self.regions: list[Region | None] = []

    def __call__(self, _: NDArray[np.uint8], region: Region | None) -> Mesh | None:
        self.regions.append(region)
        return None if self.place is None else mesh_at(self.place)


@pytest.fixture
def eye() -> Eye:
    return Eye()


@pytest.fixture
def stage(eye: Eye) -> Iterator[FaceStage]:
    beside: Beside[Mesh | None] = Beside(wait=True)
    yield FaceStage(eye, beside)
    beside.close()


def frame(number: int, image: NDArray[np.uint8] = IMAGE) -> Frame:
    return Frame(number * 5 * MS, number, image)


def run(stage: FaceStage, numbers: range) -> list[FaceCrop | None]:
    return [stage(frame(number)) for number in numbers]


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


def test_it_is_told_why_there_is_no_crop(stage: FaceStage, eye: Eye) -> None:
    eye.place = None
    run(stage, range(20))
    assert stage.status == "no face in view"


def test_a_face_that_comes_back_has_a_new_id(stage: FaceStage, eye: Eye) -> None:
    run(stage, range(40))
    eye.place = None
    gone = run(stage, range(40, 90))
    assert gone[-1] is None
    eye.place = PLACE
    back = run(stage, range(90, 120))[-1]
    assert back is not None
    assert back.face_id == 2


def test_the_crop_drifts_slowly_to_where_the_mesh_sees_the_face(stage: FaceStage, eye: Eye) -> None:
    run(stage, range(20))
    eye.place = PLACE + np.array([[0, 0, 1.6], [0, 0, 0]])
    crops = [crop for crop in run(stage, range(20, 600)) if crop]
    moved = np.array([crop.to_image[0, 2] - PLACE[0, 2] for crop in crops])
    assert moved[-1] == pytest.approx(1.6, abs=0.2)
    # Between two frames it moves by a few hundredths of a crop pixel at most.
    assert np.abs(np.diff(moved)).max() / 1.6 < 0.12


def test_a_jump_begins_a_new_face(stage: FaceStage, eye: Eye) -> None:
    run(stage, range(40))
    eye.place = PLACE + np.array([[0, 0, 80.0], [0, 0, 0]])
    assert any(crop is None for crop in run(stage, range(40, 60)))
    last = run(stage, range(60, 100))[-1]
    assert last is not None
    assert last.face_id == 2


@pytest.mark.parametrize("then", [10, 100], ids=["time goes back", "a hole"])
def test_a_broken_clock_starts_over(stage: FaceStage, then: int) -> None:
    run(stage, range(40))
    assert stage(frame(then)) is None


def test_a_hidden_face_gives_no_crop(stage: FaceStage) -> None:
    run(stage, range(40))
    covered = np.full_like(IMAGE, 90)
    assert stage(frame(40, covered)) is None
    assert stage.status == "the face is hidden or moves too fast"
