"""Shows a run while it goes on: a live picture in a terminal, plain lines anywhere else."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from typing import TextIO

from emopulse_ros.console.aside import STANDARD_ERROR, Aside
from emopulse_ros.console.screen import Screen, describe, lines_of, terminal_size
from emopulse_ros.console.tally import Snapshot, Tally

REDRAW_S = 0.08
"""12 redraws a second: what an eye follows, and little enough work beside the stream."""

LEAST_COLUMNS = 56


class Display:
    """Reads a tally every ``REDRAW_S`` and shows it; ``title`` says what is running.

    The screen is drawn where ``out`` is a terminal that is wide enough and takes UTF-8; else there
    is one line a second, and one for each event. What is written to standard error meanwhile, if
    that is a terminal too, comes above the screen.
    """

    def __init__(self, tally: Tally, title: str, out: TextIO | None = None) -> None:
        self._tally = tally
        self._title = title
        self._out = out or sys.stdout
        self._screen = Screen(self._out) if _is_screen(self._out) else None
        is_in_the_way = self._screen is not None and os.isatty(STANDARD_ERROR)
        self._aside = Aside() if is_in_the_way else None
        self._next_line = 1.0
        self._writing = threading.Lock()
        self._begun = time.monotonic()
        if self._screen is None:
            self._say(title)

    def update(self, state: str = "") -> None:
        """Show what came since the last call; ``state`` tells of drops, or of a missing face."""
        with self._writing:
            self._update(state)

    def note(self, sentence: str) -> None:
        """Show a sentence that stays, above what is shown next; from any thread."""
        with self._writing:
            if self._screen is not None:
                self._screen.write_above(sentence)
            else:
                self._say(sentence)

    def close(self) -> None:
        """Leave the terminal as it was found; what was shown last stays."""
        if self._screen is not None:
            self._screen.close()
        if self._aside is not None:
            self._aside.close()
            self._aside = None

    def _update(self, state: str) -> None:
        now = time.monotonic()
        events = self._tally.read(now)
        if self._screen is not None:
            for line in self._aside.lines() if self._aside is not None else ():
                self._screen.write_above(line)
            columns, rows = self._screen.size()
            title = f"{self._title}   {now - self._begun:5.1f} s"
            shot = self._tally.snapshot(now)
            paint = self._screen.palette
            self._screen.draw(lines_of(shot, title, state, columns, rows, paint))
            return
        if events:
            shown = self._tally.snapshot(now).events[-len(events) :]
            for moment, event, verdict in shown:
                self._say(f"  event {describe(event, moment)}  {verdict}".rstrip())
        if now - self._begun >= self._next_line:
            self._next_line = math.floor(now - self._begun) + 1.0
            self._say(plain_line(self._tally.snapshot(now), now - self._begun, state))

    def _say(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()


def plain_line(shot: Snapshot, elapsed: float, state: str) -> str:
    """A snapshot in one line of ASCII."""
    median, p99 = shot.latency_ms
    latency = "" if math.isnan(median) else f"  latency {median:.2f}/{p99:.2f} ms"
    active = [
        f"AU{code:02d} {peak:.2f}"
        for code, peak, threshold in zip(shot.codes, shot.peak, shot.threshold, strict=True)
        if peak >= threshold
    ]
    told = "  ".join([*([state] if state else []), *active])
    line = f"{elapsed:6.1f} s  {shot.rate:6.1f} activations/s{latency}  {shot.event_count} events"
    return f"{line}  {told}".rstrip()


def _is_screen(out: TextIO) -> bool:
    if not out.isatty() or (out.encoding or "").lower().replace("-", "") != "utf8":
        return False
    return terminal_size(out)[0] >= LEAST_COLUMNS
