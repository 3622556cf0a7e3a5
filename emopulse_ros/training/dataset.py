"""Clips as batches: drawn, mirrored, shifted and scaled, with strain made anew from the flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from emopulse_ros.facs import expressive
from emopulse_ros.flow.recipe import FlowRecipe
from emopulse_ros.training.clips import Clip

SLIGHT = 0.03
"""Strength below which an active frame shows nothing yet, and teaches little."""

SLIGHT_WEIGHT = 0.2

FROM_START = 0.25
"""Share of windows that begin where their clip does, with nothing known of the face."""

OVERLAID = 0.3
"""Share of windows that are two faces' motion at once."""

PEAK_REACH = 5
"""Frames to either side than which a moment of fastest motion must be faster."""

SLOWEST_PEAK = 0.004
"""Change of strength per frame below which nothing is fast."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows of clips.

    ``flow`` ``(B, C, T, H, W)``; ``active`` and ``strength`` ``(B, A, T)``; ``weight``
    ``(B, A, T)``: how much each counts in the loss, 0 where the window began in mid-clip and the
    network could not know yet; ``transient`` ``(B, T)``: how near the moment is to one of fastest
    motion, 0 to 1.
    """

    flow: Tensor
    active: Tensor
    strength: Tensor
    weight: Tensor
    transient: Tensor


