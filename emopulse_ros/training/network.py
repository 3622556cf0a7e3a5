"""Tiny-I3D with temporal attention, in two forms that share their weights.

The clip form takes ``(B, C, T, H, W)`` and is trained; the step form takes one ``(B, C, H, W)``
and the state that earlier steps left, and is what runs on a robot. Both give the same numbers.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from emopulse_ros.training.blocks import PLACES, STRIDE, TAPS, Branches, Inception, Spatial

REACH = 0.8
"""How far attention may go: it weighs the peak of a window of 8 at most 3.3 times as much as the
mean, and what follows it two thirds as much, so that a transient stands out and what comes after it
is still read."""

KNOWN_AFTER = 40.0
"""For how many frames at rest the usual counts; after as many of its own a face is half known."""

MEMORY = 1000
"""Frames in which what is known of a face at rest falls to a third: 5 s."""

FADE = math.exp(-1.0 / MEMORY)
"""What of it is left after a frame."""

USUAL_SHARE = 0.05
"""Share of a batch in the running mean of what is usual."""

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
        """How many frames an answer depends on, but for the face at rest before them."""
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

    ``backbone -> narrow -> - baseline -> x attention -> mean over H, W -> AU logits``; ``narrow``
    is linear, and so done after the mean, where it costs next to nothing. The baseline is what the
    features of this face have been like at rest: what is left tells what moves, and little of whose
    face it is. Frames count for it as far as no unit seems active in them, so that an expression
    that is held is not swallowed.

    ``dropout`` is the share of places of the feature map that are hidden while training, the same
    ones in every frame of a clip, so that no single place, and thus no one's face, can be relied
    on. ``masks`` draws of it are read from each clip: they cost little, and with 99% hidden one
    alone would tell little. Without ``attention`` every time step counts the same, and without
    ``baseline`` no face has its own.

    :raises ValueError: if ``dropout`` is not in 0 to 0.99, or there is no mask.
    """

    def __init__(
        self,
        shape: Shape | None = None,
        dropout: float = 0.99,
        *,
        masks: int = 8,
        attention: bool = True,
        baseline: bool = True,
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
        self.has_baseline = baseline
        self.stem = Spatial(self.shape.channels, self.shape.stem, 7, STRIDE, placed=True)
        blocks, width = [], self.shape.stem
        for branches in self.shape.blocks:
            blocks.append(Inception(width, branches))
            width = branches.width
        self.blocks = nn.ModuleList(blocks)
        self.score = nn.Sequential(nn.Linear(width, 16), nn.ReLU(), nn.Linear(16, 1))
        self.narrow = nn.Linear(width, self.shape.features, bias=False)
        # A running mean, as norms keep one: a face of which nothing is known yet has this.
        self.register_buffer("usual", torch.zeros(self.shape.features))
        self.usual: Tensor
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
        whole = x.mean(dim=(3, 4))
        scores = self._score(whole)
        padded = functional.pad(scores, (self.shape.window - 1, 0), value=AT_REST)
        time = x.shape[1]
        last = torch.stack([padded[:, k : k + time] for k in range(self.shape.window)], dim=2)
        attention = self._weight(last)
        visible = self._visible(x)
        again = len(visible) // len(x)
        raw = self.narrow(visible)
        if self.training:
            seen = self.narrow(whole)
            rest = self.rest(seen)
            self._note(seen, rest)
        else:
            rest = self.rest(raw)
        own = self._own(raw, rest.repeat(again, 1))
        features = own * attention.repeat(again, 1)[:, :, None]
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
        *pasts, scores_before, known = states
        x = self.stem.step(_compress(flow))
        after = []
        for block, past in zip(self._inceptions(), pasts, strict=True):
            x, kept = block.step(x, past)
            after.append(kept)
        whole = x.mean(dim=(2, 3))
        scores = torch.cat([scores_before + AT_REST, self._score(whole)[:, None]], dim=1)
        attention = self._weight(scores)
        raw = self.narrow(whole)
        features = (raw - _baseline(known)) * attention[:, None]
        logits, strength = self._read(features)
        after.append(scores[:, 1:] - AT_REST)
        after.append(FADE * known + self._shown(raw, self.rest(raw)))
        return Reading(logits, strength, attention, scores[:, -1], features), after

    def first_states(self, batch: int) -> list[Tensor]:
        """States that know nothing."""
        blocks = self._inceptions()
        states = [torch.zeros(batch, block.state_channels, PLACES, PLACES) for block in blocks]
        scores = torch.zeros(batch, self.shape.window - 1)
        return [*states, scores, torch.zeros(batch, self.shape.features + 1)]

    def rest(self, raw: Tensor) -> Tensor:
        """How sure it is that no unit is active, 0 to 1, from narrowed features ``(..., F)``.

        Units are taken as independent; the square makes it the stricter. What rests is for the
        units alone to say: nothing is learnt through it.
        """
        return torch.exp(-2.0 * functional.softplus(self.units(raw)).sum(-1)).detach()

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

    @torch.no_grad()
    def _note(self, raw: Tensor, rest: Tensor) -> None:
        """Draw what is usual at rest to what some narrowed features show of it."""
        shown = self._shown(raw.float(), rest.float()).sum((0, 1))
        # Less than a frame of rest says less.
        self.usual.add_(shown[:-1] / shown[-1].clamp(min=1.0), alpha=USUAL_SHARE)

    def _shown(self, raw: Tensor, rest: Tensor) -> Tensor:
        """What a frame adds to what is known of a face at rest, ``(..., F + 1)``: its features
        against the usual ones and itself, as far as it rests."""
        if not self.has_baseline:
            rest = 0.0 * rest
        weight = rest[..., None]
        return torch.cat([(raw - self.usual) * weight, weight], dim=-1)

    def _own(self, raw: Tensor, rest: Tensor) -> Tensor:
        """Features ``(B, T, F)`` against those of the same face at rest, as the step form knows it
        from the frames before each."""
        wide = torch.promote_types(raw.dtype, torch.float32)
        time = torch.arange(raw.shape[1], device=raw.device, dtype=wide)
        age = time[:, None] - time - 1.0
        left = torch.exp(age.clamp(min=0.0) * math.log(FADE)) * (age >= 0.0)
        # Sums over many frames, for which 16 bits are too few.
        with torch.autocast(raw.device.type, enabled=False):
            known = left @ self._shown(raw.to(wide), rest.to(wide))
        return raw - _baseline(known)

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


def _baseline(known: Tensor) -> Tensor:
    """A face's features at rest, against the usual ones, from what is known of it."""
    return known[..., :-1] / (known[..., -1:] + KNOWN_AFTER)


def _compress(flow: Tensor) -> Tensor:
    """Hundredths of a pixel and whole pixels on one scale, -1 to 1."""
    return functional.softsign(flow * 4.0)
