"""Parts of clips, varied as other faces and crops would; their flow is made where it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from emopulse_ros.flow.recipe import FlowRecipe
from emopulse_ros.synthesis.script import MILLISECOND
from emopulse_ros.training.clips import FRAME, RESOLUTION, Clip


@dataclass(frozen=True, slots=True)
class Window:
    """``frames`` frames of a clip from ``start`` on, and how they are varied.

    Left and right are changed if ``mirrored``, the crop is moved by ``shift`` points of the flow
    grid down and across, and all motion is ``factor`` times as large.
    """

    clip: int
    start: int
    frames: int
    mirrored: bool = False
    shift: tuple[int, int] = (0, 0)
    factor: float = 1.0

    @classmethod
    def drawn(cls, random: np.random.Generator, clip: int, start: int, frames: int) -> Window:
        """One that is varied at random."""
        mirrored = bool(random.random() < 0.5)
        down, across = (int(by) for by in random.integers(-2, 3, 2))
        factor = float(np.float32(random.uniform(0.8, 1.25)))
        return cls(clip, start, frames, mirrored, (down, across), factor)


class Motion:
    """The motion of some clips on a device: on the CPU it stays on the disk until it is used,
    elsewhere it is copied there whole."""

    def __init__(self, clips: Sequence[Clip], recipe: FlowRecipe, device: torch.device) -> None:
        self.device = device
        self._motion = [torch.from_numpy(clip.motion).to(device) for clip in clips]
        self._neutral = [torch.from_numpy(clip.neutral).to(device) for clip in clips]
        self._since = [clip.since for clip in clips]
        self._ages = [round(ms * MILLISECOND / FRAME) for ms in recipe.baselines_ms]
        self._neutral_too = recipe.neutral

    def flow(self, windows: Sequence[Window], laid_over: Mapping[int, Window]) -> Tensor:
        """What the flow stage says of a stream without gaps at 200 FPS, varied.

        ``(B, 3 R, T, H, W)``: u, v and strain of each reference, in pixels of the flow grid; the
        windows are equally long. Motion of ``laid_over`` is added to that of the window with its
        number.
        """
        every = [*windows, *laid_over.values()]
        seen = self._seen(every)
        oldest, time = max(self._ages), every[0].frames
        ends = [oldest - age for age in self._ages] + [oldest + time] * self._neutral_too
        now = seen[:, oldest : oldest + time].float()
        data = now.new_empty(len(every), time, len(ends), 3, *now.shape[3:])
        for place, end in enumerate(ends):
            torch.sub(now, seen[:, end : end + time], out=data[:, :, place, :2])
        pairs = data[:, :, :, :2]
        factors = np.array([window.factor / RESOLUTION for window in every], np.float32)
        pairs *= sent(factors, self.device).view(-1, 1, 1, 1, 1, 1)
        data, pairs, over = data[: len(windows)], pairs[: len(windows)], pairs[len(windows) :]
        for place, other in zip(laid_over, over, strict=True):
            pairs[place] += other
        data[:, :, :, 2] = strain(pairs.flatten(0, 2)).view(data.shape[:3] + data.shape[4:])
        return data.flatten(2, 3).transpose(1, 2)

    def _seen(self, windows: Sequence[Window]) -> Tensor:
        """Motion of each window's frames and of those before it that they are compared with, then
        the neutral face of each of its frames, mirrored and shifted: ``(W, …, 2, H, W) int16``."""
        oldest = max(self._ages)
        rows = sent(np.array([self._rows(window, oldest) for window in windows]), self.device)
        seen = []
        for window, frames in zip(windows, rows, strict=True):
            before, neutral = frames[: oldest + window.frames], frames[oldest + window.frames :]
            parts = [
                self._motion[window.clip].index_select(0, before),
                self._neutral[window.clip].index_select(0, neutral),
            ]
            motion = torch.cat(parts)
            if window.mirrored:
                motion = motion.flip(-1)
                motion[:, 0].neg_()
            seen.append(motion.roll(window.shift, (2, 3)))
        return torch.stack(seen)

    def _rows(self, window: Window, oldest: int) -> NDArray[np.int64]:
        frames = np.arange(window.start - oldest, window.start + window.frames)
        since = self._since[window.clip]
        neutral = np.searchsorted(since, frames[oldest:], "right") - 1
        # Before a clip its first face stood still.
        return np.concatenate([frames.clip(0), neutral])


def sent(array: NDArray[np.generic], device: torch.device) -> Tensor:
    """An array as a tensor on a device, which does not wait for it."""
    tensor = torch.from_numpy(array)
    if device.type == "cpu":
        return tensor
    return tensor.pin_memory().to(device, non_blocking=True)


def strain(pairs: Tensor) -> Tensor:
    """What :func:`~emopulse_ros.flow.strain.optical_strain` gives: ``(N, 2, H, W)`` to (N, H, W).

    Borders are reflected as OpenCV does.
    """
    padded = functional.pad(pairs, (1, 1, 1, 1), mode="reflect")
    # In place where it can be: memory is what it takes most of.
    smooth = (padded[..., :-2, :] + padded[..., 2:, :]).add_(padded[..., 1:-1, :], alpha=2.0)
    across = smooth[..., 2:] - smooth[..., :-2]
    smooth = (padded[..., :-2] + padded[..., 2:]).add_(padded[..., 1:-1], alpha=2.0)
    down = smooth[..., 2:, :] - smooth[..., :-2, :]
    shear = down[:, 0] + across[:, 1]
    total = across[:, 0].square().addcmul_(down[:, 1], down[:, 1])
    return total.addcmul_(shear, shear, value=0.5).sqrt_().mul_(0.125)
