"""Whether pictures come too far apart for anything to be read from them."""

from __future__ import annotations

from emopulse_ros.flow.stage import GAP_MS

SURE = 10
"""By how many steps those that are too long must outnumber the others before it is said: one
hole in the stream, or a few, are no slow camera."""

LEAST_RATE = 1e3 / GAP_MS
"""Frames per second below which every step is a hole, after which the past is forgotten."""


class TooSlow:
    """Watches the stamps of a stream; ``status`` says in a sentence what is wrong and what to do.

    It is empty while the pictures are near enough to each other, and so it becomes again once the
    short steps have made up for the long ones.
    """

    def __init__(self) -> None:
        self.status = ""
        self._last: int | None = None
        self._excess = 0
        self._since = 0
        self._seen = self._lost = 0

    def __call__(self, stamp: int, lost: int) -> bool:
        """Take notice of a picture of this stamp (ns), before which ``lost`` ones gave way here.

        True if with this one the stream has become too slow.
        """
        last, self._last = self._last, stamp
        if last is None:
            return False
        if 0 < stamp - last <= GAP_MS * 1e6:
            if self._excess:
                self._excess -= 1
                self._seen += 1
            if not self._excess:
                self.status = ""
            return False
        if not self._excess:
            self._since, self._seen, self._lost = last, 0, lost
        self._seen += 1
        self._excess = min(self._excess + 1, SURE)
        if self._excess < SURE or self.status:
            return False
        rate = self._seen * 1e9 / max(stamp - self._since, 1)
        self.status = (
            f"only {rate:.1f} pictures a second can be worked with, and nothing can be read from "
            f"fewer than {LEAST_RATE:.0f}: {_remedy(lost > self._lost)}"
        )
        return True


def _remedy(gave_way: bool) -> str:
    if gave_way:
        return "more come than this machine has time for; let it do less, or follow fewer faces"
    return "give the camera more light or a shorter exposure, or take another one"
