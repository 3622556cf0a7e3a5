"""Alignment to a key picture, to a fraction of a pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emopulse_ros.face.align import Key, Source, compose, invert
from emopulse_ros.face.template import bone_mask

SIZE = 128


def picture() -> np.ndarray:
    noise = np.random.default_rng(3).normal(size=(480, 640)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 4.0)
    return np.clip(128 + 45 * smooth / smooth.std(), 0, 255).astype(np.uint8)


IMAGE = picture()


def similarity(right: float, down: float, scale: float, turn: float) -> np.ndarray:
    return np.array([[scale, -turn, 200.0 + right], [turn, scale, 150.0 + down]])


@settings(max_examples=40, deadline=None)
@given(
    right=st.floats(-3.0, 3.0),
    down=st.floats(-3.0, 3.0),
    grown=st.floats(-0.01, 0.01),
    turned=st.floats(-0.01, 0.01),
)
@pytest.mark.parametrize("scale", [1.3, 2.4])
def test_finds_back_to_the_key(
    scale: float, right: float, down: float, grown: float, turned: float
) -> None:
    true = similarity(0.0, 0.0, scale, 0.1)
    key = Key(Source(IMAGE, true, SIZE).warp(true), bone_mask(SIZE // 2))
    guess = similarity(right, down, scale + grown, 0.1 + turned)
    found, likeness = key.align(Source(IMAGE, guess, SIZE), guess)
    corners = np.array([[0, 127, 0, 127], [0, 0, 127, 127], [1, 1, 1, 1]])
    # In pixels of the crop.
    assert np.abs((found - true) @ corners).max() / scale < 0.25
    assert likeness > 0.9


def test_another_picture_is_unlike() -> None:
    matrix = similarity(0.0, 0.0, 1.3, 0.0)
    key = Key(Source(IMAGE, matrix, SIZE).warp(matrix), bone_mask(SIZE // 2))
    other = np.ascontiguousarray(IMAGE[::-1, ::-1])
    _, likeness = key.align(Source(other, matrix, SIZE), matrix)
    assert likeness < 0.5


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0.5, 3.0), st.floats(-1.0, 1.0))
def test_a_similarity_and_its_inverse_cancel(
    right: float, down: float, scale: float, turn: float
) -> None:
    matrix = similarity(right, down, scale, turn)
    np.testing.assert_allclose(compose(matrix, invert(matrix)), np.eye(2, 3), atol=1e-9)


def test_a_crop_off_the_picture_does_not_fail() -> None:
    matrix = np.array([[3.0, 0.0, 630.0], [0.0, 3.0, 470.0]])
    assert Source(IMAGE, matrix, SIZE).warp(matrix).shape == (SIZE, SIZE)
    far = np.array([[3.0, 0.0, 5000.0], [0.0, 3.0, 5000.0]])
    assert Source(IMAGE, far, SIZE).warp(far).shape == (SIZE, SIZE)
