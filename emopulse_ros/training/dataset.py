"""Clips as batches: flow and truth of windows that are drawn at random, or of whole clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emopulse_ros.facs import expressive
from emopulse_ros.flow.recipe import FlowRecipe
from emopulse_ros.training.clips import Clip
from emopulse_ros.training.windows import Motion, Window, sent

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
    """Windows of clips, on the device of their clips.

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
    """A set of clips, and their flow by a recipe.

    On a CPU they are read from the disk as they are used. On another device, so that it need not
    wait for that, their motion is copied to it, 5 MB for each 1.5 s, and batches are made there.

    :raises FileNotFoundError: if a folder holds no clip of these names.
    """

    def __init__(
        self,
        folders: list[Path],
        names: list[str],
        recipe: FlowRecipe | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.paths: list[Path] = []
        for folder in folders:
            paths = sorted(path for name in names for path in folder.glob(f"{name}-*.npz"))
            if not paths:
                raise FileNotFoundError(f"no clips named {' or '.join(names)} in {folder}")
            self.paths += paths
        self.recipe = recipe or FlowRecipe()
        self.clips = [Clip.load(path) for path in self.paths]
        self._motion = Motion(self.clips, self.recipe, device or torch.device("cpu"))

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

    @property
    def strength(self) -> NDArray[np.float32]:
        """How strong the units are, ``(N, A)``, on the same frames."""
        return np.concatenate([clip.strength for clip in self.clips]).astype(np.float32)

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
        return self._batch([Window(index, 0, len(self.clips[index]))], {}, 0)

    def draw(self, random: np.random.Generator, count: int, frames: int, warm_up: int) -> Batch:
        """A batch of ``count`` windows, varied; some are two faces' motion laid over each other.

        Small motions add up, so a face that did both would move like that. What is drawn depends
        on ``random`` alone, not on the device.
        """
        windows, laid_over = [], {}
        for place in range(count):
            from_start = bool(random.random() < FROM_START)
            windows.append(self._drawn(random, frames, from_start))
            if random.random() < OVERLAID:
                laid_over[place] = self._drawn(random, frames, from_start)
        return self._batch(windows, laid_over, warm_up)

    def _drawn(self, random: np.random.Generator, frames: int, from_start: bool) -> Window:
        index = int(random.integers(len(self.clips)))
        latest = len(self.clips[index]) - frames
        start = 0 if from_start else int(random.integers(1, latest + 1))
        return Window.drawn(random, index, start, frames)

    def _batch(
        self, windows: Sequence[Window], laid_over: Mapping[int, Window], warm_up: int
    ) -> Batch:
        flow = self._motion.flow(windows, laid_over)
        active, strength = self._truth(windows)
        if laid_over:
            places = list(laid_over)
            other_active, other_strength = self._truth(list(laid_over.values()))
            active[places] |= other_active
            strength[places] = np.maximum(strength[places], other_strength)
        weight = weight_of(active, strength)
        weight[[window.start > 0 for window in windows], :, :warm_up] = 0.0
        near = np.stack([transients(one) for one in strength])
        device = self._motion.device
        active, strength, weight = sent(np.stack([active, strength, weight]), device)
        return Batch(flow, active, strength, weight, sent(near, device))

    def _truth(self, windows: Sequence[Window]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """What is active, and how strong it is, ``(W, A, T)`` each.

        Truth holds for either side of a face, so a mirrored one keeps it; a motion made larger is
        an expression made stronger.
        """
        active, strength = [], []
        for window in windows:
            clip, part = self.clips[window.clip], slice(window.start, window.start + window.frames)
            active.append(clip.active[part].T)
            strength.append(clip.strength[part].T * np.float32(window.factor))
        return np.stack(active), np.minimum(np.stack(strength), np.float32(1.0))


def weight_of(
    active: NDArray[np.bool_], strength: NDArray[np.floating[Any]]
) -> NDArray[np.float32]:
    """How much it counts that a unit is active or not, likewise shaped."""
    return np.where(active & (strength < SLIGHT), np.float32(SLIGHT_WEIGHT), np.float32(1.0))


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
