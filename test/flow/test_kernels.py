"""Each compiled loop does what OpenCV or numpy do."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("numba", reason="numba is not installed: the flow runs on OpenCV")

from emopulse_ros.flow import kernels, rigid_kernels

RANDOM = np.random.default_rng(5)


def floats(*shape: int) -> NDArray[np.float32]:
    return RANDOM.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("taps", [1, 5, 9])
def test_blurs_as_opencv_does(taps: int) -> None:
    planes = floats(3, 32, 40)
    half = np.abs(floats(taps))
    window = half + half[::-1]
    wanted = [cv2.sepFilter2D(plane, cv2.CV_32F, window, window) for plane in planes]
    kernels.blur(planes, window)
    np.testing.assert_allclose(planes, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("times", [1, 2, 4])
def test_grows_as_opencv_does(times: int) -> None:
    planes, side = floats(2, 16, 16), 16 * times
    larger = np.empty((2, side, side), np.float32)
    kernels.grow(planes, larger)
    wanted = [cv2.resize(plane, (side, side), interpolation=cv2.INTER_LINEAR) for plane in planes]
    np.testing.assert_allclose(larger, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("far", [0.0, 0.3, 5.0, 100.0])
def test_finds_what_has_moved_as_opencv_does(far: float) -> None:
    """Beyond the edges too."""
    picture, reference = floats(64, 64), floats(64, 64)
    # On the lattice of OpenCV's places, so that no rounding falls either way.
    moved = np.rint(far * floats(2, 64, 64) * 32) / np.float32(32)
    row, column = np.mgrid[0:64, 0:64].astype(np.float32)
    past = cv2.remap(
        reference,
        column - moved[0],
        row - moved[1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    change = np.empty((64, 64), np.float32)
    kernels.changes(picture, reference, moved, change)
    np.testing.assert_allclose(change, picture - past, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("moved", [np.nan, np.inf, -np.inf, 1e30])
def test_never_looks_outside_the_picture(moved: float) -> None:
    change = np.empty((64, 64), np.float32)
    far = np.full((2, 64, 64), moved, np.float32)
    kernels.changes(floats(64, 64), floats(64, 64), far, change)
    assert np.isfinite(change).all()


def test_gradients_are_those_of_opencv() -> None:
    picture = floats(64, 64)
    across, down = np.empty((2, 64, 64), np.float32)
    inverse = np.empty((3, 32, 32), np.float32)
    kernels.structure_tensor(picture, np.ones(1, np.float32), 0.5, across, down, inverse)
    np.testing.assert_allclose(across, cv2.Sobel(picture, cv2.CV_32F, 1, 0, scale=0.125), atol=1e-6)
    np.testing.assert_allclose(down, cv2.Sobel(picture, cv2.CV_32F, 0, 1, scale=0.125), atol=1e-6)
    small = [cv2.resize(p, (32, 32), interpolation=cv2.INTER_AREA) for p in (across**2, down**2)]
    both = cv2.resize(across * down, (32, 32), interpolation=cv2.INTER_AREA)
    tensor = np.array([[small[0] + 0.5, both], [both, small[1] + 0.5]]).transpose(2, 3, 0, 1)
    wanted = np.linalg.inv(tensor)
    np.testing.assert_allclose(inverse[0], wanted[..., 0, 0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(inverse[1], wanted[..., 0, 1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(inverse[2], wanted[..., 1, 1], rtol=1e-4, atol=1e-5)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_the_median_is_numpys(values: list[float]) -> None:
    assert rigid_kernels.median(np.array(values)) == np.median(values)


def test_a_median_of_what_is_no_number_ends() -> None:
    rigid_kernels.median(np.full(256, np.nan))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 8), st.integers(0, 1000))
def test_solves_a_system_as_numpy_does(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, 2 * count))
    normal, right = rows @ rows.T + np.eye(count), random.normal(size=count)
    solved = np.empty(count)
    rigid_kernels.solve(normal, right, solved)
    np.testing.assert_allclose(solved, np.linalg.solve(normal, right), rtol=1e-6, atol=1e-9)
