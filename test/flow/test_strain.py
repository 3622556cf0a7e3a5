"""Optical strain against fields whose strain is known."""

from __future__ import annotations

import numpy as np
import pytest

from emopulse_ros.flow.strain import optical_strain, strain_tensor

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
