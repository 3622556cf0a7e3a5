"""The pictures that the flow is measured against: some milliseconds ago, and the neutral face."""

from __future__ import annotations

from collections import deque

import numpy as np

from emopulse_ros.flow.dense import Plane, Pyramid

SLACK_MS = 2.5
"""Half a frame at 200 FPS: a picture this much younger than asked for still serves."""

CALM_MS = 300.0
"""How long the skin must rest before its picture is taken as neutral."""

HELD_MS = 2500.0
"""How long a face must rest away from its old neutral picture before that is given up: longer
than a micro-expression and than most others, so that a held smile is not swallowed at once."""

REFRESH_MS = 1000.0
"""Least time between two neutral pictures."""

MEAN_OVER = 6
"""Pictures that are averaged into a neutral one: their noise should not add to every flow."""


class PastCrops:
    """Crops of the last ``reach_ms`` milliseconds, found by their age."""

    def __init__(self, reach_ms: float) -> None:
        self._reach = int((reach_ms + 60.0) * 1e6)
        self._slack = int(SLACK_MS * 1e6)
        self._past: deque[tuple[int, Pyramid]] = deque()

    def clear(self) -> None:
        """Forget everything."""
        self._past.clear()

    def add(self, stamp: int, crop: Pyramid) -> None:
        """Remember the crop of this moment (ns)."""
        self._past.append((stamp, crop))
        while stamp - self._past[0][0] > self._reach and len(self._past) > 2:
            self._past.popleft()

    def before(self, stamp: int, ms: float) -> Pyramid:
        """The youngest crop at least ``ms`` older than ``stamp``; the oldest, if none is.

        A face that has just come into view is thus read at once, against the past there is.
        :raises IndexError: if no crop was added.
        """
        latest = stamp - int(ms * 1e6) + self._slack
        for when, crop in reversed(self._past):
            if when <= latest:
                return crop
        return self._past[0][1]

    def recent_mean(self) -> Pyramid:
        """The mean of the last few crops."""
        recent = [crop.pictures for _, crop in list(self._past)[-MEAN_OVER:]]
        levels = zip(*recent, strict=True)
        return Pyramid(tuple(np.mean(level, axis=0, dtype=np.float32) for level in levels))


class NeutralFace:
    """The slow reference: the face at rest.

    It is renewed only after the skin has rested for a while, and later still if it rests in
    another place than before, which is what an expression that is held looks like.
    ``threshold`` is in pixels of the flow grid.
    """

    def __init__(self, threshold: float) -> None:
        self.crop: Pyramid | None = None
        self._threshold = threshold
        self._taken = 0
        self._calm_since: int | None = None

    def clear(self) -> None:
        """Forget the face."""
        self.crop = None
        self._calm_since = None

    def start(self, stamp: int, crop: Pyramid) -> Pyramid:
        """Take this picture, and return it."""
        self.crop = crop
        self._taken = stamp
        return crop

    def update(self, stamp: int, past: PastCrops, moving: float, away: float) -> None:
        """Renew the picture if it is time to.

        ``moving`` is the mean motion of the skin since the longest baseline, ``away`` since the
        neutral picture, both in pixels of the flow grid.
        """
        if moving > self._threshold:
            self._calm_since = None
            return
        if self._calm_since is None:
            self._calm_since = stamp
        calm = (stamp - self._calm_since) / 1e6
        needed = CALM_MS if away < 2.0 * self._threshold else HELD_MS
        if calm >= needed and (stamp - self._taken) / 1e6 >= REFRESH_MS:
            self.start(stamp, past.recent_mean())


def mean_motion(u: Plane, v: Plane, mask: Plane) -> float:
    """Root mean square length of a flow field under a mask that sums to 1."""
    return float(np.sqrt(((u * u + v * v) * mask).sum()))
