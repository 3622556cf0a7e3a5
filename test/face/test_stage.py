"""The face stage on a face that is told where it is."""

from __future__ import annotations

import numpy as np
import pytest

from emopulse_ros.face.beside import Beside
from emopulse_ros.face.look import Seen
from emopulse_ros.face.stage import FaceStage
from emopulse_ros.face.template import similarity
from emopulse_ros.flow.stage import GAP_MS as FLOW_GAP_MS
from emopulse_ros.stream import FaceCrop

from .eye import MS, PLACE, WAIT, Eye, frame, ids, mesh_at
from .test_align import IMAGE


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
    eye: Eye,
) -> None:
    beside: Beside[Seen] = Beside(wait=True)
    stage = FaceStage(eye, beside)
    stage(frame(0))
    assert not eye.wanted
    stage.begin_look()
    beside.take()
    stage.begin_look()
    assert len(eye.wanted) == 1
    stage(frame(WAIT))
    stage(frame(WAIT + 1))
    beside.take()
    assert len(eye.wanted) == 2
    beside.close()


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


def test_a_face_that_has_come_to_look_otherwise_is_followed_again(stage: FaceStage) -> None:
    """The light is another, or it has put on glasses, and the mesh sees it where it was."""
    run(stage, range(40))
    changed = np.ascontiguousarray(IMAGE[::-1, ::-1])
    crops = [stage(frame(number, changed)) for number in range(40, 240)]
    assert not any(crops[:50])
    assert ids(crops[-1]) == [1]
