"""The head's motion goes, the skin's stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emopulse_ros.face.template import bone_mask
from emopulse_ros.flow.rigid import RigidPart, _median

GRID = 64


def affine(numbers: list[float]) -> NDArray[np.float32]:
    """The field with these six coefficients: ``(2, GRID, GRID)``."""
    line = (np.arange(GRID) + 0.5) / GRID * 2.0 - 1.0
    down, across = np.meshgrid(line, line, indexing="ij")
    u = numbers[0] + numbers[1] * across + numbers[2] * down
    v = numbers[3] + numbers[4] * across + numbers[5] * down
    return np.stack([u, v]).astype(np.float32)


def bump() -> NDArray[np.float32]:
    """A mouth that moves up and to the side."""
    y, x = np.mgrid[0:GRID, 0:GRID]
    near = np.exp(-((x - 22) ** 2 + (y - 42) ** 2) / 40.0)
    return np.stack([-0.5 * near, -0.8 * near]).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-2.0, 2.0), min_size=6, max_size=6))
def test_an_affine_field_leaves_nothing(numbers: list[float]) -> None:
    rest = RigidPart(bone_mask(GRID)).remove(affine(numbers))
    assert np.abs(rest).max() < 1e-3


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-2.0, 2.0), min_size=6, max_size=6))
def test_the_skin_keeps_its_motion_whatever_the_head_does(numbers: list[float]) -> None:
    rest = RigidPart(bone_mask(GRID)).remove(affine(numbers) + bump())
    assert np.abs(rest - bump()).max() < 0.08


def test_a_mask_that_is_not_square_is_refused() -> None:
    with pytest.raises(ValueError, match="square"):
        RigidPart(np.ones((64, 32), np.float32))


@pytest.mark.parametrize("count", [1, 2, 255, 256])
def test_the_median_is_numpys(count: int) -> None:
    values = np.random.default_rng(count).random(count)
    assert _median(values) == np.median(values)
