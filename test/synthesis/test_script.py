"""Scripts: repeatable, sorted, within their habits, and true to what they say of each moment."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from emopulse_ros.facs import ACTION_UNITS, CODES, INDEX
from emopulse_ros.synthesis.habits import MICRO, QUIET, Habits, write_script
from emopulse_ros.synthesis.script import MILLISECOND, SECOND, Movement, Script

STILL = np.zeros((6, 1, 3))


def test_a_seed_writes_one_script() -> None:
    one, again, other = (write_script(seed, 20 * SECOND) for seed in (4, 4, 5))
    assert one.movements == again.movements
    assert np.array_equal(one.sway, again.sway)
    assert one.movements != other.movements


def test_a_longer_script_begins_alike() -> None:
    short, long = write_script(4, 10 * SECOND), write_script(4, 60 * SECOND)
    shared = [move for move in long.movements if move.offset < 9 * SECOND]
    assert shared == [move for move in short.movements if move.offset < 9 * SECOND]
    assert np.array_equal(short.sway, long.sway)


@pytest.mark.parametrize("seed", range(5))
def test_movements_keep_to_the_habits(seed: int) -> None:
    habits = Habits(micro_ms=(40.0, 200.0), pause_ms=(300.0, 900.0), quiet_ms=1500.0)
    script = write_script(seed, 60 * SECOND, habits)
    micro = [move for move in script.movements if move.kind == "micro"]
    blinks = [move for move in script.movements if move.kind == "blink"]
    assert len(micro) > 30
    assert len(blinks) > 8
    assert len(micro) + len(blinks) == len(script.movements)
    for move in micro:
        assert 40 * MILLISECOND <= move.offset - move.onset <= 200 * MILLISECOND
        # A fast onset and a slower offset.
        assert move.onset < move.apex <= (move.onset + move.offset) / 2
    for before, after in itertools.pairwise(micro):
        assert after.onset - before.offset >= 300 * MILLISECOND - 1
    assert micro[0].onset >= 1500 * MILLISECOND
    onsets = [move.onset for move in script.movements]
    assert onsets == sorted(onsets)
    assert script.movements[-1].offset <= script.duration


def test_macro_movements_are_written_when_asked_for() -> None:
    script = write_script(1, 60 * SECOND, Habits(macro=1.0, macro_ms=(600.0, 2500.0)))
    lengths = [move.offset - move.onset for move in script.movements if move.kind == "macro"]
    assert len(lengths) > 10
    assert min(lengths) >= 600 * MILLISECOND


def test_one_sided_movements_leave_the_other_half_alone() -> None:
    script = write_script(2, 60 * SECOND, Habits(one_sided=1.0))
    seen = set()
    for move in (move for move in script.movements if move.kind == "micro"):
        for code, (left, right) in zip(move.aus, move.strength, strict=True):
            if ACTION_UNITS[INDEX[code]].sided:
                assert (left == 0.0) != (right == 0.0)
                seen.add(left == 0.0)
            else:
                assert left > 0.0
                assert right > 0.0
    assert seen == {True, False}


def test_strength_is_that_of_the_strongest_movement_under_way() -> None:
    long = Movement("macro", (12, 6), ((0.5, 0.2), (0.3, 0.3)), 0, SECOND, 3 * SECOND)
    short = Movement(
        "micro", (12,), ((0.1, 0.9),), SECOND, SECOND + 50 * MILLISECOND, SECOND + 150 * MILLISECOND
    )
    script = Script(0, 4 * SECOND, (long, short), STILL)
    rows = [INDEX[12], INDEX[6]]
    assert script.strength(SECOND)[rows] == pytest.approx(np.array([[0.5, 0.2], [0.3, 0.3]]))
    at_apex = script.strength(short.apex)[INDEX[12]]
    assert at_apex[0] == pytest.approx(0.5 * long.phase(short.apex))
    assert at_apex[1] == pytest.approx(0.9)
    assert script.intensity(short.apex)[INDEX[12]] == pytest.approx(0.9)
    assert not script.strength(3 * SECOND).any()


@pytest.mark.parametrize("repeats", [False, True])
def test_each_moment_agrees_with_a_look_at_all_movements(repeats: bool) -> None:
    script = write_script(9, 20 * SECOND, Habits(macro=0.3), repeats=repeats)
    for time in range(0, 45 * SECOND, 13 * MILLISECOND):
        wrapped = time % script.duration if repeats else time
        strength = np.zeros((len(CODES), 2))
        active = np.zeros(len(CODES), bool)
        for move in script.movements:
            for code, sides in zip(move.aus, move.strength, strict=True):
                row = INDEX[code]
                strength[row] = np.maximum(strength[row], np.array(sides) * move.phase(wrapped))
                active[row] |= move.onset <= wrapped <= move.offset
        assert script.strength(time) == pytest.approx(strength, abs=1e-6)
        assert np.array_equal(script.active(time), active)


def test_a_movement_rises_to_its_apex_and_falls() -> None:
    move = Movement("micro", (4,), ((1.0, 1.0),), 100, 300, 900)
    phases = [move.phase(time) for time in range(0, 1000, 10)]
    assert phases[:11] == [0.0] * 11
    assert phases[90:] == [0.0] * 10
    assert phases[30] == 1.0
    assert np.all(np.diff(phases[10:31]) > 0)
    assert np.all(np.diff(phases[30:91]) < 0)


def test_an_apex_may_be_held() -> None:
    move = Movement("macro", (12,), ((1.0, 1.0),), 0, 100, 400, hold=200)
    assert [move.phase(time) for time in (100, 200, 300)] == [1.0, 1.0, 1.0]
    assert 0.0 < move.phase(350) < 1.0
    assert move.phase(350) == pytest.approx(move.phase(50))


def test_the_head_sways_slowly_about_its_place() -> None:
    script = write_script(3, 30 * SECOND)
    fields = ("right", "down", "roll", "yaw", "pitch", "scale")
    poses = [script.pose(time) for time in range(0, 30 * SECOND, 5 * MILLISECOND)]
    path = np.array([[getattr(pose, name) for name in fields] for pose in poses])
    path[:, 5] -= 1.0
    assert np.all(np.abs(path) < 0.06)
    assert np.all(np.ptp(path, axis=0) > 1e-4)
    # In face widths (or rad) from one frame to the next, 5 ms later.
    assert np.abs(np.diff(path, axis=0)).max() < 0.002


def test_a_head_without_sway_rests() -> None:
    pose = write_script(3, SECOND, Habits(sway=0.0)).pose(SECOND // 3)
    assert (pose.right, pose.down, pose.roll, pose.yaw, pose.pitch, pose.scale) == (
        0,
        0,
        0,
        0,
        0,
        1,
    )


def test_micro_expressions_have_the_onset_and_strength_of_the_literature() -> None:
    script = write_script(2, 120 * SECOND, MICRO)
    micro = [move for move in script.movements if move.kind == "micro"]
    assert len(micro) > 80
    for move in micro:
        assert 40 * MILLISECOND <= move.apex - move.onset <= 200 * MILLISECOND
        assert move.apex + move.hold < move.offset <= move.onset + 500 * MILLISECOND
        assert all(max(sides) <= 0.4 for sides in move.strength)


def test_a_quiet_face_speaks_turns_and_looks_but_shows_no_micro_expression() -> None:
    script = write_script(3, 120 * SECOND, QUIET)
    kinds = {move.kind for move in script.movements}
    assert kinds == {"macro", "speech", "blink"}
    assert {turn.axis for turn in script.turns} > {"yaw", "pitch", "gaze_yaw"}
    macro = [move for move in script.movements if move.kind == "macro"]
    assert all(move.offset - move.onset > 500 * MILLISECOND for move in macro)
    poses = np.array([script.pose(k * 100 * MILLISECOND).yaw for k in range(1200)])
    assert 0.08 < np.abs(poses).max() < 0.25
    assert any(script.gaze(k * 50 * MILLISECOND) != (0.0, 0.0) for k in range(2400))


def test_speech_moves_the_mouth_again_and_again() -> None:
    script = write_script(3, 60 * SECOND, QUIET)
    spoken = [move for move in script.movements if move.kind == "speech"]
    close = [b.onset - a.onset for a, b in itertools.pairwise(spoken)]
    assert sum(gap < 260 * MILLISECOND for gap in close) > 0.8 * len(close)
    assert {code for move in spoken for code in move.aus} <= {10, 12, 17, 20, 25}
