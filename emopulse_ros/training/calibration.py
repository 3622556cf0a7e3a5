"""Probabilities that mean what they say, and thresholds, both from the validation part alone."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from emopulse_ros.evaluation.metrics import count

CANDIDATES = np.linspace(0.2, 0.7, 26)
"""Thresholds tried. A calibrated unit alarms best somewhat below 0.5 (Lipton et al., 2014)."""


def platt(
    logits: NDArray[np.float32], truth: NDArray[np.bool_]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Scale and shift for each unit's logits ``(N, A)`` that make its probability calibrated.

    Platt (1999): logistic regression on the logit, held to positive scales by their logarithm and
    drawn a little towards 1 where a unit is rare.
    """
    given, wanted = torch.from_numpy(logits), torch.from_numpy(truth.astype(np.float32))
    log_scale = torch.zeros(logits.shape[1], requires_grad=True)
    shift = torch.zeros(logits.shape[1], requires_grad=True)
    optimiser = torch.optim.LBFGS([log_scale, shift], max_iter=100)

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = functional.binary_cross_entropy_with_logits(given * log_scale.exp() + shift, wanted)
        loss = loss + 1e-3 * (log_scale**2 + shift**2).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    scale = log_scale.detach().exp()
    return tuple(scale.tolist()), tuple(shift.detach().tolist())


def best_thresholds(
    probability: NDArray[np.float32], truth: NDArray[np.bool_]
) -> tuple[float, ...]:
    """For each unit the threshold with the highest F1 on probabilities ``(N, A)``."""
    scores = np.array([count(truth, probability >= level).f1 for level in CANDIDATES])
    best = np.nan_to_num(scores, nan=-1.0).argmax(axis=0)
    never = np.isnan(scores).all(axis=0)
    return tuple(float(level) for level in np.where(never, 0.5, CANDIDATES[best]))
