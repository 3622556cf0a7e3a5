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
        ours, theirs = own[place].ravel(), book[place].ravel()
        if not theirs.any():
            # A blink is no pull but a lid that falls, though some lower the brows with it.
            assert unit.code in ALSO or not ours.any()
            continue
        alike = float(ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs))
        assert alike > 0.6, unit.name


def test_no_two_people_move_alike_and_each_always_the_same_way() -> None:
    first, again, other = (manner(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert set(first) == set(PULLS)


@pytest.mark.parametrize(
    ("code", "landmark", "upwards"),
    [(12, 0, 1), (12, 4, 1), (12, 129, 1), (25, 0, 1), (6, 53, -1), (45, 52, -1)],
)
def test_some_show_more_than_the_book(code: int, landmark: int, upwards: int) -> None:
    """The lip drawn up over the teeth, tip and wings of the nose lifted, the brow drawn down."""
    more = [
        # Up is towards smaller rows.
        -upwards * fields(manner(np.random.default_rng(seed)))[INDEX[code], :, landmark, 1].sum()
        for seed in range(12)
    ]
    book = -upwards * fields()[INDEX[code], :, landmark, 1].sum()
    assert max(more) > book + 0.005 * np.ptp(POINTS[:, 1])
    assert min(more) < max(more) / 2
