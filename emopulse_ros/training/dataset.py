"""Clips as batches: drawn, mirrored, shifted and scaled, with strain made anew from the flow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from emopulse_ros.training.clips import Clip, unpack

SLIGHT = 0.03
"""Strength below which an active frame shows nothing yet, and teaches little."""

SLIGHT_WEIGHT = 0.2


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows of clips.

    ``flow`` ``(B, C, T, H, W)``; ``active`` and ``strength`` ``(B, A, T)``; ``weight``
    ``(B, A, T)``: how much each counts in the loss, 0 where the window began in mid-clip and the
    network could not know yet.
    """

    flow: Tensor
    active: Tensor
    strength: Tensor
    weight: Tensor


class Clips:
    """A set of clips in memory.

    :raises FileNotFoundError: if the folder holds no clip of these names.
    """

    def __init__(self, folder: Path, names: list[str]) -> None:
        paths = sorted(path for name in names for path in folder.glob(f"{name}-*.npz"))
        if not paths:
            raise FileNotFoundError(f"no clips named {' or '.join(names)} in {folder}")
        self.paths = paths
        self.clips = [Clip.load(path) for path in paths]
        self._unpack = torch.from_numpy(unpack(np.arange(-128, 128).astype(np.int8)))

    def __len__(self) -> int:
        return len(self.clips)

    def whole(self, index: int) -> Batch:
        """One clip from its start to its end, as it is."""
        clip = self.clips[index]
        return self._stack([(clip, 0, len(clip.flow))], warm_up=0)

    def draw(self, random: np.random.Generator, count: int, frames: int, warm_up: int) -> Batch:
        """A batch of ``count`` windows, varied; a quarter of them begin where their clip does."""
        windows = []
        for _ in range(count):
            clip = self.clips[random.integers(len(self.clips))]
            last = len(clip.flow) - frames
            start = 0 if random.random() < 0.25 else int(random.integers(last + 1))
            windows.append((clip, start, frames))
        batch = self._stack(windows, warm_up)
        return _vary(batch, random)

    def _stack(self, windows: list[tuple[Clip, int, int]], warm_up: int) -> Batch:
        flows, actives, strengths, weights = [], [], [], []
        for clip, start, frames in windows:
            part = slice(start, start + frames)
            active = clip.active[part].T
            strength = clip.strength[part].T.astype(np.float32)
            weight = np.where(active & (strength < SLIGHT), SLIGHT_WEIGHT, 1.0)
            if start:
                weight[:, :warm_up] = 0.0
            flows.append(clip.flow[part])
            actives.append(active)
            strengths.append(strength)
            weights.append(weight)
        return Batch(
            self._channels(np.stack(flows)),
            torch.from_numpy(np.stack(actives).astype(np.float32)),
            torch.from_numpy(np.stack(strengths)),
            torch.from_numpy(np.stack(weights).astype(np.float32)),
        )

    def _channels(self, packed: NDArray[np.int8]) -> Tensor:
        """``(B, T, 2 R, H, W) int8`` to ``(B, 3 R, T, H, W)``: u, v and strain of each."""
        flow = self._unpack[torch.from_numpy(packed).to(torch.int32) + 128]
        batch, time, planes, height, width = flow.shape
        pairs = flow.view(-1, 2, height, width)
        data = torch.cat([pairs, strain(pairs)], dim=1)
        data = data.view(batch, time, planes // 2 * 3, height, width)
        return data.transpose(1, 2)


def strain(pairs: Tensor) -> Tensor:
    """What :func:`~emopulse_ros.flow.strain.optical_strain` gives: ``(N, 2, H, W)`` to one plane.

    Borders are reflected as OpenCV does.
    """
    smooth, slope = torch.tensor([1.0, 2.0, 1.0]), torch.tensor([-1.0, 0.0, 1.0])
    kernels = torch.stack([torch.outer(smooth, slope), torch.outer(slope, smooth)]) * 0.125
    padded = functional.pad(pairs, (1, 1, 1, 1), mode="reflect")
    slopes = functional.conv2d(padded, kernels.repeat(2, 1, 1)[:, None], groups=2)
    ux, uy, vx, vy = slopes.unbind(dim=1)
    return torch.sqrt(ux * ux + vy * vy + 0.5 * (uy + vx) ** 2)[:, None]


def _vary(batch: Batch, random: np.random.Generator) -> Batch:
    """Mirror, shift and scale each window, as other faces and crops would.

    Truth holds for either side of a face, so a mirrored one keeps it; a motion made larger is an
    expression made stronger.
    """
    flow, strength = batch.flow.clone(), batch.strength.clone()
    for index in range(len(flow)):
        window = flow[index]
        if random.random() < 0.5:
            window = window.flip(-1)
            window[0::3] *= -1.0
        down, across = (int(shift) for shift in random.integers(-2, 3, 2))
        window = window.roll((down, across), dims=(2, 3))
        factor = float(random.uniform(0.8, 1.25))
        flow[index] = window * factor
        strength[index] *= factor
    return Batch(flow, batch.active, strength.clamp(0.0, 1.0), batch.weight)
