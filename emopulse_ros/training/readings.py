"""Units and strengths fitted once more, to features as they are while running.

The network learns through 99% dropout, which keeps its features from relying on any one place. What
is read from them need not go without: with the features as they are, few numbers are left to be
found, and whole clips to find them from (after Kirichenko et al., "Last layer re-training is
sufficient for robustness to spurious correlations", 2023).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from emopulse_ros.training.dataset import Clips, weight_of
from emopulse_ros.training.network import TinyI3D

DRAWN_BACK = 0.03
"""Weight of what was learnt before: squared distance from it, in deviations of the features."""

QUIET = 10.0
"""How much a frame of a quiet clip counts: faces show no micro-expression most of the time, and
those of the other clips seldom none."""

ITERATIONS = 60
"""Of the optimiser at most; it ends sooner."""


def fit_readings(network: TinyI3D, clips: Clips, device: torch.device) -> None:
    """Fit ``units`` and ``strength`` of a trained network to all frames of some clips.

    It is the last thing done before calibration and export: ``best.pt``, from which other runs go
    on, keeps them as they were learnt.
    """
    network.eval()
    features = torch.empty(sum(clips.lengths), network.shape.features)
    with torch.no_grad():
        for rows, batch in clips.wholes():
            features[rows] = network(batch.flow.to(device)).features[0].T.cpu()
    truth, shown = clips.truth, clips.strength
    active, strength = torch.from_numpy(truth).float(), torch.from_numpy(shown)
    quiet = np.repeat([path.parent.name == "quiet" for path in clips.paths], clips.lengths)
    weight = torch.from_numpy(weight_of(truth, shown))
    weight[quiet] *= QUIET
    weight /= weight.mean()

    def entropy(logits: Tensor) -> Tensor:
        return functional.binary_cross_entropy_with_logits(logits, active, weight)

    _fit(network.units, features, entropy)
    _fit(network.strength, features, lambda given: ((given.sigmoid() - strength) ** 2).mean())


def _fit(layer: nn.Linear, features: Tensor, loss_of: Callable[[Tensor], Tensor]) -> None:
    weight, bias = (part.detach().cpu().clone() for part in (layer.weight, layer.bias))
    learnt, spread = weight.clone(), features.std(dim=0)
    parts = [weight.requires_grad_(), bias.requires_grad_()]
    optimiser = torch.optim.LBFGS(parts, max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        away = (weight - learnt) * spread
        loss = loss_of(functional.linear(features, weight, bias)) + DRAWN_BACK * (away**2).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
