"""The blocks of the network, each in two forms: for a whole clip, and for one step and a state.

After Carreira & Zisserman, "Quo vadis, action recognition?" (2017), made causal and kept at
temporal stride 1 so that there is an answer for every frame; the step form after Hedegaard &
Iosifidis, "Continual 3D convolutional neural networks" (2022), with time folded into channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

TAPS = 3
"""Frames that a temporal convolution reads."""

STRIDE = 4
"""Points of the flow grid per place of the feature map; in time there is no stride."""

PLACES = 16
"""Places along each side of the feature map."""


@dataclass(frozen=True, slots=True)
class Branches:
    """Widths of an inception block: 1x1x1; reduced by 1x1x1, then 3x3x3; 1x1x1, then pooled.

    ``dilation`` is that of the 3x3x3 in time, ``spread`` that in space.
    """

    plain: int
    reduced: int
    causal: int
    pooled: int
    dilation: int = 1
    spread: int = 1

    @property
    def width(self) -> int:
        """Channels that come out."""
        return self.plain + self.causal + self.pooled


class CausalConv(nn.Module):
    """A 3x3x3 convolution that looks back only, ``dilation`` frames between its taps in time and
    ``spread`` places in space.

    Its kernel is kept as that of a plain convolution over the taps' channels, oldest first: the
    same sum, and several times faster on a CPU.
    """

    def __init__(self, inputs: int, outputs: int, dilation: int, spread: int) -> None:
        super().__init__()
        self.inputs = inputs
        self.dilation = dilation
        self.reach = (TAPS - 1) * dilation
        self.conv = _spread_conv(TAPS * inputs, outputs, spread)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, clip: Tensor) -> Tensor:
        """``(B, T, I, H, W)`` to ``(B, T, O, H, W)``; before the clip there were zeros."""
        time = clip.shape[1]
        padded = functional.pad(clip, (0, 0, 0, 0, 0, 0, self.reach, 0))
        starts = range(0, self.reach + 1, self.dilation)
        taps = torch.cat([padded[:, start : start + time] for start in starts], dim=2)
        return _unfold(functional.relu(self.norm(self.conv(_fold(taps)))), clip)

    def step(self, past: Tensor) -> Tensor:
        """One time step from the last ``reach + 1`` inputs, ``(B, (reach + 1) * I, H, W)``."""
        starts = range(0, (self.reach + 1) * self.inputs, self.dilation * self.inputs)
        taps = [past[:, start : start + self.inputs] for start in starts]
        if self.dilation == 1:
            taps = [past]
        filling = self.conv.in_channels - TAPS * self.inputs
        if filling:
            taps.append(past[:, :filling])
        return functional.relu(self.norm(self.conv(torch.cat(taps, dim=1))))

    def fill(self, block: int) -> None:
        """Read some channels twice, with weight zero, so that their number fills whole blocks.

        Changes no sum; convolutions made for vector registers of ``block`` numbers are only fast
        on whole ones. For the step form alone.
        """
        kernel = self.conv.weight.detach()
        filling = -kernel.shape[1] % block
        spread = int(self.conv.dilation[0])
        self.conv = _spread_conv(kernel.shape[1] + filling, kernel.shape[0], spread)
        self.conv.weight = nn.Parameter(functional.pad(kernel, (0, 0, 0, 0, 0, filling)))


class Spatial(nn.Module):
    """A convolution over space alone, with norm and ReLU.

    Where ``placed``, each place of the feature map has a bias of its own: a convolution cannot
    tell a brow from a lip by its motion, but the crop holds the face in place, so a learned map
    over it can say where a motion is.
    """

    def __init__(
        self, inputs: int, outputs: int, size: int, stride: int = 1, *, placed: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.place = nn.Parameter(0.5 * torch.randn(outputs, PLACES, PLACES)) if placed else None

    def forward(self, clip: Tensor) -> Tensor:
        """``(B, T, I, H, W)`` to ``(B, T, O, H', W')``."""
        return _unfold(self.step(_fold(clip)), clip)

    def step(self, frame: Tensor) -> Tensor:
        """``(B, I, H, W)`` to ``(B, O, H', W')``."""
        out: Tensor = self.norm(self.conv(frame))
        return functional.relu(out if self.place is None else out + self.place)


class Inception(nn.Module):
    """Three branches side by side: 1x1x1; 1x1x1 and causal 3x3x3; 1x1x1 and pooling over space.

    The three 1x1x1 are one convolution, cut in three: the numbers are the same. Where the original
    pools first, this narrows first, which leaves an eighth to be pooled.
    """

    def __init__(self, inputs: int, branches: Branches) -> None:
        super().__init__()
        self.cut = [branches.plain, branches.reduced, branches.pooled]
        self.narrow = Spatial(inputs, sum(self.cut), 1, placed=True)
        self.causal = CausalConv(
            branches.reduced, branches.causal, branches.dilation, branches.spread
        )
        self.state_channels = self.causal.reach * branches.reduced

    def forward(self, clip: Tensor) -> Tensor:
        """``(B, T, I, H, W)`` to ``(B, T, O, H, W)``."""
        plain, reduced, pooled = torch.split(self.narrow(clip), self.cut, dim=2)
        largest = _unfold(_largest_near(_fold(pooled)), clip)
        return torch.cat([plain, self.causal(reduced), largest], dim=2)

    def step(self, frame: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One time step. ``state`` is ``(B, state_channels, H, W)``; returns output and state."""
        plain, reduced, pooled = torch.split(self.narrow.step(frame), self.cut, dim=1)
        past = torch.cat([state, reduced], dim=1)
        out = torch.cat([plain, self.causal.step(past), _largest_near(pooled)], dim=1)
        return out, past[:, self.cut[1] :]


def _spread_conv(inputs: int, outputs: int, spread: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=spread, dilation=spread, bias=False)


def _largest_near(frame: Tensor) -> Tensor:
    """Largest value within one place, ``(B, I, H, W)``."""
    return functional.max_pool2d(frame, 3, stride=1, padding=1)


def _fold(clip: Tensor) -> Tensor:
    """Time into the batch: ``(B, T, C, H, W)`` to ``(B * T, C, H, W)``."""
    return clip.flatten(0, 1)


def _unfold(frames: Tensor, clip: Tensor) -> Tensor:
    """``(B * T, C, H, W)`` back to the batch and time of ``clip``."""
    return frames.view(*clip.shape[:2], *frames.shape[1:])
