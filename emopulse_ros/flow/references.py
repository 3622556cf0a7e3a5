"""What the flow is measured against: the neutral face, and where the skin was some time ago."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.flow.dense import Pyramid

Field = NDArray[np.float32]
"""A flow field: u and v in pixels of the grid, and what else is linear in them."""

SLACK_MS = 2.5
"""Half a frame at 200 FPS: a moment this much younger than asked for still serves."""

CALM_MS = 300.0
"""How long the skin must rest before its picture is taken as neutral."""

HELD_MS = 5000.0
"""How long in all a face must rest away from its neutral picture, without a rest near it, before
that is given up: longer than most expressions, so that a smile that is held is not swallowed."""

HELD_KNOWN_MS = 10_000.0
"""The same of a neutral picture that the face has come back to after a rest elsewhere, which tells
a neutral face from an expression in which somebody happened to be seen first."""

REFRESH_MS = 1000.0
"""Least time between two neutral pictures."""

MEAN_OVER = 6
"""Pictures that are averaged into a neutral one: their noise should not add to every flow."""


class PastMotion:
    """Where the skin was in the last ``reach_ms`` milliseconds, against the neutral face."""

    def __init__(self, reach_ms: float) -> None:
        self._reach = int((reach_ms + 60.0) * 1e6)
        self._slack = int(SLACK_MS * 1e6)
        self._past: deque[tuple[int, Field]] = deque()

    def clear(self) -> None:
        """Forget everything."""
        self._past.clear()

    def add(self, stamp: int, motion: Field) -> None:
        """Remember the field of this moment (ns)."""
        self._past.append((stamp, motion))
        while stamp - self._past[0][0] > self._reach and len(self._past) > 2:
            self._past.popleft()

    def before(self, stamp: int, ms: float) -> Field:
        """The youngest field at least ``ms`` older than ``stamp``; the oldest, if none is.

        A face that has just come into view is thus read at once, against the past there is.
        :raises IndexError: if no field was added.
        """
        latest = stamp - int(ms * 1e6) + self._slack
        for when, motion in reversed(self._past):
            if when <= latest:
                return motion
        return self._past[0][1]

    def rebase(self) -> Field:
        """Count from where the skin was on average over the last pictures: the new neutral.

        Returns where that was.
        """
        recent = [motion for _, motion in list(self._past)[-MEAN_OVER:]]
        offset: Field = np.mean(recent, axis=0, dtype=np.float32)
        self._past = deque((when, motion - offset) for when, motion in self._past)
        return offset


class NeutralFace:
    """The face at rest.

    It is renewed only after the skin has rested for a while, and much later if it rests in another
    place than before, which is what an expression that is held looks like. What moves in between
    does not begin that time anew: somebody who was smiling when first seen, and is as lively as
    anybody, must be read rightly some day.
    ``threshold`` is in pixels of the flow grid.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._recent: deque[Pyramid] = deque(maxlen=MEAN_OVER)

    def start(self, stamp: int, crop: Pyramid) -> None:
        """Begin with a new face: its first picture, for want of a better one."""
        self.crop = crop
        self._taken = stamp
        self._recent.clear()
        self._calm_since: int | None = None
        self._last = stamp
        self._elsewhere = 0
        self._known = False

    def update(
        self, stamp: int, crop: Pyramid, moving: float, away: float, noise: float = 0.0
    ) -> bool:
        """Take notice of a picture; return whether the neutral one was renewed.

        ``moving`` is the mean motion of the skin since the longest baseline, ``away`` since the
        neutral picture, ``noise`` since the last picture, all in pixels of the flow grid. Skin
        goes next to nowhere from one picture to the next, so what seems to move there is noise,
        and as much of it is in the others: their squares are taken without it.
        """
        self._recent.append(crop)
        if moving**2 - noise**2 > self._threshold**2:
            self._calm_since = None
            return False
        if self._calm_since is None:
            self._calm_since = self._last = stamp
        # The neutral picture is a mean of several, and has little noise of its own.
        near = away**2 - noise**2 / 2.0 < (2.0 * self._threshold) ** 2
        self._elsewhere += 0 if near else stamp - self._last
        self._last = stamp
        if (stamp - self._calm_since) / 1e6 < CALM_MS:
            return False
        if near:
            self._known |= self._elsewhere / 1e6 >= CALM_MS
            self._elsewhere = 0
        patience = HELD_KNOWN_MS if self._known else HELD_MS
        held = not near and self._elsewhere / 1e6 < patience
        if held or (stamp - self._taken) / 1e6 < REFRESH_MS:
            return False
        if not near:
            self._elsewhere, self._known = 0, False
        levels = zip(*(one.pictures for one in self._recent), strict=True)
        self.crop = Pyramid(tuple(np.mean(level, axis=0, dtype=np.float32) for level in levels))
        self._taken = stamp
        return True
