"""Where temporal attention peaks, against the moments it should isolate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from emopulse_ros.facs import expressive
from emopulse_ros.training.dataset import Clips, transients
from emopulse_ros.training.network import TinyI3D

NEAR = 2
"""Frames, 10 ms, within which a peak of attention counts as at the moment."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """Of how many expressions the highest attention lies within 10 ms of the apex or of a moment
    of fastest motion; by chance as often as ``chance`` says."""

    expressions: int
    near: float
    chance: float


def attention_peaks(network: TinyI3D, clips: Clips, device: torch.device) -> Peaks:
    """Compare over every expression, onset to offset, of some clips."""
    network.eval()
    hits, shares = [], []
    for index, clip in enumerate(clips.clips):
        strength = clip.strength.T.astype(np.float32)
        with torch.no_grad():
            attention = network(clips.whole(index).flow.to(device)).attention[0].cpu().numpy()
        wanted = _near_moments(strength)
        for first, last in expressions(strength):
            if first < network.shape.frames:
                continue
            highest = first + int(np.argmax(attention[first : last + 1]))
            hits.append(bool(wanted[highest]))
            shares.append(float(wanted[first : last + 1].mean()))
    return Peaks(len(hits), float(np.mean(hits)), float(np.mean(shares)))


def expressions(strength: NDArray[np.float32]) -> list[tuple[int, int]]:
    """First and last frame of each stretch in which an expressive unit moves, ``(A, T)``."""
    moves = strength[expressive()].max(axis=0) > 0.0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], moves, [False]]).astype(np.int8)))
    return [(int(first), int(end) - 1) for first, end in edges.reshape(-1, 2)]


def _near_moments(strength: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which frames are near an apex or a moment of fastest motion: ``(T,) bool``."""
    near: NDArray[np.bool_] = transients(strength) >= np.exp(-0.5 * (NEAR / 2.0) ** 2) - 1e-6
    for first, last in expressions(strength):
        part = strength[expressive(), first : last + 1].max(axis=0)
        apex = first + int(np.argmax(part))
        near[max(apex - NEAR, 0) : apex + NEAR + 1] = True
    return near
