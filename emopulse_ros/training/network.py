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

REACH = 0.8
"""How far attention may go: it weighs the peak of a window of 8 at most 3.3 times as much as the
mean, and what follows it two thirds as much, so that a transient stands out and what comes after it
is still read."""


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


@dataclass(frozen=True, slots=True)
class Shape:
    """All widths of the network. The default sees 16 frames and has some 120 000 parameters.

    In space each block looks further than the last, so that every place of the feature map knows
    what the whole face does, and any few of them can answer for it.
    """

    channels: int = 9
    units: int = 15
    stem: int = 24
    blocks: tuple[Branches, ...] = (
        Branches(16, 16, 24, 8),
        Branches(20, 21, 36, 8, spread=3),
        Branches(28, 26, 44, 8, dilation=2, spread=6),
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
    1, ``scores``: ``(B, T)``, -1 to 1, which it is made of, ``features``: ``(B, F, T)``, pooled
    over space. The step form has no T.
    """

    logits: Tensor
    intensity: Tensor
    attention: Tensor
    scores: Tensor
    features: Tensor


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


class TinyI3D(nn.Module):
    """Flow in, a logit per action unit and time step out.

    ``backbone -> x attention -> mean over H, W -> AU logits``. ``dropout`` is the share of places
    of the feature map that are hidden while training, the same ones in every frame of a clip, so
    that no single place, and thus no one's face, can be relied on. ``masks`` draws of it are read
    from each clip: they cost little, and with 99% hidden one alone would tell little. Without
    ``attention`` every time step counts the same.

    :raises ValueError: if ``dropout`` is not in 0 to 0.99.
    """

    def __init__(
        self,
        shape: Shape | None = None,
        dropout: float = 0.99,
        *,
        masks: int = 8,
        attention: bool = True,
    ) -> None:
        super().__init__()
        if not 0.0 <= dropout <= 0.99:
            raise ValueError(f"spatial dropout must be within 0 and 0.99, not {dropout}")
        self.shape = shape or Shape()
        self.dropout = dropout
        self.masks = masks
        self.attends = attention
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
        """The clip form: ``(B, C, T, H, W)``, flow as :class:`FlowStep` holds it.

        While training with dropout there are ``masks`` readings of the batch, one after another:
        ``(masks * B, ...)``.
        """
        x = self.stem(_compress(flow.transpose(1, 2)))
        for block in self.blocks:
            x = block(x)
        scores = self._score(x.mean(dim=(3, 4)))
        padded = functional.pad(scores, (self.shape.window - 1, 0))
        time = x.shape[1]
        last = torch.stack([padded[:, k : k + time] for k in range(self.shape.window)], dim=2)
        attention = self._weight(last)
        visible = self._visible(x)
        again = len(visible) // len(x)
        features = visible * attention.repeat(again, 1)[:, :, None]
        logits, strength = self._read(features)
        return Reading(
            logits.transpose(1, 2),
            strength.transpose(1, 2),
            attention,
            scores,
            features.transpose(1, 2),
        )

    def step(self, flow: Tensor, states: list[Tensor]) -> tuple[Reading, list[Tensor]]:
        """The step form: ``(B, C, H, W)`` and the states of :meth:`first_states`, or later ones."""
        x = self.stem.step(_compress(flow))
        after = []
        for block, state in zip(self._inceptions(), states[:-1], strict=True):
            x, kept = block.step(x, state)
            after.append(kept)
        whole = x.mean(dim=(2, 3))
        scores = torch.cat([states[-1], self._score(whole)[:, None]], dim=1)
        attention = self._weight(scores)
        features = whole * attention[:, None]
        logits, strength = self._read(features)
        after.append(scores[:, 1:])
        return Reading(logits, strength, attention, scores[:, -1], features), after

    def first_states(self, batch: int) -> list[Tensor]:
        """States that know nothing."""
        blocks = self._inceptions()
        states = [torch.zeros(batch, block.state_channels, PLACES, PLACES) for block in blocks]
        return [*states, torch.zeros(batch, self.shape.window - 1)]

    def _inceptions(self) -> list[Inception]:
        return [block for block in self.blocks if isinstance(block, Inception)]

    def _visible(self, x: Tensor) -> Tensor:
        """Mean over the places that spatial dropout leaves, ``(masks * B, T, F)``."""
        if not self.training or self.dropout == 0.0:
            return x.mean(dim=(3, 4))
        batch, time, width = x.shape[:3]
        chance = torch.rand(self.masks, batch, x.shape[3] * x.shape[4], device=x.device)
        # At least one place stays. The mean is over what stays, so nothing is scaled up.
        kept = (chance >= self.dropout) | (chance == chance.amax(dim=2, keepdim=True))
        share = kept.to(x.dtype)
        share = share / share.sum(dim=2, keepdim=True)
        seen = torch.einsum("btfp,mbp->mbtf", x.flatten(3), share)
        return seen.reshape(self.masks * batch, time, width)

    def _score(self, whole: Tensor) -> Tensor:
        """How much a time step matters, -1 to 1, from its features ``(..., F)``."""
        return torch.tanh(self.score(whole).squeeze(-1))

    def _weight(self, scores: Tensor) -> Tensor:
        """Weight of the last of some scores against all of them, 1 when they are equal."""
        if not self.attends:
            return torch.ones_like(scores[..., -1])
        return torch.softmax(REACH * scores, dim=-1)[..., -1] * scores.shape[-1]

    def _read(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return self.units(features), torch.sigmoid(self.strength(features))


def _compress(flow: Tensor) -> Tensor:
    """Hundredths of a pixel and whole pixels on one scale, -1 to 1."""
    return functional.softsign(flow * 4.0)


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
