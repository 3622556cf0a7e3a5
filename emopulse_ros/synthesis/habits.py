"""What faces do by habit, and a script of it written from a seed.

Dynamics follow Yan et al., "How fast are the leaked facial expressions" (2013): a fast onset, a
short apex and a slower offset.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.facs import ACTION_UNITS, BLINK, INDEX
from emopulse_ros.synthesis.script import MILLISECOND, Axis, Kind, Movement, Script, Turn

COMBINATIONS: tuple[tuple[int, ...], ...] = (
    (1,), (2,), (4,), (5,), (6,), (7,), (9,), (10,), (12,), (14,), (15,), (17,), (20,), (25,),
    (1, 2), (1, 4), (4, 7), (6, 12), (12, 25), (9, 10), (15, 17),
    (1, 2, 5), (1, 4, 15), (5, 20, 25),
)  # fmt: skip
"""Single units and the combinations that occur in spontaneous micro-expressions."""

SLIGHT: tuple[tuple[int, ...], ...] = (
    (5,), (6,), (7,), (7,), (9,), (10,), (14,), (14,), (20,), (4, 7), (6, 12), (5, 20, 25),
)  # fmt: skip
"""Of these, units that move little skin or stand in few combinations."""

VIVID: tuple[tuple[int, ...], ...] = (
    (6, 12, 25), (6, 12, 25), (12, 25), (6, 12), (1, 2, 5, 25), (1, 2, 25), (4, 7), (4, 7, 10, 17),
    (9, 10, 17), (4, 9, 10), (1, 4, 15, 17), (4, 15), (1, 2, 4, 5, 20, 25), (1, 4, 20, 25),
)  # fmt: skip
"""What moves together in large expressions, as far as the units go: Du, Tao & Martinez, "Compound
facial expressions of emotion" (2014), table 1; the broad smile, with the cheeks, twice."""

VISEMES: tuple[tuple[int, ...], ...] = ((25,), (25,), (20, 25), (10, 25), (17, 25), (17,), (12, 25))
"""What the mouth does while it speaks, as far as the units go."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What kind of script to write: ranges from which the seed draws.

    Durations are in ms. ``micro_ms`` is from onset to offset; where ``onset_ms`` is given, the
    time from onset to apex is drawn from it instead, and what follows goes by it, up to the 500 ms
    of a micro-expression. ``pause_ms`` is from one expression's offset to the next one's onset.
    ``macro`` and ``speech`` are the shares of macro-expressions and of spells of speech among the
    expressions, each of which is one of ``combinations``. ``sway`` scales the head's motion (1: a
    person sitting at ease); ``gestures`` are turns and nods of the head, ``glances`` those of the
    eyes, per minute.
    """

    micro_ms: tuple[float, float] = (40.0, 200.0)
    onset_ms: tuple[float, float] | None = None
    strength: tuple[float, float] = (0.15, 0.4)
    pause_ms: tuple[float, float] = (300.0, 900.0)
    blink_every_ms: tuple[float, float] = (2000.0, 5000.0)
    combinations: tuple[tuple[int, ...], ...] = COMBINATIONS
    one_sided: float = 0.2
    macro: float = 0.0
    macro_ms: tuple[float, float] = (400.0, 2500.0)
    macro_rise_ms: tuple[float, float] = (40.0, 500.0)
    speech: float = 0.0
    speech_ms: tuple[float, float] = (800.0, 2500.0)
    sway: float = 1.0
    gestures: float = 0.0
    glances: float = 0.0
    quiet_ms: float = 1000.0


MICRO = Habits(onset_ms=(40.0, 200.0), strength=(0.1, 0.4), glances=10.0)
"""Micro-expressions as the literature has them: onset of 40 to 200 ms, 10 to 40% intensity."""

QUIET = Habits(
    macro=0.55, macro_ms=(800.0, 2500.0), macro_rise_ms=(250.0, 600.0), speech=0.45,
    gestures=20.0, glances=20.0,
)  # fmt: skip
"""All a face does without a micro-expression: it speaks, smiles, blinks, turns, nods, looks."""

MICRO_LONGEST = 490.0
"""ms: what lasts longer than 500 is no micro-expression (Yan et al., 2013)."""


def write_script(
    seed: int, duration: int, habits: Habits | None = None, *, repeats: bool = False
) -> Script:
    """Write a script of ``duration`` ns from a seed; a longer one from that seed begins alike.

    The first ``quiet_ms`` hold no expression, so that a reader can find the neutral face.
    """
    habits = habits or Habits()
    expressions, blinks, sway, turns = (
        np.random.default_rng([seed, 0x5C819, part]) for part in range(4)
    )
    movements = [*_expressions(expressions, duration, habits), *_blinks(blinks, duration, habits)]
    movements.sort(key=lambda movement: movement.onset)
    return Script(
        seed,
        duration,
        tuple(movements),
        _sway(sway, habits.sway),
        repeats,
        tuple(_turns(turns, duration, habits)),
    )


def _expressions(random: np.random.Generator, duration: int, habits: Habits) -> list[Movement]:
    movements: list[Movement] = []
    time = habits.quiet_ms
    while True:
        chance = random.random()
        if chance < habits.macro:
            made = [_macro(random, time, habits)]
        elif chance < habits.macro + habits.speech:
            made = _speech(random, time, habits)
        else:
            made = [_micro(random, time, habits)]
        end = max(movement.offset for movement in made)
        if end + habits.pause_ms[0] * MILLISECOND > duration:
            return movements
        movements += made
        time = end / MILLISECOND + random.uniform(*habits.pause_ms)


