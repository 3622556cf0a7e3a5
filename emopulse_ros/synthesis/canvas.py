"""Where a kit's head lies in a texture, and what of it is lip or eyelid.

What lies where is read from the kit itself (the lips are what rolls, the lids' edge is where face
meets eye socket), so that paint sits on the same vertices for every person.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.synthesis.face_kit import FaceKit, Part
from emopulse_ros.synthesis.rasteriser import spread

Plane = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Canvas:
    """Where the head lies in an atlas of ``tile`` x ``1.5 tile`` texels.

    ``places`` ``(M, 2) float32`` is the texel of each of the kit's uv corners. ``face``
    ``(3, tile, tile)`` and ``scalp`` ``(3, tile/2, tile/2)`` say where on the kit's neutral head
    a texel lies, in cm; ``lips`` and ``lashes`` ``(tile, tile)``, 0 to 1, what belongs to those.
    """

    tile: int
    places: NDArray[np.float32]
    face: Plane
    scalp: Plane
    lips: Plane
    lashes: Plane


@lru_cache(maxsize=8)
def lay_out(kit: FaceKit, tile: int) -> Canvas:
    """Lay the head of a kit out on an atlas, ``tile`` texels (even) for the face."""
    part = kit.part[kit.triangles].max(axis=1)
    places = np.zeros_like(kit.uv)
    half, quarter = tile // 2, tile // 4
    for name in Part:
        corners = kit.corners[part == name]
        u, v = kit.uv[corners, 0] % 1.0, 1.0 - kit.uv[corners, 1]
        if name == Part.FACE:
            x, y = u * tile, v * tile
        elif name == Part.HEAD:
            x, y = tile + u * half, v * half
        elif name in (Part.EYE_LEFT, Part.EYE_RIGHT):
            at = kit.neutral[kit.triangles[part == name]] - pupil(kit, name)
            x = tile + quarter / 2 + at[..., 0] * quarter / 3.4
            y = half + quarter / 2 - at[..., 1] * quarter / 3.4
        else:
            # A swatch each for teeth and for the mouth's inside; gums and eye sockets share one.
            row, column = {Part.TEETH: (0, 1), Part.MOUTH: (1, 0)}.get(name, (1, 1))
            x = tile + quarter * (column + 0.2 + 0.6 * u)
            y = half + quarter * (row + 0.2 + 0.6 * v)
        places[corners] = np.stack([x, y], axis=-1)
    places -= 0.5

    values = np.column_stack([kit.neutral, _lips(kit), _lashes(kit)]).astype(np.float32)
    field = np.full((tile, tile * 3 // 2, 5), np.nan, np.float32)
    for name in (Part.HEAD, Part.FACE):
        chosen = part == name
        spread(places, values, kit.triangles[chosen], kit.corners[chosen], field)
    face = np.moveaxis(_fill(field[:, :tile]), -1, 0)
    scalp = np.moveaxis(_fill(field[:half, tile:, :3]), -1, 0)
    return Canvas(tile, places, face[:3], scalp, face[3], face[4])


def pupil(kit: FaceKit, eye: Part) -> NDArray[np.float32]:
    """Return the middle of an eye's pupil on the neutral head, ``(3,) float32`` in cm."""
    shape = kit.names.index("PupilDilate_L" if eye == Part.EYE_LEFT else "PupilDilate_R")
    weight = np.linalg.norm(kit.expression[shape], axis=1) * (kit.part == eye)
    return np.asarray(weight @ kit.neutral / weight.sum(), np.float32)


def _fill(field: Plane) -> Plane:
    """Continue ``(h, w, C)`` a little into where it is not a number: seams are sampled there."""
    field = field.copy()
    for _ in range(3):
        unknown = np.isnan(field[..., 0])
        known = cv2.blur((~unknown).astype(np.float32), (3, 3))
        near = cv2.blur(np.nan_to_num(field), (3, 3)) / np.maximum(known, 1e-6)[..., None]
        grown = unknown & (known > 0.05)
        field[grown] = near[grown]
    return np.nan_to_num(field)


def ramp(value: Plane) -> Plane:
    """Return 0 below 0, 1 above 1 and a smooth step between."""
    held = np.clip(value, 0.0, 1.0)
    smooth: Plane = held * held * (3.0 - 2.0 * held)
    return smooth


def _lips(kit: FaceKit) -> Plane:
    field: Plane = np.zeros(len(kit.neutral), np.float32)
    for name, full in (("mouthRollLower", 1.2), ("mouthRollUpper", 0.95)):
        moved = np.linalg.norm(kit.expression[kit.names.index(name)], axis=1)
        field = np.maximum(field, ramp((moved / full - 0.55) / 0.35))
    return np.where(kit.part == Part.FACE, field, 0.0)


def _lashes(kit: FaceKit) -> Plane:
    # The lids' edge is the ring of skin that the eye socket begins at.
    in_socket = (kit.part[kit.triangles] == Part.EYE_SOCKET).any(axis=1)
    field = np.zeros(len(kit.neutral), np.float32)
    edge = np.unique(kit.triangles[in_socket])
    edge = edge[kit.part[edge] == Part.FACE]
    for eye in (Part.EYE_LEFT, Part.EYE_RIGHT):
        middle = pupil(kit, eye)
        own = edge[np.sign(kit.neutral[edge, 0]) == np.sign(middle[0])]
        upper = ramp((kit.neutral[own, 1] - middle[1] + 0.3) / 0.5)
        field[own] = 0.3 + 0.7 * upper
    return field
