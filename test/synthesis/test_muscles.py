"""How action units displace the skin, by the book and in a person's own manner."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emopulse_ros.facs import ACTION_UNITS, INDEX
from emopulse_ros.synthesis.likeness import astronaut
from emopulse_ros.synthesis.muscles import ALSO, PULLS, Pull, displacement_fields, manner

FACE = astronaut()
POINTS = FACE.landmarks.astype(np.float32)


def fields(pulls: Mapping[int, tuple[Pull, ...]] = PULLS) -> NDArray[np.float32]:
    return displacement_fields(FACE.landmarks, FACE.mirror, POINTS, pulls)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_everybody_moves_a_unit_nearly_the_way_the_book_says(seed: int) -> None:
    book, own = fields(), fields(manner(np.random.default_rng(seed)))
    assert own.shape == (len(ACTION_UNITS), 2, len(POINTS), 2)
    for place, unit in enumerate(ACTION_UNITS):
        if unit.code in ALSO:
            # Some draw the lip up besides, which the book's unit does not.
            continue
        ours, theirs = own[place].ravel(), book[place].ravel()
        if not theirs.any():
            # A blink is no pull but a lid that falls.
            assert not ours.any()
            continue
        alike = float(ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs))
        assert alike > 0.6, unit.name


def test_no_two_people_move_alike_and_each_always_the_same_way() -> None:
    first, again, other = (manner(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert set(first) == set(PULLS)


@pytest.mark.parametrize("code", sorted(ALSO))
def test_some_draw_the_upper_lip_up(code: int) -> None:
    lifts = [
        # Up is towards smaller rows.
        -fields(manner(np.random.default_rng(seed)))[INDEX[code], :, 0, 1].sum()
        for seed in range(12)
    ]
    least, book = min(lifts), -fields()[INDEX[code], :, 0, 1].sum()
    assert max(lifts) > book + 0.005 * np.ptp(POINTS[:, 1])
    assert least < max(lifts) / 2
