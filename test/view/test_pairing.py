"""What belongs to one picture comes together, in whatever order it comes."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from emopulse_ros.view.pairing import KEPT, Pairing
from view.scenes import activation, frame, step


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_three_of_one_stamp_make_a_scene_once(order: tuple[int, ...]) -> None:
    pairing = Pairing(200.0)
    gives: list[Any] = [pairing.frame, pairing.step, pairing.activation]
    items: list[Any] = [frame(7), step(7), activation(7)]
    for index in order:
        assert pairing.take() is None
        gives[index](items[index])
    scene = pairing.take()
    assert scene is not None
    assert [scene.frame, scene.step, scene.activation] == items
    assert pairing.take() is None
    assert pairing.passed_over == 0


def test_what_is_of_another_stamp_does_not_join() -> None:
    pairing = Pairing(200.0)
    pairing.frame(frame(7))
    pairing.step(step(7))
    pairing.activation(activation(8))
    assert pairing.take() is None


def test_the_newest_is_taken_and_the_older_ones_are_counted() -> None:
    pairing = Pairing(200.0)
    for sequence in range(5):
        pairing.frame(frame(sequence))
    for sequence in (0, 1, 3):
        pairing.step(step(sequence))
        pairing.activation(activation(sequence))
    scene = pairing.take()
    assert scene is not None
    assert scene.frame.sequence == 3
    assert pairing.passed_over == 3
    # The last one still waits for its answers.
    pairing.step(step(4))
    pairing.activation(activation(4))
    later = pairing.take()
    assert later is not None
    assert later.frame.sequence == 4


def test_no_more_pictures_are_kept_than_asked_for() -> None:
    pairing = Pairing(30.0)
    taken = 0
    for sequence in range(1000):
        pairing.frame(frame(sequence))
        pairing.step(step(sequence))
        pairing.activation(activation(sequence))
        taken += pairing.take() is not None
    assert taken == pytest.approx(5 * 30, abs=1)
    assert pairing.passed_over == 0


def test_a_picture_of_which_nothing_is_said_shows_no_face() -> None:
    pairing = Pairing(200.0)
    pairing.frame(frame(0))
    for sequence in range(1, 30):
        pairing.frame(frame(sequence))
        assert pairing.take() is None
    pairing.frame(frame(30))
    scene = pairing.take()
    assert scene is not None
    assert (scene.frame.sequence, scene.step, scene.activation) == (0, None, None)


def test_a_stream_that_begins_anew_is_shown_and_the_old_one_forgotten() -> None:
    pairing = Pairing(200.0)
    for sequence in (100, 101):
        pairing.frame(frame(sequence))
    for give, item in ((pairing.frame, frame(3)), (pairing.step, step(3))):
        give(item)  # type: ignore[operator]
    pairing.activation(activation(3))
    scene = pairing.take()
    assert scene is not None
    assert scene.frame.sequence == 3


def test_nothing_piles_up() -> None:
    pairing = Pairing(1000.0)
    for sequence in range(500):
        pairing.frame(frame(sequence))
        pairing.step(step(sequence))
    assert len(pairing._frames) == len(pairing._steps) == KEPT
    assert pairing.passed_over == 500 - KEPT


def test_of_several_faces_one_is_told_of_until_it_has_gone() -> None:
    pairing = Pairing(200.0)
    told = []
    for sequence in range(200):
        pairing.frame(frame(sequence))
        for face_id in (2, 1) if sequence < 100 else (1,):
            pairing.step(replace(step(sequence), face_id=face_id))
            pairing.activation(replace(activation(sequence), face_id=face_id))
        scene = pairing.take()
        if scene is not None and scene.step is not None and scene.activation is not None:
            assert scene.step.face_id == scene.activation.face_id
            told.append(scene.step.face_id)
    assert told[:100] == [2] * 100
    assert told[-30:] == [1] * 30
    assert 1 not in told[:100]
