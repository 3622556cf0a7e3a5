"""Dense flow: gain, sign and rest."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emopulse_ros.flow.dense import LucasKanade
from emopulse_ros.flow.methods import methods

SIDE = 128

# The one that runs, compiled where numba is installed, and the one that needs OpenCV alone.
either = pytest.mark.parametrize("kind", list(dict.fromkeys([LucasKanade, methods().dense])))


def texture(seed: int = 1) -> NDArray[np.float32]:
    """A smooth random picture, larger than a crop."""
    noise = np.random.default_rng(seed).normal(size=(SIDE + 64, SIDE + 64)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.5)
    return 128.0 + 40.0 * smooth / smooth.std()


# Within a pixel OpenCV moves a picture by 32nds: it takes the nearest to what it is asked for.
shifts = st.floats(-3.0, 3.0).map(lambda shift: round(32.0 * shift) / 32.0)


def crop(right: float, down: float, seed: int = 1) -> NDArray[np.uint8]:
    """The picture moved by so many crop pixels."""
    matrix = np.array([[1.0, 0.0, 32.0 - right], [0.0, 1.0, 32.0 - down]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(texture(seed), matrix, (SIDE, SIDE), flags=flags)
    return np.clip(np.rint(moved), 0, 255).astype(np.uint8)


@either
@settings(max_examples=30, deadline=None)
@given(right=shifts, down=shifts)
def test_reads_a_shift_of_up_to_three_pixels(
    kind: type[LucasKanade], right: float, down: float
) -> None:
    method = kind()
    now, past = method.pyramid(crop(right, down)), method.pyramid(crop(0.0, 0.0))
    u, v = method.flow(now, method.tensor(now), past)
    inner = slice(8, -8)
    # Half the shift, as a pixel of the grid is two of the crop; the prior takes a little of it.
    assert np.median(u[inner, inner]) == pytest.approx(right / 2, abs=0.02 + 0.1 * abs(right))
    assert np.median(v[inner, inner]) == pytest.approx(down / 2, abs=0.02 + 0.1 * abs(down))


@either
@settings(max_examples=10, deadline=None)
@given(right=st.floats(6.0, 12.0), sign=st.sampled_from([-1.0, 1.0]))
def test_finds_a_shift_however_large_from_near_it(
    kind: type[LucasKanade], right: float, sign: float
) -> None:
    method = kind()
    now, past = method.pyramid(crop(sign * right, 0.0)), method.pyramid(crop(0.0, 0.0))
    flow = np.zeros((2, 64, 64), np.float32)
    flow[0] = 0.9 * sign * right / 2
    u, v = method.flow(now, method.tensor(now), past, flow)
    inner = slice(8, -8)
    assert np.median(u[inner, inner]) == pytest.approx(sign * right / 2, rel=0.03)
    assert np.median(v[inner, inner]) == pytest.approx(0.0, abs=0.05)


@either
def test_the_same_picture_has_not_moved(kind: type[LucasKanade]) -> None:
    method = kind()
    same = method.pyramid(crop(0.0, 0.0))
    u, v = method.flow(same, method.tensor(same), same)
    assert not u.any()
    assert not v.any()


@either
def test_a_lamp_that_dims_moves_nothing(kind: type[LucasKanade]) -> None:
    method = kind()
    bright = crop(0.0, 0.0)
    dim = np.rint(bright * 0.85).astype(np.uint8)
    now, past = method.pyramid(dim), method.pyramid(bright)
    u, v = method.flow(now, method.tensor(now), past)
    assert np.sqrt(np.mean(u * u + v * v)) < 0.02


@either
def test_skin_without_texture_rests(kind: type[LucasKanade]) -> None:
    method = kind()
    random = np.random.default_rng(0)
    flat = [random.normal(128.0, 1.0, (SIDE, SIDE)).astype(np.uint8) for _ in range(2)]
    now, past = (method.pyramid(picture) for picture in flat)
    u, v = method.flow(now, method.tensor(now), past)
    assert np.sqrt(np.mean(u * u + v * v)) < 0.25


@pytest.mark.parametrize("last", [None, 0.3])
def test_both_read_the_same(last: float | None) -> None:
    """Compiled or not: but for the order of sums, and what that rounds to another 1/32 pixel."""
    opencv, other = LucasKanade(), methods().dense()
    now, past = opencv.pyramid(crop(1.2, -0.7)), opencv.pyramid(crop(0.0, 0.0))
    before = None if last is None else np.full((2, 64, 64), last, np.float32)
    one, two = (method.flow(now, method.tensor(now), past, before) for method in (opencv, other))
    assert np.abs(one - two).mean() < 1e-5
    assert np.abs(one - two).max() < 1e-2


@pytest.mark.parametrize("grid", [16, 30, 33])
def test_an_unfit_grid_is_refused(grid: int) -> None:
    with pytest.raises(ValueError, match=f"flow grid of {grid}"):
        LucasKanade(grid)
