"""A real portrait that makes the faces a script tells it to."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.stream import read_only
from emopulse_ros.synthesis.eyelids import Eye, Lids, eyes_of
from emopulse_ros.synthesis.grid import Grid, pixels
from emopulse_ros.synthesis.head import Head
from emopulse_ros.synthesis.lens import LEVEL, Sensor, light_of
from emopulse_ros.synthesis.likeness import Likeness, astronaut
from emopulse_ros.synthesis.muscles import PULLS, Pull, displacement_fields, manner
from emopulse_ros.synthesis.script import Pose, Script

FINER = 2
"""How much finer than the image the stored picture is. OpenCV samples a picture at 32nds of its
pixels, and a micro-expression moves skin by hundredths of a pixel in a frame."""

ROUNDS = 20
"""Steps of the iterations that invert the backward maps: enough for a hundredth of a pixel."""

ROUGHLY = 4
"""Steps that are enough for a pixel."""

Points = NDArray[np.float32]


class PortraitScene:
    """A portrait whose face, lids and head move by a script; a :class:`Scene`.

    ``size`` is the image's (width, height), ``face_width`` that of the face at its ears in pixels
    and ``place`` the middle of the face in parts of ``size``; ``tilt`` turns the camera, in
    radians. ``noise`` is the sensor's, in gray levels; ``blur`` in pixels, ``gamma``, ``contrast``
    and ``brightness`` are the lens's, see :func:`light_of`. The noise's seed is the script's
    unless given.

    A picture is made backwards: each pixel is asked what lay there before the head moved, before
    the muscles pulled and before the lids closed. :meth:`landmarks` answers the same forwards, and
    :meth:`flow` asks first and then answers.
    One scene serves one thread.
    """

    def __init__(
        self,
        script: Script,
        seed: int | None = None,
        size: tuple[int, int] = (640, 480),
        face_width: float = 200.0,
        noise: float = 2.0,
        portrait: Likeness | None = None,
        *,
        place: tuple[float, float] = (0.5, 0.5),
        tilt: float = 0.0,
        blur: float = 0.0,
        gamma: float = 1.0,
        contrast: float = 1.0,
        brightness: float = 0.0,
        pulls: Mapping[int, tuple[Pull, ...]] = PULLS,
    ) -> None:
        portrait = portrait or astronaut()
        self.script = script
        self.size = size
        self._sensor = Sensor(script.seed if seed is None else seed, size, noise)
        scale = face_width / portrait.frame.width
        self._picture = light_of(
            portrait.enlarged(scale * FINER),
            blur=blur * FINER,
            gamma=gamma,
            contrast=contrast,
            brightness=brightness,
        )
        middle = np.multiply(place, size) - 0.5
        offset = middle - portrait.frame.middle * scale
        marks = portrait.landmarks * np.float32(scale)
        marks[:, :2] += offset.astype(np.float32)
        # Pixels are counted at their middles, which lie half a pixel in, large or small.
        self._corner = ((0.5 * scale - offset) * FINER - 0.5).astype(np.float32)
        self._marks = np.ascontiguousarray(marks[:, :2])
        self._eyes = eyes_of(self._to_picture(self._marks), portrait.mirror, face_width * FINER)
        self._head = Head(marks, tilt)
        self._margin = 0.1 * face_width

        # The face moves smoothly: its motion is computed for some points and drawn out between.
        step = max(2, round(face_width / 50.0))
        width, height = size
        self._grid = Grid.over((-step, -step, width + step, height + step), step)
        self._still = self._grid.values(self._head.at_rest)
        self._reach = self._grid.values(self._head.reach)

        low, high = self._marks.min(axis=0) - self._margin, self._marks.max(axis=0) + self._margin
        self._skin = Grid.over((low[0], low[1], high[0], high[1]), step)
        places = self._skin.points()
        fields = displacement_fields(marks, portrait.mirror, places.reshape(-1, 2), pulls)
        self._fields = fields.reshape(*fields.shape[:2], *places.shape)
        self._near = self._grid.slices_within(low - self._margin, high + self._margin)

        self._map = np.empty((self._grid.rows * step, self._grid.columns * step, 2), np.float32)
        self._inside = self._map[step : step + height, step : step + width]
        self._light = np.empty((height, width), np.int16)

    def render(self, time: int) -> NDArray[np.uint8]:
        """Return the picture ``time`` ns after the script began: ``(H, W) uint8``, read-only."""
        self._shine(time)
        return read_only(self._sensor.expose(self._light, time))

    def light(self, time: int) -> NDArray[np.float32]:
        """Return the light on the sensor: ``(H, W) float32``, in gray levels."""
        self._shine(time)
        return self._light * np.float32(1.0 / LEVEL)

    def expose(self, light: NDArray[np.float32], time: int) -> NDArray[np.uint8]:
        """Return the picture of some light, no larger than the scene's own."""
        steps = np.rint(light * np.float32(LEVEL)).clip(0.0, 255.0 * LEVEL)
        return self._sensor.expose(steps.astype(np.int16), time)

    def _shine(self, time: int) -> None:
        pose, strength = self.script.pose(time), self.script.strength(time)
        self._ask(pose, strength)
        _shown(self._picture, self._inside, self._light)
        for eye, side in zip(self._eyes, strength.T, strict=True):
            lids = Lids.of(side)
            if not lids.at_rest:
                self._draw_lids(eye, lids, pose)

    def _ask(self, pose: Pose, strength: NDArray[np.float32]) -> None:
        """Ask each pixel where in the stored picture it was, had no lid moved."""
        before = self._head.before(self._still, self._reach, pose)
        pulled = self._pulled(strength)
        if pulled is not None:
            near = before[self._near]
            near -= self._skin.sample_many(pulled, near)
        before *= FINER
        before += self._corner
        self._grid.drawn(before, out=self._map)

    def landmarks(self, time: int) -> NDArray[np.float32]:
        """Where the face mesh's points are at ``time`` ns: ``(468, 2) float32``, in pixels."""
        return self._placed(self._to_picture(self._marks), time)

    def flow(self, start: int, end: int) -> NDArray[np.float32]:
        """How far what is seen at ``start`` has moved by ``end``: ``(H, W, 2) float32``, in pixels.

        The hair and the background near the head are drawn along as they are in the pictures. NaN
        in the eyes, which do not move by the script.
        """
        strength = self.script.strength(start)
        self._ask(self.script.pose(start), strength)
        rest = self._inside.copy()
        for eye, side in zip(self._eyes, strength.T, strict=True):
            (upper_at, upper), (lower_at, lower), (_, eyeball) = eye.layers(
                self._inside, Lids.of(side), FINER
            )
            rest += np.where((upper > lower)[..., None], upper_at, lower_at) - self._inside
            rest[eyeball > np.maximum(upper, lower)] = np.nan
        height, width = rest.shape[:2]
        skin = np.isfinite(rest[..., 0])
        moved = np.full_like(rest, np.nan)
        moved[skin] = self._placed(rest[skin], end) - pixels(width, height)[skin]
        return moved

    def _placed(self, rest: Points, time: int) -> Points:
        """Where the skin is at ``time`` that lies at ``rest`` ``(N, 2)`` in the stored picture."""
        pose, strength = self.script.pose(time), self.script.strength(time)
        points = rest.copy()
        for eye, side in zip(self._eyes, strength.T, strict=True):
            lids, upper = Lids.of(side), eye.is_upper(rest)
            from_rest = points.copy()
            for _ in range(ROUNDS):
                points += from_rest - eye.skin(points, upper, lids)
        points = self._from_picture(points)
        pulled = self._pulled(strength)
        if pulled is not None:
            lidded = points.copy()
            for _ in range(ROUNDS):
                points = lidded + self._skin.sample(pulled, points)
        return self._posed(points, pose)

    def eyes(self, time: int) -> NDArray[np.float32]:
        """Where the middles of both eyes are at ``time`` ns: ``(2, 2) float32``, in pixels."""
        pose = self.script.pose(time)
        centres = self._from_picture(np.array([eye.centre for eye in self._eyes], np.float32))
        return self._posed(centres, pose)

    @classmethod
    def varied(
        cls,
        seed: int,
        script: Script,
        size: tuple[int, int] = (256, 256),
        *,
        mannered: bool = False,
    ) -> PortraitScene:
        """A scene with another face, camera and light, drawn from ``seed``.

        The face is 50 to 65% as wide as the shorter side of ``size``.
        """
        random = np.random.default_rng([seed, 0xFACE])
        portrait = astronaut().mirrored() if random.random() < 0.5 else astronaut()
        return cls(
            script,
            seed,
            size,
            face_width=min(size) * random.uniform(0.5, 0.65),
            noise=random.uniform(0.5, 4.0),
            portrait=portrait.morphed(random),
            place=(random.uniform(0.46, 0.54), random.uniform(0.46, 0.54)),
            tilt=random.normal(0.0, 0.05),
            blur=random.uniform(0.0, 1.2),
            gamma=float(np.exp(random.normal(0.0, 0.25))),
            contrast=random.uniform(0.6, 1.1),
            brightness=random.normal(0.0, 15.0),
            pulls=manner(random) if mannered else PULLS,
        )

    def _posed(self, points: Points, pose: Pose, rounds: int = ROUNDS) -> Points:
        """Where points of the face at rest are when the head has moved."""
        placed = points.copy()
        for _ in range(rounds):
            reach = self._grid.sample(self._reach, placed)
            placed += points - self._head.before(self._head.at_rest(placed), reach, pose)
        return np.asarray(placed, np.float32)

    def _pulled(self, strength: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """How far the skin is pulled on its grid, ``(rows, columns, 2)``, if it is at all."""
        active = strength > 0.0
        if not active.any():
            return None
        return np.asarray(np.tensordot(strength[active], self._fields[active], 1), np.float32)

    def _draw_lids(self, eye: Eye, lids: Lids, pose: Pose) -> None:
        """Draw one eye over the light, with its lids moved."""
        centre = self._posed(self._from_picture(eye.centre[None]), pose, rounds=ROUGHLY)[0]
        reach = self._margin * np.array([1.7, 1.5])
        left, top = np.maximum(centre - reach, 0.0).astype(int)
        right, bottom = np.maximum(centre + reach, 0.0).astype(int)
        light = self._light[top:bottom, left:right]
        if light.size == 0:
            return
        layers = eye.layers(self._inside[top:bottom, left:right], lids, FINER)
        light[...] = sum(share * _shown(self._picture, at) for at, share in layers)

    def _to_picture(self, points: Points) -> Points:
        """Pixels of the upright image as pixels of the stored, finer picture."""
        return np.asarray(points * FINER + self._corner, np.float32)

    def _from_picture(self, points: Points) -> Points:
        return np.asarray((points - self._corner) / FINER, np.float32)


def _shown(
    picture: NDArray[np.int16], at: Points, out: NDArray[np.int16] | None = None
) -> NDArray[np.int16]:
    """What ``picture`` holds at the places ``at`` ``(h, w, 2)``: ``(h, w) int16``."""
    shown = cv2.remap(
        picture, at, None, cv2.INTER_LINEAR, dst=out, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(shown, np.int16)
