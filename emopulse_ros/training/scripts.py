"""What the face of a training clip does: its script, from a seed and a kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from emopulse_ros.synthesis.habits import QUIET, SLIGHT, VIVID, Habits, write_script
from emopulse_ros.synthesis.script import MILLISECOND, Script

OTHERS = 1_000_000
"""Distance between the seeds of scripts that are laid over each other."""

Kind = Literal["natural", "crowded", "slight", "quiet", "vivid"]
"""How a clip's face moves.

``natural``: as faces do; what is measured, and the probabilities, come from these. ``crowded``: up
to two more scripts are laid over it, for units that come and go independently of each other,
several at a time, teach more per rendered frame. ``slight``: crowded too, all of it of units that
are hard to see, more often behind glasses, amid more speech and large expressions. ``quiet``: no
micro-expression at all, but speech, turns of the head, and expressions that rise slowly and last.
``vivid``: mostly whole expressions, large and sudden, on a head that moves a great deal.
"""

SHORT = 1500 * MILLISECOND
LENGTHS: dict[Kind, int] = {
    "natural": SHORT, "crowded": SHORT, "slight": SHORT, "quiet": 2 * SHORT, "vivid": SHORT,
}  # fmt: skip
"""ns that a clip of each kind lasts: one of what lasts is longer."""


def habits_of(seed: int, kind: Kind) -> Habits:
    """What the face of a training clip does: micro-expressions mostly (but in a quiet one), of all
    lengths and strengths, now and then a large one or a word, more blinks and glances than in life,
    a still or a restless head."""
    random = np.random.default_rng([seed, 0x4AB1])
    if kind == "quiet":
        return replace(
            QUIET,
            macro_ms=(500.0, 2500.0),
            macro_rise_ms=(100.0, 600.0),
            pause_ms=(60.0, random.uniform(150.0, 900.0)),
            blink_every_ms=(500.0, 4000.0),
            sway=random.uniform(0.0, 2.5),
            gestures=random.choice([0.0, 40.0]),
            glances=random.choice([0.0, 40.0]),
            quiet_ms=random.uniform(50.0, 500.0),
        )
    if kind == "vivid":
        return Habits(
            combinations=VIVID,
            one_sided=0.05,
            strength=(0.2, 0.6),
            pause_ms=(100.0, random.uniform(200.0, 900.0)),
            blink_every_ms=(500.0, 2500.0),
            macro=0.8,
            macro_ms=(150.0, 1200.0),
            macro_rise_ms=(20.0, 200.0),
            sway=random.uniform(0.0, 5.0),
            gestures=random.choice([0.0, 60.0]),
            glances=random.choice([0.0, 60.0]),
            quiet_ms=random.uniform(50.0, 400.0),
        )
    shortest = random.uniform(40.0, 200.0)
    habits = Habits(
        micro_ms=(shortest, shortest + random.uniform(50.0, 300.0)),
        onset_ms=(40.0, 200.0) if random.random() < 0.6 else None,
        strength=(0.1, random.uniform(0.25, 0.6)),
        pause_ms=(60.0, random.uniform(150.0, 700.0)),
        blink_every_ms=(500.0, 2500.0),
        macro=random.choice([0.0, 0.0, 0.3]),
        macro_ms=(200.0, 1000.0),
        speech=random.choice([0.0, 0.0, 0.0, 0.5]),
        speech_ms=(300.0, 1000.0),
        sway=random.uniform(0.0, 2.5),
        gestures=random.choice([0.0, 0.0, 60.0]),
        glances=random.choice([0.0, 60.0]),
        quiet_ms=random.uniform(50.0, 500.0),
    )
    if kind != "slight":
        return habits
    macro, speech = random.choice([0.0, 0.3]), random.choice([0.0, 0.0, 0.4])
    return replace(habits, combinations=SLIGHT, macro=macro, speech=speech)


def script_of(seed: int, kind: Kind) -> Script:
    """The script of a clip."""
    script = write_script(seed, LENGTHS[kind], habits_of(seed, kind))
    if kind in ("natural", "quiet", "vivid"):
        return script
    more = int(np.random.default_rng([seed, 0xDE45]).choice([0, 0, 1, 2]))
    others = [
        write_script(other, LENGTHS[kind], habits_of(other, kind))
        for other in (seed + OTHERS * number for number in range(1, more + 1))
    ]
    laid_over = [one for other in others for one in other.movements if one.kind != "blink"]
    movements = sorted([*script.movements, *laid_over], key=lambda one: one.onset)
    return replace(script, movements=tuple(movements))
