"""The face stage on several faces: who is followed, looked at and let go."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from emopulse_ros.face.beside import Beside
from emopulse_ros.face.look import Seen
from emopulse_ros.face.stage import FaceStage

from .eye import PLACE, WAIT, Eye, PromptStage, frame, ids

SMALL = np.array([[1.2, 0.0, 20.0], [0.0, 1.2, 20.0]])
RIGHT = np.array([[1.4, 0.0, 420.0], [0.0, 1.4, 30.0]])


@pytest.fixture
def crowd(eye: Eye) -> Iterator[FaceStage]:
    eye.places = [PLACE, RIGHT, SMALL]
    beside: Beside[Seen] = Beside(wait=True)
    yield PromptStage(eye, beside, most=3)
    beside.close()


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
    stage = PromptStage(eye, beside, most=2)
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


def test_faces_are_looked_at_in_turn_and_all_while_one_is_missing(
    crowd: FaceStage, eye: Eye
) -> None:
    crops = [crowd(frame(number)) for number in range(200)]
    assert ids(crops[-1]) == [1, 2, 3]
    looks = [asked for asked, wanted in zip(eye.asked, eye.wanted, strict=True) if not wanted]
    assert len(looks) > 15
    assert set(looks) == {1}
    # Who is gone is missed by the third look at the latest, and then by each of the next ones.
    eye.places = [PLACE, RIGHT]
    del eye.asked[:], eye.wanted[:]
    gone = [ids(crowd(frame(number))) for number in range(200, 200 + 8 * WAIT)]
    assert 3 in eye.asked
    assert gone[-1] == [1, 2]
