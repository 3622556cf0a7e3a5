"""Tiny-I3D with temporal attention, in two forms that share their weights.

The clip form takes ``(B, C, T, H, W)`` and is trained; the step form takes one ``(B, C, H, W)``
and the state that earlier steps left, and is what runs on a robot. Both give the same numbers.

Blocks after Carreira & Zisserman, "Quo vadis, action recognition?" (2017), made causal and kept
at temporal stride 1 so that there is an answer for every frame; the step form after Hedegaard &
Iosifidis, "Continual 3D convolutional neural networks" (2022), with time folded into channels.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

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
    """Widths of an inception block: 1x1x1; reduced by 1x1x1, then 3x3x3; pooled, then 1x1x1."""

    plain: int
    reduced: int
    causal: int
    pooled: int
    dilation: int = 1

    @property
    def width(self) -> int:
        """Channels that come out."""
        return self.plain + self.causal + self.pooled


@dataclass(frozen=True, slots=True)
class Shape:
    """All widths of the network. The default sees 16 frames and has some 120 000 parameters."""

    channels: int = 9
    units: int = 15
    stem: int = 24
    blocks: tuple[Branches, ...] = (
        Branches(16, 14, 24, 8),
        Branches(20, 20, 36, 8),
        Branches(28, 26, 44, 8, dilation=2),
    )
    window: int = 8

    @property
    def frames(self) -> int:
        """How many frames an answer depends on."""
        return sum((TAPS - 1) * block.dilation for block in self.blocks) + self.window

    def as_dict(self) -> dict[str, object]:
        """The shape as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the network says of each time step.

    ``logits`` and ``intensity`` (0 to 1): ``(B, A, T)``, ``attention``: ``(B, T)`` with mean near
    1, ``features``: ``(B, F, T)``, pooled over space. The step form has no T.
    """

    logits: Tensor
    intensity: Tensor
    attention: Tensor
    features: Tensor


class CausalConv(nn.Module):
    """A 3x3x3 convolution that looks back only, ``dilation`` frames between its taps.

    Its kernel is kept as that of a plain convolution over the taps' channels, oldest first: the
    same sum, and several times faster on a CPU.
    """

    def __init__(self, inputs: int, outputs: int, dilation: int) -> None:
        super().__init__()
        self.inputs = inputs
        self.dilation = dilation
        self.reach = (TAPS - 1) * dilation
        self.conv = nn.Conv2d(TAPS * inputs, outputs, 3, padding=1, bias=False)
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
        self.conv = nn.Conv2d(kernel.shape[1] + filling, kernel.shape[0], 3, padding=1, bias=False)
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
    """Three branches side by side: 1x1x1, causal 3x3x3, and pooling over space.

    The 1x1x1 of the first two is one convolution, cut in two: the numbers are the same.
    """

    def __init__(self, inputs: int, branches: Branches) -> None:
        super().__init__()
        self.cut = [branches.plain, branches.reduced]
        self.narrow = Spatial(inputs, sum(self.cut), 1, placed=True)
        self.causal = CausalConv(branches.reduced, branches.causal, branches.dilation)
        self.pooled = Spatial(inputs, branches.pooled, 1)
        self.state_channels = self.causal.reach * branches.reduced

    def forward(self, clip: Tensor) -> Tensor:
        """``(B, T, I, H, W)`` to ``(B, T, O, H, W)``."""
        plain, reduced = torch.split(self.narrow(clip), self.cut, dim=2)
        pooled = _unfold(functional.max_pool2d(_fold(clip), 3, stride=1, padding=1), clip)
        return torch.cat([plain, self.causal(reduced), self.pooled(pooled)], dim=2)

    def step(self, frame: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One time step. ``state`` is ``(B, state_channels, H, W)``; returns output and state."""
        plain, reduced = torch.split(self.narrow.step(frame), self.cut, dim=1)
        past = torch.cat([state, reduced], dim=1)
        pooled = functional.max_pool2d(frame, 3, stride=1, padding=1)
        out = torch.cat([plain, self.causal.step(past), self.pooled.step(pooled)], dim=1)
        return out, past[:, self.cut[1] :]


