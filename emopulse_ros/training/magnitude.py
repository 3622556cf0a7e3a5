"""The baseline to beat: how much each region moves, read by a linear classifier.

After MDMO (Liu et al., "A main directional mean optical flow feature", 2016), with a grid of
regions in place of regions of interest.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from emopulse_ros.training.dataset import Clips

REGIONS = 8
"""Regions along each side of the crop."""

STEPS = 600


def _regions(flow: Tensor) -> Tensor:
    """Mean length of the flow in each region: ``(B, C, T, H, W)`` to ``(B * T, features)``."""
    u, v = flow[:, 0::3], flow[:, 1::3]
    length = torch.sqrt(u * u + v * v).transpose(1, 2).flatten(0, 1)
    pooled = functional.adaptive_avg_pool2d(length, REGIONS)
    return torch.log(0.02 + pooled).flatten(1)


def magnitude_baseline(
    training: Clips, others: tuple[Clips, ...], seed: int
) -> list[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """Train on one part; return logits and truth, ``(N, A)``, of the others' frames."""
    parts = [_features(part) for part in (training, *others)]
    inputs, truth = parts[0]
    mean, spread = inputs.mean(dim=0), inputs.std(dim=0) + 1e-6
    torch.manual_seed(seed)
    linear = nn.Linear(inputs.shape[1], truth.shape[1])
    optimiser = torch.optim.Adam(linear.parameters(), lr=0.01, weight_decay=1e-4)
    for _ in range(STEPS):
        chosen = torch.randint(len(inputs), (2048,))
        logits = linear((inputs[chosen] - mean) / spread)
        loss = functional.binary_cross_entropy_with_logits(logits, truth[chosen])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    with torch.no_grad():
        return [
            (linear((part - mean) / spread).numpy(), wanted.numpy() > 0.5)
            for part, wanted in parts[1:]
        ]


def _features(clips: Clips) -> tuple[Tensor, Tensor]:
    inputs, truth = [], []
    for index in range(len(clips)):
        batch = clips.whole(index)
        inputs.append(_regions(batch.flow))
        truth.append(batch.active[0].T)
    return torch.cat(inputs), torch.cat(truth)
