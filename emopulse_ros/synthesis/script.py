"""What a synthetic face does, and when: movements of its muscles, of its head and of its eyes.

The script is the ground truth: a scene renders it, the evaluation scores against it. How one is
written from a seed is in :mod:`.habits`.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.facs import CODES, INDEX

MILLISECOND = 1_000_000
SECOND = 1_000_000_000

Kind = Literal["micro", "macro", "blink", "speech"]
"""Why a face moves: a micro-expression, one that lasts longer or is larger, a blink, a word."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of the face.

    ``strength`` gives, for each code in ``aus``, the strength at the apex of the (left, right)
    half of the face (the person's own left), 0 to 1. Times are ns since the script began; ``hold``
    is for how many ns the apex is held.
    """

    kind: Kind
    aus: tuple[int, ...]
    strength: tuple[tuple[float, float], ...]
    onset: int
    apex: int
    offset: int
    hold: int = 0

    def phase(self, time: int) -> float:
        """How far the movement has gone at ``time``: 0 outside, 1 at the apex, smooth between."""
        return _there_and_back(time, self.onset, self.apex, self.apex + self.hold, self.offset)


Axis = Literal["right", "down", "roll", "yaw", "pitch", "scale", "gaze_yaw", "gaze_pitch"]


@dataclass(frozen=True, slots=True)
class Turn:
    """The head or the eyes turn and come back: a look aside, a nod, a step towards the camera.

    ``axis`` is a field of :class:`Pose`, or that of the gaze, and ``amount`` in its unit. Times
    are ns since the script began: it is there from ``reached`` to ``left``, and back at ``end``.
    """

    axis: Axis
    amount: float
    begin: int
    reached: int
    left: int
    end: int

    def at(self, time: int) -> float:
        """How far it has turned at ``time``."""
        return self.amount * _there_and_back(time, self.begin, self.reached, self.left, self.end)


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the head is, against its place of rest.

    ``right`` and ``down`` are in face widths, the angles in radians (``roll`` clockwise as seen,
    ``yaw`` to the viewer's right, ``pitch`` downwards), ``scale`` is a factor.
    """

    right: float
    down: float
    roll: float
    yaw: float
    pitch: float
    scale: float


@dataclass(frozen=True, eq=False)
class Script:
    """A face's doings over ``duration`` ns.

    ``movements`` are in the order of their onsets and lie between 0 and ``duration``. ``sway`` is
    ``(6, K, 3) float64``: for each field of :class:`Pose`, K sine waves as (amplitude, frequency
    in Hz, phase in radians). With ``repeats`` the movements come again after each ``duration``
    while the head sways on; without it nothing moves the face after the end. ``turns`` come on top
    of the sway, once.
    """

    seed: int
    duration: int
    movements: tuple[Movement, ...]
    sway: NDArray[np.float64]
    repeats: bool = False
    turns: tuple[Turn, ...] = ()

    def under_way(self, time: int) -> tuple[Movement, ...]:
        """The movements between onset and offset, both included, at ``time`` ns."""
        time = self._wrap(time)
        # Sorted by onset, and none is longer than the longest: few need to be looked at.
        first = bisect_left(self._onsets, time - self._longest)
        last = bisect_left(self._onsets, time + 1)
        return tuple(move for move in self.movements[first:last] if time <= move.offset)

    def strength(self, time: int) -> NDArray[np.float32]:
        """Strength of each action unit at ``time`` ns: ``(A, 2) float32``, left and right."""
        now = np.zeros((len(CODES), 2), np.float32)
        for movement in self.under_way(time):
            phase = movement.phase(self._wrap(time))
            for code, sides in zip(movement.aus, movement.strength, strict=True):
                row = now[INDEX[code]]
                np.maximum(row, np.multiply(sides, phase, dtype=np.float32), out=row)
        return now

    def intensity(self, time: int) -> NDArray[np.float32]:
        """Strength of each action unit at ``time`` ns on its stronger side: ``(A,) float32``."""
        stronger: NDArray[np.float32] = self.strength(time).max(axis=1)
        return stronger

    def active(self, time: int) -> NDArray[np.bool_]:
        """Which action units are between onset and offset at ``time`` ns: ``(A,) bool``."""
        now = np.zeros(len(CODES), np.bool_)
        for movement in self.under_way(time):
            now[[INDEX[code] for code in movement.aus]] = True
        return now

    def pose(self, time: int) -> Pose:
        """Where the head is at ``time`` ns."""
        amplitude, frequency, phase = np.moveaxis(self.sway, -1, 0)
        waves = amplitude * np.sin(2.0 * np.pi * frequency * (time / SECOND) + phase)
        right, down, roll, yaw, pitch, scale = (
            float(value) + self._turned(axis, time)
            for axis, value in zip(_AXES, waves.sum(axis=1), strict=True)
        )
        return Pose(right, down, roll, yaw, pitch, 1.0 + scale)

    def gaze(self, time: int) -> tuple[float, float]:
        """Where the eyes look at ``time`` ns, against the head: (yaw, pitch) in radians."""
        return self._turned("gaze_yaw", time), self._turned("gaze_pitch", time)

    def _turned(self, axis: Axis, time: int) -> float:
        return sum(turn.at(time) for turn in self.turns if turn.axis == axis)

    def _wrap(self, time: int) -> int:
        return time % self.duration if self.repeats else time

    @cached_property
    def _onsets(self) -> tuple[int, ...]:
        return tuple(movement.onset for movement in self.movements)

    @cached_property
    def _longest(self) -> int:
        return max((move.offset - move.onset for move in self.movements), default=0)


_AXES: tuple[Axis, ...] = ("right", "down", "roll", "yaw", "pitch", "scale")


def _there_and_back(time: int, begin: int, reached: int, left: int, end: int) -> float:
    """0 outside, 1 from ``reached`` to ``left``, smooth between."""
    if not begin < time < end:
        return 0.0
    if time <= reached:
        part = (time - begin) / (reached - begin)
    elif time <= left:
        return 1.0
    else:
        part = (end - time) / (end - left)
    return 0.5 - 0.5 * float(np.cos(np.pi * part))