class TinyI3D(nn.Module):
    """Flow in, a logit per action unit and time step out.

    ``backbone -> x attention -> mean over H, W -> AU logits``. ``dropout`` is the share of places
    of the feature map that are hidden while training, the same ones in every frame of a clip, so
    that no single place, and thus no one's face, can be relied on.

    :raises ValueError: if ``dropout`` is not in 0 to 0.99.
    """

    def __init__(self, shape: Shape | None = None, dropout: float = 0.5) -> None:
        super().__init__()
        if not 0.0 <= dropout <= 0.99:
            raise ValueError(f"spatial dropout must be within 0 and 0.99, not {dropout}")
        self.shape = shape or Shape()
        self.dropout = dropout
        self.stem = Spatial(self.shape.channels, self.shape.stem, 7, STRIDE, placed=True)
        blocks, width = [], self.shape.stem
        for branches in self.shape.blocks:
            blocks.append(Inception(width, branches))
            width = branches.width
        self.blocks = nn.ModuleList(blocks)
        self.score = nn.Sequential(nn.Linear(width, 16), nn.ReLU(), nn.Linear(16, 1))
        self.units = nn.Linear(width, self.shape.units)
        self.strength = nn.Linear(width, self.shape.units)

    def forward(self, flow: Tensor) -> Reading:
        """The clip form: ``(B, C, T, H, W)``, flow as :class:`FlowStep` holds it."""
        x = self.stem(_compress(flow.transpose(1, 2)))
        for block in self.blocks:
            x = block(x)
        scores = 3.0 * torch.tanh(self.score(x.mean(dim=(3, 4))).squeeze(2) / 3.0)
        padded = functional.pad(scores, (self.shape.window - 1, 0))
        time = x.shape[1]
        last = torch.stack([padded[:, k : k + time] for k in range(self.shape.window)], dim=2)
        attention = _weight(last)
        features = self._visible(x) * attention[:, :, None]
        logits, strength = self._read(features)
        return Reading(
            logits.transpose(1, 2), strength.transpose(1, 2), attention, features.transpose(1, 2)
        )

    def step(self, flow: Tensor, states: list[Tensor]) -> tuple[Reading, list[Tensor]]:
        """The step form: ``(B, C, H, W)`` and the states of :meth:`first_states`, or later ones."""
        x = self.stem.step(_compress(flow))
        after = []
        for block, state in zip(self._inceptions(), states[:-1], strict=True):
            x, kept = block.step(x, state)
            after.append(kept)
        whole = x.mean(dim=(2, 3))
        score = 3.0 * torch.tanh(self.score(whole) / 3.0)
        scores = torch.cat([states[-1], score], dim=1)
        attention = _weight(scores)
        features = whole * attention[:, None]
        logits, strength = self._read(features)
        after.append(scores[:, 1:])
        return Reading(logits, strength, attention, features), after

    def first_states(self, batch: int) -> list[Tensor]:
        """States that know nothing."""
        blocks = self._inceptions()
        states = [torch.zeros(batch, block.state_channels, PLACES, PLACES) for block in blocks]
        return [*states, torch.zeros(batch, self.shape.window - 1)]

    def _inceptions(self) -> list[Inception]:
        return [block for block in self.blocks if isinstance(block, Inception)]

    def _visible(self, x: Tensor) -> Tensor:
        """Mean over the places that spatial dropout leaves, ``(B, T, F)``."""
        if not self.training or self.dropout == 0.0:
            return x.mean(dim=(3, 4))
        batch, height, width = x.shape[0], *x.shape[3:]
        chance = torch.rand(batch, height * width, device=x.device)
        # At least one place stays. The mean is over what stays, so nothing is scaled up.
        kept = (chance >= self.dropout) | (chance == chance.amax(dim=1, keepdim=True))
        mask = kept.to(x.dtype)
        mask = (mask / mask.sum(dim=1, keepdim=True)).view(batch, 1, 1, height, width)
        return (x * mask).sum(dim=(3, 4))

    def _read(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return self.units(features), torch.sigmoid(self.strength(features))


def _compress(flow: Tensor) -> Tensor:
    """Hundredths of a pixel and whole pixels on one scale, -1 to 1."""
    return functional.softsign(flow * 4.0)


def _weight(scores: Tensor) -> Tensor:
    """Weight of the last of some scores against all of them, 1 when they are equal."""
    return torch.softmax(scores, dim=-1)[..., -1] * scores.shape[-1]


def _fold(clip: Tensor) -> Tensor:
    """Time into the batch: ``(B, T, C, H, W)`` to ``(B * T, C, H, W)``."""
    return clip.flatten(0, 1)


def _unfold(frames: Tensor, clip: Tensor) -> Tensor:
    """``(B * T, C, H, W)`` back to the batch and time of ``clip``."""
    return frames.view(*clip.shape[:2], *frames.shape[1:])
