"""Whether two engines say the same of the same flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emopulse_ros.detection.engine import Engine, Reading

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
    """Run both on the same seeded flow, each with its own states carried on.

    Of one face, and for a quarter as long of as many as the engine reads at once. Logits,
    intensities and attention are compared.

    :raises ParityError: if any of them differs by more than ``tolerance``, or is no number.
    """
    random = np.random.default_rng(seed)
    recipe = reference.card.recipe
    shape = (len(recipe.channels), recipe.grid, recipe.grid)
    worst = 0.0
    for faces, count in {engine.at_once: steps // 4, 1: steps}.items():
        states = [engine.first_state() for _ in range(faces)]
        others = [reference.first_state() for _ in range(faces)]
        for number in range(count):
            flows = list(random.normal(0.0, 0.5, (faces, *shape)).astype(np.float32))
            read = engine.step_all(flows, states)
            wanted = reference.step_all(flows, others)
            states, others = ([after for _, after in one] for one in (read, wanted))
            gaps = [_gap(one, other) for (one, _), (other, _) in zip(read, wanted, strict=True)]
            # A NaN stays one.
            worst = float(np.max([worst, *gaps]))
            if not worst <= tolerance:
                raise ParityError(
                    f"{engine.describe()} and {reference.describe()} disagree by {worst:.2g} at "
                    f"step {number + 1} of {faces} face{'s' * (faces > 1)}, more than {tolerance:g}"
                )
    return Parity(steps, worst, tolerance)


def _gap(one: Reading, other: Reading) -> float:
    """The largest difference between two readings; NaN if one holds any."""
    differences = (
        np.abs(one.logits - other.logits).max(),
        np.abs(one.intensity - other.intensity).max(),
        np.abs(one.attention - other.attention),
    )
    return float(np.max(differences))
