"""The number a camera gives each picture, without its turns."""

from __future__ import annotations

TURN = 65_535
"""Numbers of 16 bits (GigE Vision 1) leave out 0: 65535 is followed by 1."""


class FrameIds:
    """Counts on through the turns of a camera's numbers; those of 64 bits never turn.

    A step of more than half a turn, which is minutes, is no gap but a camera that counts anew.
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._count = 0

    def __call__(self, number: int) -> int:
        """The count of the picture with this number: 0 for the first one, then always more."""
        if self._last is not None:
            step = number - self._last
            if step <= 0 and self._last <= TURN:
                step += TURN
            self._count += step if 0 < step <= TURN // 2 else 1
        self._last = number
        return self._count
