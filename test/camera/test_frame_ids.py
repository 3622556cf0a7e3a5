from __future__ import annotations

import pytest

from emopulse_ros.camera.frame_ids import FrameIds

pytest.importorskip("hypothesis", reason="hypothesis is not installed")
from hypothesis import given
from hypothesis import strategies as st


def counts(numbers: list[int]) -> list[int]:
    ids = FrameIds()
    return [ids(number) for number in numbers]


def test_sixteen_bits_turn_from_65535_to_1() -> None:
    assert counts([65533, 65534, 65535, 1, 2, 4]) == [0, 1, 2, 3, 4, 6]
    assert counts([65534, 2]) == [0, 3]


def test_sixty_four_bits_do_not_turn() -> None:
    assert counts([65534, 65535, 65536, 65538]) == [0, 1, 2, 4]
    assert counts([0, 1, 2, 2**40]) == [0, 1, 2, 3]


def test_a_camera_that_counts_anew_loses_nothing() -> None:
    assert counts([50_000, 40_000, 40_001]) == [0, 1, 2]
    assert counts([2**40, 0, 1]) == [0, 1, 2]
    assert counts([7, 7, 8]) == [0, 1, 2]


@given(st.integers(1, 65535), st.lists(st.integers(1, 32_767), min_size=1, max_size=30))
def test_gaps_stay_what_they_are_over_any_turn(first: int, steps: list[int]) -> None:
    numbers, truth = [first], [0]
    for step in steps:
        numbers.append((numbers[-1] + step - 1) % 65535 + 1)
        truth.append(truth[-1] + step)
    assert counts(numbers) == truth