class Clips:
    """A set of clips, read from the disk as they are used, and their flow by a recipe.

    :raises FileNotFoundError: if a folder holds no clip of these names.
    """

    def __init__(
        self, folders: list[Path], names: list[str], recipe: FlowRecipe | None = None
    ) -> None:
        self.paths: list[Path] = []
        for folder in folders:
            paths = sorted(path for name in names for path in folder.glob(f"{name}-*.npz"))
            if not paths:
                raise FileNotFoundError(f"no clips named {' or '.join(names)} in {folder}")
            self.paths += paths
        self.recipe = recipe or FlowRecipe()
        self.clips = [Clip.load(path) for path in self.paths]

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def lengths(self) -> list[int]:
        """Frames of each clip."""
        return [len(clip) for clip in self.clips]

    @property
    def truth(self) -> NDArray[np.bool_]:
        """Which units are active, ``(N, A)``, on the frames of all clips in a row."""
        return np.concatenate([clip.active for clip in self.clips])

    def wholes(self) -> Iterator[tuple[slice, Batch]]:
        """Each clip as it is, and which of those rows are its frames.

        Write what comes of a clip into an array made beforehand: small ones kept between the
        large ones of each clip would keep the memory of all of them from being given back.
        """
        end = 0
        for index, length in enumerate(self.lengths):
            start, end = end, end + length
            yield slice(start, end), self.whole(index)

    def whole(self, index: int) -> Batch:
        """One clip from its start to its end, as it is."""
        clip = self.clips[index]
        flow = clip.flow(np.arange(len(clip)), self.recipe)
        return _stack([_Window(flow, clip.active.T, clip.strength.T, True)], 0)

    def draw(self, random: np.random.Generator, count: int, frames: int, warm_up: int) -> Batch:
        """A batch of ``count`` windows, varied; some are two faces' motion laid over each other.

        Small motions add up, so a face that did both would move like that.
        """
        windows = []
        for _ in range(count):
            from_start = bool(random.random() < FROM_START)
            window = self._window(random, frames, from_start)
            if random.random() < OVERLAID:
                window = _overlaid(window, self._window(random, frames, from_start))
            windows.append(window)
        return _stack(windows, warm_up)

    def _window(self, random: np.random.Generator, frames: int, from_start: bool) -> _Window:
        clip = self.clips[random.integers(len(self.clips))]
        start = 0 if from_start else int(random.integers(1, len(clip) - frames + 1))
        part = slice(start, start + frames)
        flow = clip.flow(np.arange(start, start + frames), self.recipe)
        return _varied(
            _Window(flow, clip.active[part].T, clip.strength[part].T, from_start), random
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    """Part of a clip: flow ``(T, 2 R, H, W)``, truth ``(A, T)``."""

    flow: NDArray[np.float32]
    active: NDArray[np.bool_]
    strength: NDArray[np.floating[Any]]
    from_start: bool


def _varied(window: _Window, random: np.random.Generator) -> _Window:
    """A window mirrored, shifted and scaled, as other faces and crops would.

    Truth holds for either side of a face, so a mirrored one keeps it; a motion made larger is an
    expression made stronger.
    """
    flow = window.flow
    if random.random() < 0.5:
        flow = flow[..., ::-1].copy()
        flow[:, 0::2] *= -1
    shift = tuple(int(by) for by in random.integers(-2, 3, 2))
    factor = np.float32(random.uniform(0.8, 1.25))
    moved = np.roll(flow, shift, axis=(2, 3)) * factor
    strength = np.minimum(window.strength * factor, 1.0)
    return _Window(moved, window.active, strength, window.from_start)


def _overlaid(one: _Window, other: _Window) -> _Window:
    return _Window(
        one.flow + other.flow,
        one.active | other.active,
        np.maximum(one.strength, other.strength),
        one.from_start,
    )


def transients(strength: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """How near each moment is to one of fastest motion, ``(A, T)`` strengths to ``(T,)``.

    1 where the expression's speed has a peak, falling off as a Gaussian of 10 ms. The blink is
    none.
    """
    moving = strength[expressive()].astype(np.float32)
    speed = np.abs(np.gradient(moving, axis=1)).max(axis=0)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(speed, PEAK_REACH), 2 * PEAK_REACH + 1)
    peaks = np.flatnonzero((speed >= around.max(axis=1)) & (speed > SLOWEST_PEAK))
    if peaks.size == 0:
        return np.zeros(len(speed), np.float32)
    away = np.abs(np.arange(len(speed))[:, None] - peaks).min(axis=1)
    near: NDArray[np.float32] = np.exp(-0.5 * (away / 2.0) ** 2).astype(np.float32)
    return near


def _stack(windows: list[_Window], warm_up: int) -> Batch:
    weights = []
    for window in windows:
        weight = np.where(window.active & (window.strength < SLIGHT), SLIGHT_WEIGHT, 1.0)
        if not window.from_start:
            weight[:, :warm_up] = 0.0
        weights.append(weight)
    flow, active, strength = (
        torch.from_numpy(np.stack([getattr(window, name) for window in windows]))
        for name in ("flow", "active", "strength")
    )
    return Batch(
        _channels(flow),
        active.float(),
        strength.float(),
        torch.from_numpy(np.stack(weights).astype(np.float32)),
        torch.from_numpy(np.stack([transients(window.strength) for window in windows])),
    )


def _channels(flow: Tensor) -> Tensor:
    """``(B, T, 2 R, H, W)`` to ``(B, 3 R, T, H, W)``: u, v and strain of each reference."""
    batch, time, planes, height, width = flow.shape
    data = flow.new_empty(batch, time, planes // 2, 3, height, width)
    pairs = flow.view(batch, time, planes // 2, 2, height, width)
    data[:, :, :, :2] = pairs
    data[:, :, :, 2] = strain(pairs.flatten(0, 2)).view(batch, time, planes // 2, height, width)
    return data.flatten(2, 3).transpose(1, 2)


def strain(pairs: Tensor) -> Tensor:
    """What :func:`~emopulse_ros.flow.strain.optical_strain` gives: ``(N, 2, H, W)`` to (N, H, W).

    Borders are reflected as OpenCV does.
    """
    padded = functional.pad(pairs, (1, 1, 1, 1), mode="reflect")
    smooth_down = padded[..., :-2, :] + 2.0 * padded[..., 1:-1, :] + padded[..., 2:, :]
    across = (smooth_down[..., 2:] - smooth_down[..., :-2]) * 0.125
    smooth_across = padded[..., :-2] + 2.0 * padded[..., 1:-1] + padded[..., 2:]
    down = (smooth_across[..., 2:, :] - smooth_across[..., :-2, :]) * 0.125
    shear = down[:, 0] + across[:, 1]
    return torch.sqrt(across[:, 0] ** 2 + down[:, 1] ** 2 + 0.5 * shear**2)