def _micro(random: np.random.Generator, time: float, habits: Habits) -> Movement:
    if habits.onset_ms is None:
        length, hold = random.uniform(*habits.micro_ms), 0.0
        rise = length * random.uniform(0.3, 0.5)
    else:
        rise, hold = random.uniform(*habits.onset_ms), random.uniform(0.0, 80.0)
        length = min(rise + hold + rise * random.uniform(1.0, 1.8), MICRO_LONGEST)
    return _expression(random, "micro", habits.strength, time, (rise, hold, length), habits)


def _macro(random: np.random.Generator, time: float, habits: Habits) -> Movement:
    length = random.uniform(*habits.macro_ms)
    rise = min(random.uniform(*habits.macro_rise_ms), 0.4 * length)
    hold = random.uniform(0.0, 0.4) * length
    return _expression(random, "macro", (0.4, 1.0), time, (rise, hold, length), habits)


def _expression(
    random: np.random.Generator,
    kind: Kind,
    strengths: tuple[float, float],
    time: float,
    shape: tuple[float, float, float],
    habits: Habits,
) -> Movement:
    """One expression; ``shape`` is (rise, hold, length) in ms."""
    rise, hold, length = shape
    aus = habits.combinations[random.integers(len(habits.combinations))]
    side = random.integers(2) if random.random() < habits.one_sided else None
    sides: list[tuple[float, float]] = []
    for code in aus:
        left, right = random.uniform(*strengths) * random.uniform(0.85, 1.0, 2)
        if side is not None and ACTION_UNITS[INDEX[code]].sided:
            left, right = (left, 0.0) if side == 0 else (0.0, right)
        sides.append((float(left), float(right)))
    onset = round(time * MILLISECOND)
    apex = onset + round(rise * MILLISECOND)
    offset = onset + round(length * MILLISECOND)
    return Movement(kind, aus, tuple(sides), onset, apex, offset, round(hold * MILLISECOND))


def _speech(random: np.random.Generator, time: float, habits: Habits) -> list[Movement]:
    """A spell of speech: four to eight syllables a second, which run into each other."""
    movements: list[Movement] = []
    end = time + random.uniform(*habits.speech_ms)
    while time < end:
        length = random.uniform(90.0, 260.0)
        aus = VISEMES[random.integers(len(VISEMES))]
        strength = [float(value) for value in random.uniform(0.15, 0.6, len(aus))]
        onset = round(time * MILLISECOND)
        apex = onset + round(length * random.uniform(0.35, 0.6) * MILLISECOND)
        offset = onset + round(length * MILLISECOND)
        sides = tuple((value, value) for value in strength)
        movements.append(Movement("speech", aus, sides, onset, apex, offset))
        time += length * random.uniform(0.5, 1.0)
    return movements


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


GESTURES: tuple[tuple[Axis, float, float], ...] = (
    ("yaw", 0.14, 0.0), ("yaw", 0.14, 0.0), ("pitch", 0.08, 0.0), ("pitch", 0.07, 2.0),
    ("roll", 0.10, 0.0), ("right", 0.10, 0.0), ("scale", 0.06, 0.0), ("yaw", 0.06, 2.0),
)  # fmt: skip
"""Axis and size of a gesture, and how often it comes again at once: nods and shakes do."""


def _turns(random: np.random.Generator, duration: int, habits: Habits) -> list[Turn]:
    turns: list[Turn] = []
    for time in _times(random, duration, habits.gestures):
        axis, size, again = GESTURES[random.integers(len(GESTURES))]
        amount = float(size * random.uniform(0.4, 1.0) * random.choice((-1.0, 1.0)))
        rise = random.uniform(120.0, 250.0) if again else random.uniform(250.0, 700.0)
        hold = 0.0 if again else random.uniform(0.0, 800.0)
        starts = (time + 2.0 * rise * number for number in range(1 + int(again)))
        turns += [_turn(axis, amount, start, rise, hold) for start in starts]
    for time in _times(random, duration, habits.glances):
        # A saccade takes some 30 ms, whatever its size.
        hold = random.uniform(150.0, 900.0)
        yaw, pitch = random.normal(0.0, (0.14, 0.07))
        turns.append(_turn("gaze_yaw", float(yaw), time, 30.0, hold))
        turns.append(_turn("gaze_pitch", float(pitch), time, 30.0, hold))
    return turns


def _times(random: np.random.Generator, duration: int, per_minute: float) -> list[float]:
    """Moments in ms, as far apart as they happen to be."""
    times: list[float] = []
    time = 0.0
    while per_minute > 0.0:
        time += random.uniform(0.3, 1.7) * 60_000.0 / per_minute
        if time * MILLISECOND >= duration:
            break
        times.append(time)
    return times


def _turn(axis: Axis, amount: float, time: float, rise: float, hold: float) -> Turn:
    begin, reached, left, end = (
        round(at * MILLISECOND)
        for at in (time, time + rise, time + rise + hold, time + 2.0 * rise + hold)
    )
    return Turn(axis, amount, begin, reached, left, end)
