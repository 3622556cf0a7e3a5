"""The baseline to beat: how much each region moves, read by a linear classifier.

After MDMO (Liu et al., "A main directional mean optical flow feature", 2016), with a grid of
regions in place of regions of interest.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from emopulse_ros.detection.model import Card
from emopulse_ros.training.dataset import Clips
from emopulse_ros.training.export import write_model

REGIONS = 8
"""Regions along each side of the crop."""

STEPS = 600


class MagnitudeReader(nn.Module):
    """A linear reader of regions; ``mean`` and ``spread`` are the features' in training."""

    mean: Tensor
    spread: Tensor

    def __init__(self, mean: Tensor, spread: Tensor, units: int) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)
        self.linear = nn.Linear(len(mean), units)

    def forward(self, features: Tensor) -> Tensor:
        """``(N, features)`` to logits ``(N, A)``."""
        logits: Tensor = self.linear((features - self.mean) / self.spread)
        return logits

    def read(self, clips: Clips) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Logits and truth, ``(N, A)``, of all frames of a part."""
        with torch.no_grad():
            return self(_features(clips)).numpy(), clips.truth


class _Step(nn.Module):
    """A reader as the stream wants it: one flow field in, no state, no intensity, no attention."""

    def __init__(self, reader: MagnitudeReader) -> None:
        super().__init__()
        self.reader = reader

    def forward(self, flow: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        logits = self.reader(_regions(flow[:, :, None]))
        return logits, 0.0 * logits, 1.0 + 0.0 * logits[:, 0]


def train_magnitude(training: Clips, seed: int) -> MagnitudeReader:
    """Train a reader on a part."""
    inputs = _features(training)
    truth = torch.from_numpy(training.truth.astype(np.float32))
    torch.manual_seed(seed)
    reader = MagnitudeReader(inputs.mean(dim=0), inputs.std(dim=0) + 1e-6, truth.shape[1])
    optimiser = torch.optim.Adam(reader.parameters(), lr=0.01, weight_decay=1e-4)
    for _ in range(STEPS):
        chosen = torch.randint(len(inputs), (2048,))
        loss = functional.binary_cross_entropy_with_logits(reader(inputs[chosen]), truth[chosen])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return reader


def export_magnitude(reader: MagnitudeReader, card: Card, path: Path) -> None:
    """Write a reader as a model file of the step form, which any stage and command takes.

    ``card`` holds its calibration and thresholds, and the recipe of the clips it was trained on.
    """
    grid, channels = card.recipe.grid, len(card.recipe.channels)
    outputs = ["logits", "intensity", "attention"]
    write_model(
        _Step(reader),
        (torch.zeros(1, channels, grid, grid),),
        path,
        ["flow"],
        outputs,
        {name: {0: "batch"} for name in ("flow", *outputs)},
        replace(card, form="step"),
    )


def _regions(flow: Tensor) -> Tensor:
    """Mean length of the flow in each region: ``(B, C, T, H, W)`` to ``(B * T, features)``."""
    u, v = flow[:, 0::3], flow[:, 1::3]
    length = torch.sqrt(u * u + v * v).transpose(1, 2).flatten(0, 1)
    pooled = functional.avg_pool2d(length, int(flow.shape[-1]) // REGIONS)
    return torch.log(0.02 + pooled).flatten(1)


def _features(clips: Clips) -> Tensor:
    """Features of all frames of a part, ``(N, features)``."""
    references = len(clips.recipe.channels) // 3
    features = torch.empty(sum(clips.lengths), references * REGIONS**2)
    for rows, batch in clips.wholes():
        features[rows] = _regions(batch.flow).cpu()
    return features
