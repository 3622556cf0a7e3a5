"""What a synthetic face does, and when: movements, blinks and head sway, written from a seed.

The script is the ground truth: a scene renders it, the evaluation scores against it.
Dynamics follow Yan et al., "How fast are the leaked facial expressions" (2013): a fast onset, a
short apex and a slower offset.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.facs import ACTION_UNITS, BLINK, CODES, INDEX

MILLISECOND = 1_000_000
SECOND = 1_000_000_000

COMBINATIONS: tuple[tuple[int, ...], ...] = (
    (1,), (2,), (4,), (5,), (6,), (7,), (9,), (10,), (12,), (14,), (15,), (17,), (20,), (25,),
    (1, 2), (1, 4), (4, 7), (6, 12), (12, 25), (9, 10), (15, 17),
    (1, 2, 5), (1, 4, 15), (5, 20, 25),
)  # fmt: skip
"""Single units and the combinations that occur in spontaneous micro-expressions."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of the face.

    ``strength`` gives, for each code in ``aus``, the strength at the apex of the (left, right)
    half of the face (the person's own left), 0 to 1. Times are ns since the script began; ``hold``
    is for how many ns the apex is held.
    """

    kind: Literal["micro", "macro", "blink"]
    aus: tuple[int, ...]
    strength: tuple[tuple[float, float], ...]
    onset: int
    apex: int
    offset: int
    hold: int = 0

    def phase(self, time: int) -> float:
        """How far the movement has gone at ``time``: 0 outside, 1 at the apex, smooth between."""
        if not self.onset < time < self.offset:
            return 0.0
        if time <= self.apex:
            part = (time - self.onset) / (self.apex - self.onset)
        elif time <= self.apex + self.hold:
            return 1.0
        else:
            part = (self.offset - time) / (self.offset - self.apex - self.hold)
        return 0.5 - 0.5 * float(np.cos(np.pi * part))


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
    while the head sways on; without it nothing moves the face after the end.
    """

    seed: int
    duration: int
    movements: tuple[Movement, ...]
    sway: NDArray[np.float64]
    repeats: bool = False

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
        right, down, roll, yaw, pitch, scale = (float(value) for value in waves.sum(axis=1))
        return Pose(right, down, roll, yaw, pitch, 1.0 + scale)

    def _wrap(self, time: int) -> int:
        return time % self.duration if self.repeats else time

    @cached_property
    def _onsets(self) -> tuple[int, ...]:
        return tuple(movement.onset for movement in self.movements)

    @cached_property
    def _longest(self) -> int:
        return max((move.offset - move.onset for move in self.movements), default=0)


@dataclass(frozen=True, slots=True)
class Habits:
    """What kind of script to write: ranges from which the seed draws.

    Durations in ms from onset to offset; ``pause_ms`` from one movement's offset to the next
    one's onset; ``sway`` scales the head's motion (1: a person sitting at ease).
    """

    micro_ms: tuple[float, float] = (40.0, 200.0)
    strength: tuple[float, float] = (0.15, 0.4)
    pause_ms: tuple[float, float] = (300.0, 900.0)
    blink_every_ms: tuple[float, float] = (2000.0, 5000.0)
    one_sided: float = 0.2
    macro: float = 0.0
    macro_ms: tuple[float, float] = (400.0, 2500.0)
    macro_rise_ms: tuple[float, float] = (40.0, 500.0)
    sway: float = 1.0
    quiet_ms: float = 1000.0


def write_script(
    seed: int, duration: int, habits: Habits | None = None, *, repeats: bool = False
) -> Script:
    """Write a script of ``duration`` ns from a seed; a longer one from that seed begins alike.

    The first ``quiet_ms`` hold no expression, so that a reader can find the neutral face.
    """
    habits = habits or Habits()
    expressions, blinks, sway = (np.random.default_rng([seed, 0x5C819, k]) for k in range(3))
    movements = [*_expressions(expressions, duration, habits), *_blinks(blinks, duration, habits)]
    movements.sort(key=lambda movement: movement.onset)
    return Script(seed, duration, tuple(movements), _sway(sway, habits.sway), repeats)


def _expressions(random: np.random.Generator, duration: int, habits: Habits) -> list[Movement]:
    movements: list[Movement] = []
    time = habits.quiet_ms
    while True:
        is_macro = random.random() < habits.macro
        length = random.uniform(*(habits.macro_ms if is_macro else habits.micro_ms))
        rise, hold = length * random.uniform(0.3, 0.5), 0.0
        if is_macro:
            rise = min(random.uniform(*habits.macro_rise_ms), 0.4 * length)
            hold = random.uniform(0.0, 0.4) * length
        aus = COMBINATIONS[random.integers(len(COMBINATIONS))]
        side = random.integers(2) if random.random() < habits.one_sided else None
        sides: list[tuple[float, float]] = []
        for code in aus:
            strength = random.uniform(0.4, 1.0) if is_macro else random.uniform(*habits.strength)
            left, right = strength * random.uniform(0.85, 1.0, 2)
            if side is not None and ACTION_UNITS[INDEX[code]].sided:
                left, right = (left, 0.0) if side == 0 else (0.0, right)
            sides.append((float(left), float(right)))
        onset = round(time * MILLISECOND)
        offset = onset + round(length * MILLISECOND)
        if offset + habits.pause_ms[0] * MILLISECOND > duration:
            return movements
        kind: Literal["micro", "macro"] = "macro" if is_macro else "micro"
        apex = onset + round(rise * MILLISECOND)
        held = round(hold * MILLISECOND)
        movements.append(Movement(kind, aus, tuple(sides), onset, apex, offset, held))
        time += length + random.uniform(*habits.pause_ms)


def _blinks(random: np.random.Generator, duration: int, habits: Habits) -> list[Movement]:
    blinks: list[Movement] = []
    time = random.uniform(0.3, 1.0) * habits.blink_every_ms[0]
    while (time + 400.0) * MILLISECOND < duration:
        length = random.uniform(150.0, 300.0)
        onset = round(time * MILLISECOND)
        apex = onset + round(length * random.uniform(0.3, 0.4) * MILLISECOND)
        depth = float(random.uniform(0.85, 1.0))
        offset = onset + round(length * MILLISECOND)
        blinks.append(Movement("blink", (BLINK,), ((depth, depth),), onset, apex, offset))
        time += length + random.uniform(*habits.blink_every_ms)
    return blinks


def _sway(random: np.random.Generator, amount: float) -> NDArray[np.float64]:
    # Amplitudes of a sitting person's head, in the units of Pose, spread over three waves.
    amplitude = np.array([0.02, 0.012, 0.015, 0.03, 0.02, 0.006]) * amount
    waves = np.empty((6, 3, 3))
    waves[..., 0] = amplitude[:, None] * random.uniform(0.2, 1.0, (6, 3)) / (1.0, 2.0, 4.0)
    waves[..., 1] = random.uniform((0.1, 0.4, 1.0), (0.4, 1.0, 2.0), (6, 3))
    waves[..., 2] = random.uniform(0.0, 2.0 * np.pi, (6, 3))
    return waves
