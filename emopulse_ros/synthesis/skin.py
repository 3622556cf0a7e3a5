"""Skin, brows, lips, hair and eyes from a seed: the albedo of a head that the kit does not have.

Everything is painted into one atlas, in linear reflectance.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from emopulse_ros.synthesis.canvas import Canvas, Plane, ramp


def hairiness(at: Plane, line: float) -> Plane:
    """Return how surely hair grows at places ``(3, ...)`` of the neutral head, 0 to 1.

    ``line`` is the y of the hair's edge on the forehead, in cm.
    """
    x, y, z = at
    front = ramp((z - 2.0) / 5.0)
    edge = 2.0 + (line - 2.0) * front - 0.02 * x * x * front
    ear = ramp((np.abs(x) - 7.2) / 0.4) * ramp((5.4 - y) / 0.5)
    nape = ramp((-z - 1.0) / 3.0) * ramp((y + 6.0) / 2.0)
    hair: Plane = np.maximum(ramp((y - edge) / 0.9), nape) * (1.0 - ear)
    return hair


@dataclass(frozen=True)
class Looks:
    """What a person's skin and hair are like, drawn from a seed. Reflectances are linear."""

    seed: int
    skin: float
    hair: float
    iris: float
    bald: bool
    hairline: float
    volume: float
    brow: float
    beard: float
    freckles: float
    grain: float
    age: float
    lips: float
    oily: float

    @staticmethod
    def of(seed: int) -> Looks:
        """Draw the looks of a person."""
        random = np.random.default_rng([seed, 0x5C1])
        skin = float(np.exp(random.uniform(np.log(0.1), np.log(0.55))))
        return Looks(
            seed=seed,
            skin=skin,
            hair=skin * float(random.choice([0.12, 0.2, 0.35, 0.8], p=[0.4, 0.3, 0.2, 0.1])),
            iris=float(random.uniform(0.02, 0.16)),
            bald=bool(random.random() < 0.12),
            hairline=float(random.uniform(8.6, 10.6)),
            volume=float(random.uniform(0.1, 1.6)),
            brow=float(random.uniform(0.35, 0.9)),
            beard=float(random.uniform(0.2, 0.8)) if random.random() < 0.35 else 0.0,
            freckles=float(random.uniform(0.1, 0.5)) if random.random() < 0.3 else 0.03,
            grain=float(np.exp(random.normal(-0.35, 0.45))),
            age=float(random.random()),
            lips=float(random.uniform(0.55, 0.9)),
            oily=float(random.uniform(0.01, 0.09)),
        )


def paint(canvas: Canvas, looks: Looks) -> Plane:
    """Paint the atlas of a person: ``(tile, 1.5 tile) float32``, linear reflectance."""
    random = np.random.default_rng([looks.seed, 0xA1BED0])
    tile, half = canvas.tile, canvas.tile // 2
    quarter = tile // 4
    atlas = np.full((tile, tile + half), looks.skin, np.float32)
    face = looks.skin * _skin(canvas, looks, random)
    strands = _strands(random, (tile, tile))
    for mask in (_brows(canvas, looks, random), _beard(canvas, looks, random)):
        face += mask * (looks.hair * strands - face)
    if not looks.bald:
        frayed = canvas.face + 0.2 * _noise(random, (tile, tile), 5.0)
        grown = hairiness(frayed, looks.hairline + 0.3)
        face += grown * (looks.hair * strands - face)
    face *= 1.0 - 0.85 * canvas.lashes
    atlas[:, :tile] = face

    scalp = looks.skin * (1.0 + 0.04 * _noise(random, (half, half), 2.0))
    if not looks.bald:
        grown = hairiness(canvas.scalp, looks.hairline + 0.3)
        scalp += grown * (looks.hair * _strands(random, (half, half)) - scalp)
    atlas[:half, tile:] = scalp

    low, middle, right = slice(half + quarter, None), slice(half, half + quarter), tile + quarter
    atlas[middle, tile:right] = _eye(quarter, looks, random)
    teeth = 1.0 + 0.05 * _noise(random, (quarter, atlas.shape[1] - right), 3.0)
    atlas[middle, right:] = (0.12 + 0.5 * looks.skin) * teeth
    atlas[low, tile:right] = 0.4 * looks.skin  # the mouth's inside
    atlas[low, right:] = 0.7 * looks.skin  # gums and eye sockets
    return np.ascontiguousarray(np.clip(atlas, 0.004, 0.9), np.float32)


