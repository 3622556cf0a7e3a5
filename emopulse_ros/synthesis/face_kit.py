"""The face kit: a 3D head with action units, and people of many shapes.

The kit is an ``.npz`` made from ICT-FaceKit (MIT licence; Li et al., "Learning Formation of
Physically-Based Face Attributes", CVPR 2020). It is training data: the product neither holds nor
needs it. Units are cm, x to the person's left, y up, the face looks along +z.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.facs import ACTION_UNITS, CODES

SHAPES: dict[int, tuple[tuple[str, float], ...]] = {
    1: (("browInnerUp_*", 1.0),),
    2: (("browOuterUp_*", 1.0),),
    4: (("browDown_*", 1.0),),
    5: (("eyeWide_*", 1.0),),
    6: (("cheekSquint_*", 1.0),),
    7: (("eyeSquint_*", 1.0),),
    9: (("noseSneer_*", 1.0),),
    10: (("mouthShrugUpper", 1.0),),
    12: (("mouthSmile_*", 1.0),),
    14: (("mouthDimple_*", 1.0),),
    15: (("mouthFrown_*", 1.0),),
    17: (("mouthShrugLower", 1.0),),
    20: (("mouthStretch_*", 1.0),),
    25: (("mouthLowerDown_*", 0.35), ("mouthUpperUp_*", 0.3), ("jawOpen", 0.1)),
    45: (("eyeBlink_*", 1.0),),
}
"""The shapes of each action unit and their weight at full strength; ``*`` stands for L and R."""

ALSO: dict[int, tuple[tuple[str, float], ...]] = {
    6: (("cheekRaiser_*", 0.8), ("cheekSquint_*", 0.2)),
    10: (("mouthUpperUp_*", 0.75),),
    25: (("mouthLowerDown_*", 0.2), ("mouthUpperUp_*", 0.1), ("jawOpen", 0.14)),
}
"""Another way to show an action unit; people are somewhere between the two."""

_AT_REST = {
    "eyeBlink": 0.2, "eyeSquint": 0.15, "eyeWide": 0.1, "browDown": 0.2, "browInnerUp": 0.15,
    "mouthFrown": 0.2, "mouthSmile": 0.12, "mouthPress": 0.2, "cheekSquint": 0.1,
}  # fmt: skip


class FaceKitError(ValueError):
    """A file that is no face kit; its text says what is wrong with it."""


class Part(IntEnum):
    """What a vertex of the kit belongs to."""

    FACE = 0
    HEAD = 1
    MOUTH = 2
    EYE_SOCKET = 3
    GUMS = 4
    TEETH = 5
    EYE_LEFT = 6
    EYE_RIGHT = 7


_BOUNDS = (
    (Part.FACE, 0), (Part.HEAD, 9409), (Part.MOUTH, 11248), (Part.EYE_SOCKET, 13294),
    (Part.GUMS, 14062), (Part.TEETH, 17039), (Part.EYE_LEFT, 21451), (Part.EYE_RIGHT, 23021),
)  # fmt: skip
_VERTICES, _USED = 26719, 24591  # what follows, tear film and lashes, would need transparency
NARROW_FACE = slice(0, 6706)
"""The vertices of the face without ears and neck."""

# How far a triangle may turn from the viewer, as the z of its unit normal, and still be kept.
_FACING = {
    Part.FACE: -0.75, Part.HEAD: -0.6, Part.MOUTH: -0.5, Part.EYE_SOCKET: -0.5, Part.GUMS: 0.1,
    Part.TEETH: 0.15, Part.EYE_LEFT: 0.1, Part.EYE_RIGHT: 0.1,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class FaceKit:
    """What can be seen of the kit's head.

    ``neutral`` ``(N, 3) float32``; ``identity`` ``(P, N, 3) float16``, principal components of
    shape, each one standard deviation long; ``expression`` ``(K, N, 3) float32``, offsets at full
    strength; ``names`` of those; ``mixing`` ``(K, 2 A) float32``, from the (left, right)
    strengths of the action units, in the order of :data:`emopulse_ros.facs.CODES`, to weights of
    ``expression``. ``triangles`` ``(T, 3) int32`` index vertices, ``corners`` ``(T, 3) int32``
    index ``uv`` ``(M, 2) float32`` (one unit square per material, side by side).
    ``part`` ``(N,) uint8`` is each vertex's :class:`Part`; ``NARROW_FACE`` slices any of them.
    ``edges`` ``(E, 6) int32``: two vertices, the triangles on both sides, and the third vertex of
    each; -1 and -1 at a border; only of what can have an outline.
    """

    neutral: NDArray[np.float32]
    identity: NDArray[np.float16]
    expression: NDArray[np.float32]
    names: tuple[str, ...]
    mixing: NDArray[np.float32]
    triangles: NDArray[np.int32]
    corners: NDArray[np.int32]
    uv: NDArray[np.float32]
    part: NDArray[np.uint8]
    edges: NDArray[np.int32]

    def person(self, seed: int, spread: float = 0.8) -> NDArray[np.float32]:
        """Return the neutral head of a random person, ``(N, 3) float32`` in cm.

        ``spread`` scales the spread of faces: 1 is that of the people the kit was made from.
        """
        random = np.random.default_rng([seed, 0x1DE47])
        weights = spread * random.standard_normal(len(self.identity))
        # Beyond 2.2 standard deviations eyes and lids of such a sum no longer fit each other.
        weights = np.clip(weights, -2.2, 2.2).astype(np.float32)
        offset = np.tensordot(weights, self.identity.astype(np.float32), 1)
        return np.ascontiguousarray(self.neutral + offset, np.float32)

    def weights(self, strength: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the weights of the shapes, ``(K,) float32``, for strengths ``(A, 2)``."""
        mixed: NDArray[np.float32] = self.mixing @ strength.ravel()
        return mixed

    def rest(self, seed: int) -> NDArray[np.float32]:
        """Return what a random person's face holds at rest: weights of the shapes, ``(K,)``."""
        random = np.random.default_rng([seed, 0x2E57])
        weights = np.zeros(len(self.names), np.float32)
        for name, most in _AT_REST.items():
            weight = most * random.random() ** 2
            for letter in "LR":
                weights[self.names.index(f"{name}_{letter}")] = weight * random.uniform(0.8, 1.2)
        return weights

    def manner(self, seed: int) -> NDArray[np.float32]:
        """Return how a random person shows action units: like ``mixing``, ``(K, 2 A) float32``."""
        random = np.random.default_rng([seed, 0x3A22E2])
        other = _mixing(self.names, SHAPES | ALSO)
        share = np.repeat(random.random(len(CODES)), 2)
        gain = np.repeat(random.uniform(0.85, 1.15, len(CODES)), 2)
        return np.asarray(gain * ((1.0 - share) * self.mixing + share * other), np.float32)


