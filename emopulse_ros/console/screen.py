"""The live picture of a run in a terminal: units as bars, events, attention, pace and latency."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from emopulse_ros.console.tally import Snapshot
from emopulse_ros.facs import BLINK, INDEX, unit
from emopulse_ros.stream import MicroExpression

BUDGET_MS = 5.0
EIGHTHS = " ▏▎▍▌▋▊▉█"
LEVELS = "▁▂▃▄▅▆▇█"
VERDICTS = {"right": "✓ true", "loose": "~ true, other times", "wrong": "✗ not so", "": ""}


@dataclass(frozen=True, slots=True)
class Palette:
    """Escape codes by meaning; all empty where colour is not wanted."""

    bold: str = "\x1b[1m"
    faint: str = "\x1b[2m"
    seen: str = "\x1b[38;5;32m"
    alarm: str = "\x1b[38;5;45m"
    true: str = "\x1b[38;5;214m"
    bad: str = "\x1b[38;5;203m"
    good: str = "\x1b[38;5;78m"
    plain: str = "\x1b[0m"

    @classmethod
    def fitting(cls, environment: Mapping[str, str]) -> Palette:
        """Colours, or none where NO_COLOR or a dumb terminal asks for none (no-color.org)."""
        if environment.get("NO_COLOR") or environment.get("TERM", "") in ("", "dumb"):
            return cls("", "", "", "", "", "", "", "")
        return cls()


def lines_of(
    shot: Snapshot, title: str, state: str, columns: int, rows: int, paint: Palette
) -> list[str]:
    """Draw a snapshot in at most ``rows`` lines of at most ``columns`` printed characters.

    ``title`` heads the picture; ``state`` tells of drops and the like.
    """
    width = max(12, min(60, columns - 40))
    lines = [f"{paint.bold}{title[: columns - 1]}{paint.plain}", ""]
    lines += [_bar(shot, index, width, paint) for index in range(len(shot.codes))]
    spark = _sparkline(shot.attention[-width:])
    latest = shot.attention[-1] if shot.attention else 0.0
    lines += [f"{'attention':>25} {paint.seen}{spark}{paint.plain} {latest:4.1f}", ""]
    tail = ["", _pace(shot, paint), state[: columns - 1]]
    room = max(1, min(6, rows - len(lines) - len(tail) - 1))
    lines += _events(shot, room, columns, paint) + tail
    return lines[: rows - 1]


def _bar(shot: Snapshot, index: int, width: int, paint: Palette) -> str:
    code, value = shot.codes[index], float(shot.probability[index])
    threshold, peak = float(shot.threshold[index]), float(shot.peak[index])
    eighths = round(min(max(value, 0.0), 1.0) * width * 8)
    cells = list("█" * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else ""))
    cells += [" "] * (width - len(cells))
    for place, mark in ((threshold, "│"), (peak, "▕")):
        cell = min(width - 1, round(place * width))
        if cells[cell] == " ":
            cells[cell] = mark
    name = unit(code).name if code in INDEX else ""
    shade = paint.alarm if peak >= threshold else paint.seen
    faint = paint.faint if code == BLINK else ""
    truth = ""
    if shot.truth is not None and shot.truth[index]:
        truth = f" {paint.true}● true{paint.plain}"
    return (
        f"{faint}{name:>20} AU{code:02d}{paint.plain} {shade}{''.join(cells)}{paint.plain}"
        f" {peak:4.2f}{truth}"
    )


def _sparkline(values: tuple[float, ...]) -> str:
    # Attention is 1 on average; the scale is fixed, so that a calm face looks calm.
    return "".join(LEVELS[min(7, max(0, int(value * 2)))] for value in values)


def _events(shot: Snapshot, room: int, columns: int, paint: Palette) -> list[str]:
    shown = shot.events[-room:]
    lines = [f"{paint.faint}no event yet{paint.plain}"] if not shown else []
    colours = {"right": paint.good, "loose": paint.true, "wrong": paint.bad, "": ""}
    for time, event, verdict in shown:
        text = f"{describe(event, time)}  {VERDICTS[verdict]}"[: columns - 1]
        lines.append(f"{colours[verdict]}{text}{paint.plain}")
    return lines + [""] * (room - len(lines))


def describe(event: MicroExpression, time: float) -> str:
    """An event in one line: when it began, its units, how long it took, how sure it is."""
    aus = "+".join(f"AU{code:02d}" for code in event.aus)
    return f"{time:7.2f} s  {aus:<16} {event.duration_ms:4.0f} ms  {event.confidence:4.2f}"


def _pace(shot: Snapshot, paint: Palette) -> str:
    median, p99 = shot.latency_ms
    latency = ""
    if not math.isnan(median):
        shade = paint.bad if p99 > BUDGET_MS else paint.good
        latency = f"latency {shade}{median:.2f} ms median, {p99:.2f} ms p99{paint.plain}"
    return f"{paint.bold}{shot.rate:5.1f}{paint.plain} activations/s   {latency}"


def terminal_size(out: TextIO) -> tuple[int, int]:
    """Columns and rows of a terminal; 80 and 40 of one that does not say."""
    try:
        size = os.get_terminal_size(out.fileno())
    except OSError:
        return 80, 40
    return size.columns or 80, size.lines or 40


class Screen:
    """Redraws in place with plain ANSI codes; what it drew last stays when it is closed."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._height = 0
        self.palette = Palette.fitting(os.environ)
        out.write("\x1b[?25l")

    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal now."""
        return terminal_size(self._out)

    def draw(self, lines: list[str]) -> None:
        """Replace what was drawn last, in one write so that it does not flicker."""
        back = f"\x1b[{self._height}F" if self._height else ""
        text = back + "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J"
        self._out.write(text)
        self._out.flush()
        self._height = len(lines)

    def write_above(self, line: str) -> None:
        """Put a line, of any length, where the picture was; that is drawn below it next time."""
        back = f"\x1b[{self._height}F" if self._height else ""
        self._out.write(f"{back}\x1b[J{line}\n")
        self._out.flush()
        self._height = 0

    def close(self) -> None:
        """Show the cursor again; what follows is printed below."""
        self._out.write("\x1b[?25h")
        self._out.flush()