def _skin(canvas: Canvas, looks: Looks, random: np.random.Generator) -> Plane:
    shape = (canvas.tile, canvas.tile)
    scale = canvas.tile / 512.0
    x, y, z = np.abs(canvas.face[0]), canvas.face[1], canvas.face[2]
    grain = looks.grain
    relief: Plane = 0.035 * _noise(random, shape, 24.0 * scale)
    relief += 0.03 * grain * _noise(random, shape, 6.0 * scale)
    relief += 0.022 * grain * _noise(random, shape, 2.2 * scale)
    relief += 0.028 * grain * _noise(random, shape, 0.9 * scale)
    # Furrows of the forehead, lines below the eyes: noise drawn out along x.
    furrows = np.maximum(_noise(random, shape, 1.3 * scale, 30.0 * scale), 0.0)
    forehead = ramp((y - 5.8) / 1.5) * ramp((10.5 - y) / 1.5)
    below = np.exp(-(((x - 3.2) / 1.8) ** 2) - ((y - 2.0) / 0.7) ** 2)
    relief -= (0.1 * looks.age * forehead + (0.05 + 0.1 * looks.age) * below) * furrows
    relief -= (0.05 + 0.12 * looks.age) * below
    spots = _noise(random, shape, 1.6 * scale)
    where = ramp((spots - 3.0 + 1.3 * looks.freckles) / 0.5)
    relief -= (0.25 + 0.3 * looks.freckles) * where * ramp((z - 4.0) / 3.0)
    # Cheeks and nose are redder: darker to a camera that sees green best.
    cheeks = np.exp(-(((x - 4.2) / 2.0) ** 2) - ((y + 0.5) / 2.2) ** 2)
    relief -= random.uniform(0.0, 0.1) * cheeks
    lines = 1.0 + 0.06 * _noise(random, shape, 6.0 * scale, 1.1 * scale)
    skin: Plane = (1.0 + relief) * (1.0 + canvas.lips * (looks.lips * lines - 1.0))
    return skin


def _brows(canvas: Canvas, looks: Looks, random: np.random.Generator) -> Plane:
    x, y, z = np.abs(canvas.face[0]), canvas.face[1], canvas.face[2]
    along = np.clip((x - 1.2) / 4.6, 0.0, 1.0)
    lift = random.uniform(-0.25, 0.25)
    arch = 5.05 + lift + random.uniform(0.5, 1.0) * np.sin(np.pi * along**1.2) - 0.35 * along**3
    thick = random.uniform(0.32, 0.6) * (1.0 - 0.65 * along**2)
    inside = ramp((x - 1.0) / 0.7) * ramp((6.0 - x) / 0.8) * ramp((z - 3.0) / 2.0)
    hairs = 1.0 + 0.35 * _noise(random, x.shape, 1.0 * canvas.tile / 512, 2.5 * canvas.tile / 512)
    mask: Plane = np.exp(-(np.abs((y - arch) / thick) ** 3)) * inside * looks.brow * hairs
    return np.clip(mask, 0.0, 0.97)


def _beard(canvas: Canvas, looks: Looks, random: np.random.Generator) -> Plane:
    x, y, z = np.abs(canvas.face[0]), canvas.face[1], canvas.face[2]
    cheek = -2.6 - random.uniform(0.0, 1.5) + 0.55 * np.maximum(x - 3.0, 0.0)
    lower = ramp((cheek - y) / 1.2)
    moustache = np.exp(-(((y + 2.0) / 0.75) ** 2) - (x / 2.8) ** 4)
    where = np.maximum(lower, moustache) * ramp((y + 12.0) / 3.0) * ramp((z - 0.5) / 2.0)
    stubble = 0.7 + 0.5 * _noise(random, x.shape, 1.0 * canvas.tile / 512)
    mask: Plane = looks.beard * where * stubble * (1.0 - np.minimum(1.5 * canvas.lips, 1.0))
    return np.clip(mask, 0.0, 0.95)


def _eye(size: int, looks: Looks, random: np.random.Generator) -> Plane:
    # 3.4 cm across; the pupil in the middle.
    y, x = (np.mgrid[:size, :size].astype(np.float32) + 0.5) / size * 3.4 - 1.7
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    iris_radius, pupil_radius = random.uniform(0.62, 0.7), random.uniform(0.2, 0.36)
    rays = np.zeros_like(radius)
    for count in (17, 29, 41):
        rays += np.sin(count * angle + random.uniform(0.0, 6.28))
    colour = looks.iris * (1.0 + 0.15 * rays)
    colour *= 1.0 - 0.6 * ramp((radius - iris_radius + 0.18) / 0.16)
    colour *= ramp((radius - pupil_radius + 0.03) / 0.06)
    veins = (0.13 + 0.4 * looks.skin) * (1.0 + 0.06 * _noise(random, radius.shape, size / 60))
    white = ramp((radius - iris_radius + 0.05) / 0.1)
    eye: Plane = (colour + white * (veins - colour)).astype(np.float32)
    return eye


def _noise(
    random: np.random.Generator, shape: tuple[int, int], sigma: float, sigma_x: float | None = None
) -> Plane:
    """Unit Gaussian noise of a grain of ``sigma`` texels (``sigma_x`` across)."""
    sigma_x = sigma_x or sigma
    # Coarse grain is drawn small and enlarged: blurring widely would be slow.
    step_y, step_x = max(1, int(sigma / 2.0)), max(1, int(sigma_x / 2.0))
    small = random.standard_normal((shape[0] // step_y + 8, shape[1] // step_x + 8), np.float32)
    small = cv2.GaussianBlur(small, (0, 0), sigma_x / step_x, sigmaY=sigma / step_y)
    small /= small.std()
    if (step_y, step_x) == (1, 1):
        return np.ascontiguousarray(small[: shape[0], : shape[1]])
    large = cv2.resize(small[4:-4, 4:-4], shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, np.float32)


def _strands(random: np.random.Generator, shape: tuple[int, int]) -> Plane:
    scale = shape[0] / 512.0
    strands: Plane = np.exp(
        0.35 * _noise(random, shape, 5.0 * scale, 1.0 * scale) + 0.2 * _noise(random, shape, 9.0)
    )
    return strands
