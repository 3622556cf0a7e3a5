"""How far a recording has been read: a line on stderr, where that is a terminal."""

from __future__ import annotations

import sys
import time

EVERY_S = 0.2


class Progress:
    """Shows the share of ``seconds`` that is done, and the speed; a context manager.

    Without ``seconds``, as nobody knows how long a video is, only what was read is shown.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._is_shown = sys.stderr.isatty()
        self._begun = self._next = time.monotonic()
        self._first: int | None = None

    def at(self, stamp: int) -> None:
        """Tell the stamp in ns of the frame that was read last."""
        if self._first is None:
            self._first = stamp
        now = time.monotonic()
        if not self._is_shown or now < self._next:
            return
        self._next = now + EVERY_S
        read = (stamp - self._first) / 1e9
        speed = read / max(now - self._begun, 1e-9)
        bar = ""
        if self._seconds:
            share = min(read / self._seconds, 1.0)
            bar = f"{'█' * round(30 * share):░<30} {100.0 * share:3.0f}%  "
        print(f"\r{bar}{read:.0f} s read, {speed:.1f} times real time ", end="", file=sys.stderr)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_shown and self._first is not None:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
