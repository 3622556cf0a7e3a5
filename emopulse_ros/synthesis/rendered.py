"""A rendered person: a 3D head with known action units, in light and before a camera of its own.

Needs the face kit and numba; makes training and test data, and is no part of the runtime.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.stream import read_only
from emopulse_ros.synthesis.backdrop import backdrop
from emopulse_ros.synthesis.canvas import lay_out, pupil
from emopulse_ros.synthesis.face_kit import NARROW_FACE, FaceKit, Part
from emopulse_ros.synthesis.mouth import CLOSED, close, gap
from emopulse_ros.synthesis.occlusion import ambient_share, light_reaching
from emopulse_ros.synthesis.rasteriser import draw, soften_outlines
from emopulse_ros.synthesis.script import SECOND, Pose, Script
from emopulse_ros.synthesis.shading import deform, expose, normals, project, shade
from emopulse_ros.synthesis.shot import Shot, turned_by
from emopulse_ros.synthesis.skin import Looks, hairiness, paint

_FACTOR = 2  # samples per pixel and axis
_GRAIN = 524_309  # a prime: rows of noise never line up with rows of the picture
_REACH = 2.5  # cm by which a surface may bulge in front of its own outline
# cm by which the eyes are set back, so that none comes through its lids: the edge of a lid is an
# outline and moves smoothly, the line where two surfaces meet does not.
_EYES_BACK = 0.18
_AS_IT_IS = np.array([0.0, 255.0], np.float32)
"""The tone of light that is in gray levels already."""

_REST = Pose(0.0, 0.0, 0.0, 0.0, 0.0, 1.0)


class RenderedScene:
    """A face of the kit, moved by a script: a :class:`~emopulse_ros.synthesis.scene.Scene`.

    ``seed`` draws the person, skin, light, camera and background. ``size`` is (width, height) in
    pixels, ``face_width`` the width of the face between the ears in pixels, ``noise`` the standard
    deviation of the sensor's noise at mid-gray, in gray levels. The eyes wander a little, in
    proportion to the script's sway.
    """

    def __init__(
        self,
        script: Script,
        kit: FaceKit,
        seed: int,
        size: tuple[int, int] = (256, 256),
        face_width: float = 150.0,
        noise: float = 1.5,
    ) -> None:
        self.script = script
        self.seed = seed
        self.looks = Looks.of(seed)
        self.shot = Shot.of(seed)
        self._kit = kit
        self._size = size
        self._face_width = face_width
        random = np.random.default_rng([seed, 0x5CE4E])
        self._rest, self._manner = kit.rest(seed), kit.manner(seed)
        person = kit.person(seed) + np.tensordot(self._rest, kit.expression, 1)
        self._head = self._grow_hair(close(kit, person), random)
        self._head[kit.part >= Part.EYE_LEFT, 2] -= _EYES_BACK
        width = np.ptp(self._head[NARROW_FACE, 0])
        self._focal = face_width * self.shot.distance / float(width)
        self._waves = random.uniform((0.1, 0.0), (0.5, 2.0 * np.pi), (2, 2, 2))
        self._restless = min(1.5, float(np.abs(script.sway[..., 0]).sum()) / 0.06)

        # One texel to about one sample: finer would crawl, coarser would blur.
        tile = int(np.clip(16 * round(3.4 * _FACTOR * face_width / 32.0), 128, 1536))
        canvas = lay_out(kit, tile)
        self._places = canvas.places
        self._texture = paint(canvas, self.looks)
        self._surface = self._reach_of_light()
        self._allocate(len(kit.neutral))
        self._expose_for_skin(random, noise)

    def render(self, time: int) -> NDArray[np.uint8]:
        """Return the picture ``time`` ns after the script began: ``(H, W) uint8``, read-only."""
        self._radiate(time)
        return read_only(self._exposed(self._picture, self._tone, time))

    def light(self, time: int) -> NDArray[np.float32]:
        """Return the light on the sensor: ``(H, W) float32``, in gray levels."""
        self._radiate(time)
        levels = np.linspace(0.0, 1.0, len(self._tone), dtype=np.float32)
        return np.interp(self._picture, levels, self._tone).astype(np.float32)

    def expose(self, light: NDArray[np.float32], time: int) -> NDArray[np.uint8]:
        """Return the picture of some light, no larger than the scene's own."""
        return self._exposed(light * np.float32(1.0 / 255.0), _AS_IT_IS, time)

    def _exposed(
        self, radiance: NDArray[np.float32], tone: NDArray[np.float32], time: int
    ) -> NDArray[np.uint8]:
        # Noise of its own for each moment, wherever the calls come from (Fibonacci hashing).
        start = (int(time) * 0x9E3779B97F4A7C15 + self.seed * 0xC2B2AE3D27D4EB4F) % (1 << 64)
        picture = np.empty(radiance.shape, np.uint8)
        expose(radiance, tone, self._grain, (start >> 20) % _GRAIN, self._gain, picture)
        return picture

    def vertices(self, time: int) -> NDArray[np.float32]:
        """Return where each vertex of the kit is in the picture: ``(N, 2) float32``, x and y.

        Integers are the middles of pixels; what is hidden is projected all the same.
        """
        self._pose(time)
        points = (self._points[:, :2] + 0.5) / _FACTOR - 0.5
        return points.astype(np.float32)

    def flow(self, start: int, end: int) -> NDArray[np.float32]:
        """Return how far what is seen at ``start`` has moved by ``end``, in pixels.

        ``(H, W, 2) float32``, x and y; NaN where the head is not.
        """
        there, here = self.vertices(end), self.vertices(start)
        points = np.column_stack([here, self._points[:, 2]])
        width, height = self._size
        planes = np.full((2, height, width), np.nan, np.float32)
        white = np.ones((2, 2), np.float32)
        for plane, way in zip(planes, (there - here).T, strict=True):
            # Lit by its own motion, a white head shows how far it goes.
            light = np.column_stack([way, np.zeros_like(way)])
            depth = np.zeros((height, width), np.float32)
            draw(points, light, self._kit.triangles, self._kit.corners,
                 np.zeros_like(self._places), white, self._facing, depth, plane)  # fmt: skip
        return np.ascontiguousarray(np.moveaxis(planes, 0, -1))

    def eyes(self, time: int) -> NDArray[np.float32]:
        """Return the middles of both eyes, the person's left first: ``(2, 2) float32``."""
        points = self.vertices(time)
        return np.stack([points[own].mean(axis=0) for own in self._eyes])

    def _grow_hair(
        self, head: NDArray[np.float32], random: np.random.Generator
    ) -> NDArray[np.float32]:
        if self.looks.bald:
            return head
        kit = self._kit
        hair = hairiness(kit.neutral.T, self.looks.hairline) * (kit.part <= Part.HEAD)
        outward = np.empty_like(head)
        normals(head, kit.triangles, outward)
        wave, phase = random.normal(0.0, 0.7, (3, 3)), random.uniform(0.0, 6.28, 3)
        tousled = 1.0 + 0.12 * np.sin(kit.neutral @ wave + phase).sum(axis=1)
        grown = head + outward * (self.looks.volume * hair * tousled)[:, None]
        return np.ascontiguousarray(grown, np.float32)

    def _reach_of_light(self) -> NDArray[np.float32]:
        kit, shot = self._kit, self.shot
        random = np.random.default_rng([self.seed, 0x11647])
        near = shot.key[:3] + random.normal(0.0, random.uniform(0.05, 0.25), (6, 3))
        near = near / np.linalg.norm(near, axis=1, keepdims=True)
        at_rest = self._head @ turned_by(shot.yaw, shot.pitch, 0.0)
        surface = np.zeros((len(self._head), 4), np.float32)
        surface[:, 0] = ambient_share(kit)
        surface[:, 1] = light_reaching(kit, at_rest, near.astype(np.float32))
        surface[:, 2] = self.looks.oily * (1.0 - hairiness(kit.neutral.T, self.looks.hairline))
        # How much light finds the teeth depends on the lips: see `_radiate`.
        for part, reach in ((Part.TEETH, 0.6), (Part.GUMS, 0.4), (Part.MOUTH, 0.15)):
            surface[kit.part == part, :2] = reach
        eyes = (kit.part == Part.EYE_LEFT) | (kit.part == Part.EYE_RIGHT)
        surface[eyes, 2:] = 1.0
        return surface

    def _allocate(self, count: int) -> None:
        width, height = self._size
        self._shape = np.empty((count, 3), np.float32)
        self._normal = np.empty((count, 3), np.float32)
        self._points = np.empty((count, 3), np.float32)
        self._light = np.empty((count, 2), np.float32)
        self._facing = np.empty(len(self._kit.triangles), np.bool_)
        self._depth = np.empty((round(height * _FACTOR), round(width * _FACTOR)), np.float32)
        self._colour = np.empty_like(self._depth)
        self._background = np.zeros_like(self._depth)
        self._picture = np.empty((height, width), np.float32)
        eyes = (Part.EYE_LEFT, Part.EYE_RIGHT)
        self._inside = np.flatnonzero(np.isin(self._kit.part, (Part.TEETH, Part.GUMS, Part.MOUTH)))
        self._eyes = [np.flatnonzero(self._kit.part == eye) for eye in eyes]
        at = [
            np.argmin(np.linalg.norm(self._kit.neutral - pupil(self._kit, e), axis=1)) for e in eyes
        ]
        # The kit's eyeballs are 1.5 cm in radius; they turn about their middles.
        self._pivots = [self._head[i] - (0.0, 0.0, 1.5) for i in at]

    def _expose_for_skin(self, random: np.random.Generator, noise: float) -> None:
        shot = self.shot
        levels = np.linspace(0.0, 1.0, 1025)
        self._tone = (255.0 * levels**shot.gamma).astype(np.float32)
        gray = np.arange(256) / 128.0
        self._gain = (noise * np.sqrt(0.3 + 0.7 * gray)).astype(np.float32)
        self._grain = random.standard_normal(_GRAIN, np.float32)
        self._radiate(None)
        drawn = self._depth > 0.0
        bright = float(np.quantile(self._colour[drawn], 0.6)) if drawn.any() else 1.0
        factor = np.float32((shot.level / 255.0) ** (1.0 / shot.gamma) / bright)
        self._texture *= factor
        self._surface[:, 2] *= min(float(factor), 0.5)
        x, y = np.median(self._points[NARROW_FACE, :2] / _FACTOR, axis=0)
        behind = backdrop(random, self._size, (float(x), float(y), self._face_width))
        behind = np.power(behind, np.float32(1.0 / shot.gamma))
        cv2.resize(
            behind, self._depth.shape[::-1], self._background, interpolation=cv2.INTER_LINEAR
        )

    def _pose(self, time: int | None) -> None:
        """Put the vertices where they are at ``time`` (None: the face at rest)."""
        kit, shot = self._kit, self.shot
        strength = self.script.strength(-1 if time is None else time)
        # What the face holds at rest already has less far to go.
        weights = (self._manner @ strength.ravel()) * (1.0 - self._rest)
        deform(self._head, kit.expression, weights, self._shape)
        self._gap = gap(kit, self._shape) - CLOSED
        self._turn_eyes(0 if time is None else time)
        pose = _REST if time is None else self.script.pose(time)
        turn = turned_by(shot.yaw + pose.yaw, shot.pitch + pose.pitch, pose.roll)
        scale = self._focal * pose.scale * _FACTOR
        width, height = self._size
        x = (width / 2 + (shot.offset[0] + pose.right) * self._face_width) * _FACTOR - 0.5
        y = (height / 2 + (shot.offset[1] + pose.down) * self._face_width) * _FACTOR - 0.5
        project(self._shape, turn, shot.distance, scale, x, y, self._points)

    def _turn_eyes(self, time: int) -> None:
        frequency, phase = self._waves[..., 0], self._waves[..., 1]
        drift = np.sin(2.0 * np.pi * frequency * (time / SECOND) + phase).sum(axis=1)
        yaw, pitch = np.add(self.shot.gaze, 0.008 * self._restless * drift) + self.script.gaze(time)
        turn = turned_by(float(yaw), float(pitch), 0.0)
        for own, pivot in zip(self._eyes, self._pivots, strict=True):
            self._shape[own] = (self._shape[own] - pivot) @ turn + pivot

    def _radiate(self, time: int | None) -> None:
        self._pose(time)
        kit = self._kit
        normals(self._shape, kit.triangles, self._normal)
        shade(
            self._normal, self._surface, self.shot.key, self.shot.fill, self.shot.wrap, self._light
        )
        self._light[self._inside] *= min(1.0, 0.12 + 1.2 * max(0.0, self._gap))
        self._depth.fill(0.0)
        np.copyto(self._colour, self._background)
        draw(self._points, self._light, kit.triangles, kit.corners, self._places, self._texture,
             self._facing, self._depth, self._colour)  # fmt: skip
        reach = _REACH / self.shot.distance**2
        soften_outlines(self._points, kit.edges, self._facing, reach, self._depth, self._colour)
        cv2.resize(self._colour, self._size, self._picture, interpolation=cv2.INTER_AREA)
        cv2.GaussianBlur(self._picture, (5, 5), self.shot.blur, dst=self._picture)
