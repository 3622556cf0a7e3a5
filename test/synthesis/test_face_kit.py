"""The face kit: what it reads, what it refuses, and what its action units move."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emopulse_ros.facs import ACTION_UNITS, CODES, INDEX
from emopulse_ros.synthesis.face_kit import (
    NARROW_FACE,
    SHAPES,
    FaceKit,
    FaceKitError,
    Part,
    load_face_kit,
)

ROOT = Path(__file__).resolve().parents[2]
PATH = Path(os.environ.get("EMOPULSE_FACE_KIT", ROOT / "../shared/face_kit/ict_facekit.npz"))


@pytest.fixture(scope="module")
def kit() -> FaceKit:
    if not PATH.exists():
        pytest.skip(f"no face kit at {PATH} (EMOPULSE_FACE_KIT)")
    return load_face_kit(PATH)


def alone(code: int, left: float, right: float) -> np.ndarray[Any, Any]:
    strength = np.zeros((len(CODES), 2), np.float32)
    strength[INDEX[code]] = left, right
    return strength


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FaceKitError, match=r"none\.npz: there is no such file"):
        load_face_kit(tmp_path / "none.npz")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut short"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kit.npz"
    path.write_bytes(content)
    with pytest.raises(FaceKitError, match="numpy can read"):
        load_face_kit(path)


def test_a_single_array_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kit.npy"
    np.save(path, np.zeros(3))
    with pytest.raises(FaceKitError, match=r"\.npz"):
        load_face_kit(path)


def test_a_lacking_array_is_named(tmp_path: Path) -> None:
    path = tmp_path / "kit.npz"
    np.savez(path, other=np.zeros(3))
    with pytest.raises(FaceKitError, match="lacks the array 'neutral'"):
        load_face_kit(path)


def test_a_wrong_shape_is_named(tmp_path: Path) -> None:
    path = tmp_path / "kit.npz"
    np.savez(path, neutral=np.zeros((7, 3), np.float32))
    with pytest.raises(FaceKitError, match="'neutral' has shape"):
        load_face_kit(path)


def test_every_action_unit_has_shapes() -> None:
    assert set(SHAPES) == set(CODES)


@pytest.mark.parametrize("unit", ACTION_UNITS, ids=lambda unit: unit.label)
def test_an_action_unit_moves_its_own_side(kit: FaceKit, unit: Any) -> None:
    moved = np.tensordot(kit.weights(alone(unit.code, 1.0, 0.0)), kit.expression, 1)
    size = np.linalg.norm(moved[NARROW_FACE], axis=1)
    assert size.max() > 0.15  # cm
    centre = float((size * kit.neutral[NARROW_FACE, 0]).sum() / size.sum())
    # Some of what has no sides in the kit is sided in FACS, and counts for half.
    if any("*" in pattern for pattern, _ in SHAPES[unit.code]) and unit.sided:
        assert centre > 1.0
    else:
        assert abs(centre) < 1.5


def test_strength_is_the_weight(kit: FaceKit) -> None:
    weights = dict(zip(kit.names, kit.weights(alone(12, 0.25, 0.5)), strict=True))
    assert {name: value for name, value in weights.items() if value} == {
        "mouthSmile_L": 0.25,
        "mouthSmile_R": 0.5,
    }
    weights = dict(zip(kit.names, kit.weights(alone(17, 0.4, 0.2)), strict=True))
    assert weights["mouthShrugLower"] == pytest.approx(0.3)


def test_people_differ_and_can_be_met_again(kit: FaceKit) -> None:
    one, other = kit.person(1), kit.person(2)
    np.testing.assert_array_equal(one, kit.person(1))
    apart = np.linalg.norm(one - other, axis=1)[NARROW_FACE]
    assert 0.1 < apart.mean() < 2.0
    assert kit.manner(1).shape == kit.mixing.shape
    assert 0.0 <= kit.rest(1).min() <= kit.rest(1).max() < 0.3


def test_edges_join_the_triangles_they_name(kit: FaceKit) -> None:
    for side, third in ((2, 4), (3, 5)):
        there = kit.edges[:, side] >= 0
        corners = np.sort(kit.triangles[kit.edges[there, side]], axis=1)
        own = np.sort(kit.edges[there][:, [0, 1, third]], axis=1)
        np.testing.assert_array_equal(corners, own)
    assert len(np.unique(np.sort(kit.edges[:, :2], axis=1), axis=0)) == len(kit.edges)


def test_eyes_and_teeth_lie_where_they_belong(kit: FaceKit) -> None:
    middle = {part: kit.neutral[kit.part == part].mean(axis=0) for part in Part}
    assert middle[Part.EYE_LEFT][0] > 2.0
    assert middle[Part.EYE_RIGHT][0] < -2.0
    assert middle[Part.TEETH][1] < middle[Part.EYE_LEFT][1] - 4.0
