"""Tiny-I3D with temporal attention, in two forms that share their weights.

The clip form takes ``(B, C, T, H, W)`` and is trained; the step form takes one ``(B, C, H, W)``
and the state that earlier steps left, and is what runs on a robot. Both give the same numbers.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from emopulse_ros.training.blocks import PLACES, STRIDE, TAPS, Branches, Inception, Spatial

REACH = 0.8
"""How far attention may go: it weighs the peak of a window of 8 at most 3.3 times as much as the
mean, and what follows it two thirds as much, so that a transient stands out and what comes after it
is still read."""

AT_REST = -1.0
"""Score of a face on which nothing moves. A state holds scores above it, so that zeros, from which
every engine starts, are a face at rest."""


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
    features: int = 30
    """What is left of a frame: as many numbers as units and strengths are made from. Of the wider
    backbone's others most would tell only whose face it is."""

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


class TinyI3D(nn.Module):
    """Flow in, a logit per action unit and time step out.

    ``backbone -> narrow -> x attention -> mean over H, W -> AU logits``; ``narrow`` is linear, and
    so done after the mean, where it costs next to nothing. ``dropout`` is the share of places
    of the feature map that are hidden while training, the same ones in every frame of a clip, so
    that no single place, and thus no one's face, can be relied on. ``masks`` draws of it are read
    from each clip: they cost little, and with 99% hidden one alone would tell little. Without
    ``attention`` every time step counts the same.

    :raises ValueError: if ``dropout`` is not in 0 to 0.99, or there is no mask.
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
        if masks < 1:
            raise ValueError(f"a clip is read through at least one mask, not {masks}")
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
        self.narrow = nn.Linear(width, self.shape.features, bias=False)
        self.units = nn.Linear(self.shape.features, self.shape.units)
        self.strength = nn.Linear(self.shape.features, self.shape.units)

    def forward(self, flow: Tensor) -> Reading:
        """The clip form: ``(B, C, T, H, W)``, flow as :class:`FlowStep` holds it.

        While training with dropout there are ``masks`` readings of the batch, one after another:
        ``(masks * B, ...)``.
        """
        x = self.stem(_compress(flow.transpose(1, 2)))
        for block in self.blocks:
            x = block(x)
        scores = self._score(x.mean(dim=(3, 4)))
        padded = functional.pad(scores, (self.shape.window - 1, 0), value=AT_REST)
        time = x.shape[1]
        last = torch.stack([padded[:, k : k + time] for k in range(self.shape.window)], dim=2)
        attention = self._weight(last)
        visible = self._visible(x)
        again = len(visible) // len(x)
        features = self.narrow(visible) * attention.repeat(again, 1)[:, :, None]
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
        scores = torch.cat([states[-1] + AT_REST, self._score(whole)[:, None]], dim=1)
        attention = self._weight(scores)
        features = self.narrow(whole) * attention[:, None]
        logits, strength = self._read(features)
        after.append(scores[:, 1:] - AT_REST)
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
