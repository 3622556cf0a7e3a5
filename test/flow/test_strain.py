"""Optical strain against fields whose strain is known."""

from __future__ import annotations

import numpy as np
import pytest

from emopulse_ros.flow.methods import methods
from emopulse_ros.flow.strain import SkinMotion, optical_strain, strain_tensor

Y, X = np.mgrid[0:32, 0:32].astype(np.float32)
INNER = (slice(2, -2), slice(2, -2))


def test_translation_and_small_rotation_strain_nothing() -> None:
    strain = optical_strain(strain_tensor(0.3 - 0.01 * Y, -0.2 + 0.01 * X))
    assert np.abs(strain[INNER]).max() < 1e-6


@pytest.mark.parametrize(
    ("u", "v", "expected"),
    [
        (0.02 * X, 0.0 * X, 0.02),
        (0.03 * X, 0.04 * Y, 0.05),
        (0.02 * Y, 0.0 * X, 0.02 / np.sqrt(2.0)),
    ],
    ids=["stretch", "stretch both ways", "shear"],
)
def test_uniform_strain(u: np.ndarray, v: np.ndarray, expected: float) -> None:
    np.testing.assert_allclose(optical_strain(strain_tensor(u, v))[INNER], expected, rtol=1e-4)


# The one that runs, compiled where numba is installed, and the one that needs OpenCV alone.
@pytest.mark.parametrize("kind", list(dict.fromkeys([SkinMotion, methods().motion])))
def test_what_is_between_two_moments(kind: type[SkinMotion]) -> None:
    random, skin = np.random.default_rng(2), kind()
    now, before = random.normal(size=(2, 5, 32, 32)).astype(np.float32)
    skin.strain(now)
    skin.strain(before)
    planes = np.empty((3, 32, 32), np.float32)
    skin.since(now, before, planes)
    u, v = now[:2] - before[:2]
    mask = random.random((32, 32)).astype(np.float32)
    mean = np.sqrt((mask * (u * u + v * v)).sum())
    assert skin.mean(now, before, mask) == pytest.approx(mean, rel=1e-5)
    np.testing.assert_allclose(now[2:], strain_tensor(*now[:2]), atol=1e-6)
    np.testing.assert_array_equal(planes[:2], [u, v])
    np.testing.assert_allclose(planes[2], optical_strain(strain_tensor(u, v)), atol=1e-6)
