"""Whether two engines say the same of the same flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emopulse_ros.detection.engine import Engine

STEPS = 64
"""Steps that are compared, one after the other: longer than the network remembers."""
SEED = 20_260_101

FULL, HALF = 1e-3, 5e-2
"""Largest difference allowed, for weights in 32 and in 16 bits. A logit that far off moves a
probability by 0.00025 at most, and by 0.0125. ONNX Runtime itself is off by 0.01 to 0.012 when
the shipped model is converted to 16 bits."""


class ParityError(RuntimeError):
    """Two engines disagree; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Parity:
    """The largest difference of any output in so many steps."""

    steps: int
    worst: float
    tolerance: float


def compare(
    engine: Engine, reference: Engine, *, tolerance: float, steps: int = STEPS, seed: int = SEED
) -> Parity:
    """Run both on the same seeded flow, each with its own state carried on.

    Logits, intensities and attention are compared.

    :raises ParityError: if any of them differs by more than ``tolerance``, or is no number.
    """
    random = np.random.default_rng(seed)
    recipe = reference.card.recipe
    shape = (len(recipe.channels), recipe.grid, recipe.grid)
    state, other = engine.first_state(), reference.first_state()
    worst = 0.0
    for number in range(steps):
        flow = random.normal(0.0, 0.5, shape).astype(np.float32)
        reading, state = engine.step(flow, state)
        wanted, other = reference.step(flow, other)
        differences = (
            np.abs(reading.logits - wanted.logits).max(),
            np.abs(reading.intensity - wanted.intensity).max(),
            np.abs(reading.attention - wanted.attention),
        )
        worst = float(np.max([worst, *differences]))
        if not worst <= tolerance:
            raise ParityError(
                f"{engine.describe()} and {reference.describe()} disagree by {worst:.2g} at step "
                f"{number + 1}, more than {tolerance:g}"
            )
    return Parity(steps, worst, tolerance)