def load_face_kit(path: Path) -> FaceKit:
    """Read a face kit.

    :raises FaceKitError: if the file is missing, or is no face kit.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            raw = {name: arrays[name] for name in arrays.files}
    except FileNotFoundError:
        raise FaceKitError(
            f"{path}: there is no such file; give the path of a face kit made from ICT-FaceKit"
        ) from None
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise FaceKitError(f"{path}: not an .npz file that numpy can read ({error})") from None
    _check(path, raw)
    return _compact(raw)


def _check(path: Path, raw: dict[str, NDArray[np.generic]]) -> None:
    wanted: dict[str, tuple[int | None, ...]] = {
        "neutral": (_VERTICES, 3), "identity": (None, _VERTICES, 3),
        "expression": (None, _VERTICES, 3), "expression_names": (None,), "quads": (None, 4),
        "uv": (None, 2), "quads_uv": (None, 4),
    }  # fmt: skip
    for name, shape in wanted.items():
        if name not in raw:
            raise FaceKitError(f"{path}: no face kit, it lacks the array '{name}'")
        found = raw[name].shape
        if len(found) != len(shape) or any(
            want not in (None, have) for want, have in zip(shape, found, strict=True)
        ):
            text = " x ".join("any" if want is None else str(want) for want in shape)
            raise FaceKitError(f"{path}: '{name}' has shape {found} where a face kit has {text}")
    names = {str(name) for name in raw["expression_names"]}
    for unit in ACTION_UNITS:
        for pattern, _ in SHAPES[unit.code] + ALSO.get(unit.code, ()):
            for name in {pattern.replace("*", "L"), pattern.replace("*", "R")}:
                if name not in names:
                    raise FaceKitError(f"{path}: it lacks the shape '{name}' of {unit.label}")


def _mixing(
    names: tuple[str, ...], shapes: dict[int, tuple[tuple[str, float], ...]]
) -> NDArray[np.float32]:
    mixing = np.zeros((len(names), 2 * len(CODES)), np.float32)
    for column, code in enumerate(CODES):
        for pattern, weight in shapes[code]:
            if "*" in pattern:
                for side, letter in enumerate("LR"):
                    mixing[names.index(pattern.replace("*", letter)), 2 * column + side] = weight
            else:  # a shape without sides takes the mean of both
                mixing[names.index(pattern), 2 * column : 2 * column + 2] = weight / 2
    return mixing


def _edges(triangles: NDArray[np.int32]) -> NDArray[np.int32]:
    sides = np.concatenate(
        [triangles[:, [0, 1, 2]], triangles[:, [1, 2, 0]], triangles[:, [2, 0, 1]]]
    )
    owner = np.tile(np.arange(len(triangles), dtype=np.int32), 3)
    key = np.sort(sides[:, :2], axis=1).astype(np.int64) @ (1 << 32, 1)
    order = np.argsort(key, kind="stable")
    key, sides, owner = key[order], sides[order], owner[order]
    start = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    partner = np.minimum(start + 1, len(key) - 1)
    paired = (partner > start) & (key[partner] == key[start])
    edges = np.empty((len(start), 6), np.int32)
    edges[:, :2] = sides[start, :2]
    edges[:, 2], edges[:, 3] = owner[start], np.where(paired, owner[partner], -1)
    edges[:, 4], edges[:, 5] = sides[start, 2], np.where(paired, sides[partner, 2], -1)
    return edges


def _compact(raw: dict[str, NDArray[np.generic]]) -> FaceKit:
    # Split quads, drop what is never seen, and number what is left anew, in the same order.
    quads, quads_uv = raw["quads"].astype(np.int32), raw["quads_uv"].astype(np.int32)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    corners = np.concatenate([quads_uv[:, [0, 1, 2]], quads_uv[:, [0, 2, 3]]])
    kept = ((triangles >= 0) & (triangles < _USED)).all(axis=1)
    triangles, corners = triangles[kept], corners[kept]

    neutral = raw["neutral"].astype(np.float32)
    part: NDArray[np.uint8] = np.zeros(len(neutral), np.uint8)
    for name, start in _BOUNDS:
        part[start:] = name
    a, b, c = (neutral[triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    facing = normal[:, 2] / np.maximum(np.linalg.norm(normal, axis=1), 1e-12)
    least = np.array([_FACING[Part(k)] for k in range(len(_BOUNDS))])
    kept = facing > least[part[triangles].max(axis=1)]
    # Skin first, so that most of what it hides is refused by its depth alone; cell by cell, so
    # that neighbours follow each other; and what is in front first.
    middle = (a + b + c)[kept] / 3.0
    cell = np.floor(middle[:, :2])
    order = np.lexsort((-middle[:, 2], cell[:, 0], -cell[:, 1], part[triangles[kept]].max(axis=1)))
    triangles, corners = triangles[kept][order], corners[kept][order]

    used = np.zeros(len(neutral), np.bool_)
    used[triangles] = True
    used[NARROW_FACE] = True
    number = np.cumsum(used, dtype=np.int32) - 1
    names = tuple(str(name) for name in raw["expression_names"])
    triangles = np.ascontiguousarray(number[triangles], np.int32)
    edges, part = _edges(triangles), part[used]
    # What lies behind lids and lips has no outline of its own that is seen.
    seen = np.isin(part[edges[:, :2]], (Part.FACE, Part.HEAD, Part.TEETH)).any(axis=1)
    return FaceKit(
        neutral=np.ascontiguousarray(neutral[used]),
        identity=np.ascontiguousarray(raw["identity"][:, used].astype(np.float16)),
        expression=np.ascontiguousarray(raw["expression"][:, used].astype(np.float32)),
        names=names,
        mixing=_mixing(names, SHAPES),
        triangles=triangles,
        corners=np.ascontiguousarray(corners),
        uv=raw["uv"].astype(np.float32),
        part=part,
        edges=np.ascontiguousarray(edges[seen]),
    )
