"""Stages by face, and the time there is for them."""

from __future__ import annotations

import itertools

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from emopulse_ros.nodes.budget import AGAIN_NS, Budget
from emopulse_ros.nodes.each_face import GONE_NS, EachFace

FRAME = 5_000_000


def test_a_face_keeps_its_stage() -> None:
    made = itertools.count()
    stages = EachFace(lambda: next(made))
    assert [stages(1, 0), stages(2, 0), stages(1, FRAME), stages(2, FRAME)] == [0, 1, 0, 1]


def test_a_stage_is_free_when_its_face_has_gone() -> None:
    made = itertools.count()
    stages = EachFace(lambda: next(made))
    stages(1, 0)
    stages(2, 0)
    later = GONE_NS + FRAME
    stages(2, later)
    assert stages.retire(later) == [0]
    assert stages.retire(later) == []
    assert stages(3, later) == 0
    assert stages(2, later) == 1
    assert sorted(stages.retire()) == [0, 1]
    assert next(made) == 2


def test_a_clock_that_goes_back_frees_them_too() -> None:
    stages = EachFace(object)
    stages(1, 10 * GONE_NS)
    assert len(stages.retire(0)) == 1


def frames(budget: Budget, seconds: float, ms_per_face: float) -> int:
    """Frames with as many faces as are allowed; how many that is then."""
    most, behind, lost = budget.most, 0.0, 0
    for stamp in range(0, round(seconds * 1e9), FRAME):
        # What takes more than its time heaps up, and gives way beyond ten frames.
        behind = max(0.0, behind + most * ms_per_face - 5.0)
        if behind > 50.0:
            behind, lost = behind - 5.0, lost + 1
        most = budget(stamp, most * ms_per_face / 1e3, most, lost)
    return most


def test_three_faces_have_time() -> None:
    assert frames(Budget(3), 30.0, 1.5) == 3


def test_faces_are_let_go_until_those_that_stay_have_time() -> None:
    assert frames(Budget(5), 5.0, 1.5) == 3


def test_the_last_face_stays_however_slow() -> None:
    assert frames(Budget(4), 8.0, 20.0) == 1


def test_a_few_slow_frames_are_no_reason() -> None:
    budget = Budget(3)
    for number in range(2000):
        budget(number * FRAME, 0.030 if number % 20 == 0 else 0.002, 3, number // 20)
    assert budget.most == 3


@pytest.mark.parametrize(("every", "most"), [(60, 3), (40, 2)])
def test_a_face_is_worth_a_frame_in_fifty(every: int, most: int) -> None:
    budget = Budget(3)
    for number in range(600):
        # One of so many is lost.
        followed = budget(number * FRAME, 0.0045, budget.most, number // every)
    assert followed == most


def test_one_bad_second_is_no_reason() -> None:
    budget = Budget(3)
    for number in range(2000):
        budget(number * FRAME, 0.006, 3, min(number // 2, 100))
    assert budget.most == 3


def test_nor_is_time_that_costs_no_frame() -> None:
    budget = Budget(3)
    for number in range(2000):
        budget(number * FRAME, 0.0049, 3, 7)
    assert budget.most == 3


def test_more_are_tried_again_and_less_often_each_time() -> None:
    budget = Budget(3)
    tried, most = [], 3
    for stamp in range(0, 200_000_000_000, FRAME):
        before, most = most, budget(stamp, most * 2.0 / 1e3, most, stamp // FRAME * (most == 3))
        if most > before:
            tried.append(stamp)
    pauses = [after - before for before, after in itertools.pairwise(tried)]
    assert tried[0] >= AGAIN_NS
    assert len(pauses) >= 2
    assert all(after > 1.5 * before for before, after in itertools.pairwise(pauses))


@pytest.mark.parametrize("length", [4 * 10**9, 100 * 10**9])
def test_faces_come_back_though_time_goes_back(length: int) -> None:
    begin = 10**18
    budget, most, shown = Budget(3), 3, 0
    while most == 3:
        most = budget(begin + shown, 0.010, most, shown // FRAME)
        shown += FRAME
    lost = shown // FRAME
    # A bag of this length begins again and again; there is time for all faces now.
    for passed in range(0, 3 * AGAIN_NS, FRAME):
        most = budget(begin - 10**15 + passed % length, 0.001, most, lost)
    assert most == 3


def test_time_that_goes_back_starts_over() -> None:
    budget = Budget(2)
    budget(FRAME, 0.1, 2, 0)
    assert budget(0, 0.1, 2, 9) == 2
    assert budget(400 * FRAME, 0.1, 2, 9) == 2
