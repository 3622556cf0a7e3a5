"""How many faces a frame has time for."""

from __future__ import annotations

WATCHED_NS = 1_000_000_000
"""Over how long the time of frames is averaged."""

PATIENCE = 2
"""How many such whiles in a row must be too short before a face is let go: the first looks at new
faces, or another program, may take one."""

AGAIN_NS = 10_000_000_000
"""How long with fewer faces before one more is tried; twice as long after each try that failed."""

LONGEST_NS = 300_000_000_000

TOLERATED = 0.02
"""Share of the frames that may be lost without a face being let go for it. The network bridges
them: with 5% lost, units and events are read as well as with none (docs/benchmark.md)."""

FULL = 0.8
"""Share of a frame's time that faces must take for them to be why frames are lost."""


class Budget:
    """Counts time against what there is: from one frame's stamp to the next.

    A face is let go where many frames are lost and it is the faces that take their time.
    """

    def __init__(self, wanted: int) -> None:
        """``wanted`` is how many faces are to be followed if there is time."""
        self.most = wanted
        self._wanted = wanted
        self._pause = AGAIN_NS
        self._reduced_at: int | None = None
        self._short = 0
        self._begin(None, 0)

    def __call__(self, stamp: int, spent: float, count: int, lost: int) -> int:
        """Take notice that ``spent`` s went into the ``count`` faces of the frame of ``stamp``
        (ns), and that ``lost`` frames were lost until then; return how many faces may be followed
        from now on."""
        began, reduced_at = self._began, self._reduced_at
        if began is None or stamp < began:
            # Where time goes back, as in a bag that begins again, what passed until then counts.
            if began is not None and reduced_at is not None:
                self._reduced_at = reduced_at + stamp - began
            self._begin(stamp, lost)
            return self.most
        self._spent += spent
        self._frames += 1
        there_was = stamp - began
        if there_was < WATCHED_NS:
            return self.most
        missed = lost - self._lost
        is_short = missed > TOLERATED * (self._frames + missed) and (
            self._spent * 1e9 > FULL * there_was
        )
        self._short = self._short + 1 if is_short else 0
        if self._short >= PATIENCE and count > 1:
            self._short = 0
            if reduced_at is not None:
                self._pause = min(2 * self._pause, LONGEST_NS)
            self.most = max(1, min(self.most, count) - 1)
            self._reduced_at = stamp
        elif (
            self.most < self._wanted
            and not is_short
            and reduced_at is not None
            and stamp - reduced_at > self._pause
        ):
            self.most += 1
        self._begin(stamp, lost)
        return self.most

    def _begin(self, stamp: int | None, lost: int) -> None:
        self._began = stamp
        self._spent = 0.0
        self._frames = 0
        self._lost = lost
