"""Labels as a table of frames, as OpenFace writes it and other tools after it.

Each row is a frame, with ``timestamp`` in seconds (or ``frame``, from 1) and for each unit a column
such as ``AU12_c`` that is 1 where the unit is active.
"""

from __future__ import annotations

import csv
import re
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.labels.timed import LabelError, Timed, TimedLabels, Unit
from emopulse_ros.facs import BLINK

_PRESENT = re.compile(r"AU(\d{1,2})_c")


def is_openface(path: Path) -> bool:
    """Whether a file has the columns of such a table."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            return any(map(_PRESENT.fullmatch, _cells(file.readline())))
    except (OSError, UnicodeDecodeError):
        return False


def read_openface(path: Path) -> TimedLabels:
    """Read a table; each stretch of ones in a column becomes a label.

    :raises LabelError: if the file cannot be read, or a line of it makes no sense.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file, skipinitialspace=True))
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"{path} cannot be read: {error}") from error
    header = [name.strip() for name in lines[0]] if lines else []
    columns = {int(found[1]): k for k, name in enumerate(header) if (found := _name(name))}
    unit: Unit = "s" if "timestamp" in header else "frame"
    if not columns or (unit == "frame" and "frame" not in header):
        raise LabelError(f"{path} needs columns such as AU12_c, and timestamp or frame")
    rows = _numbers(path, lines[1:], len(header))
    if unit == "s":
        times = rows[:, header.index("timestamp")] - (rows[0, header.index("timestamp")])
    else:
        times = rows[:, header.index("frame")] - 1.0
    labels = [
        Timed(float(times[start]), None, float(times[end - 1]), (code,), _kind(code))
        for code, column in columns.items()
        for start, end in _stretches(rows[:, column] > 0.5)
    ]
    return TimedLabels(str(path), unit, tuple(labels), tuple(sorted(columns)))


def _kind(code: int) -> Literal["blink", "expression"]:
    return "blink" if code == BLINK else "expression"


def _name(column: str) -> re.Match[str] | None:
    return _PRESENT.fullmatch(column)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split(",")]


def _numbers(path: Path, lines: list[list[str]], width: int) -> NDArray[np.float64]:
    rows = np.empty((len(lines), width))
    for number, line in enumerate(lines):
        where = f"{path}, line {number + 2}"
        if len(line) != width:
            raise LabelError(f"{where} has {len(line)} cells, but the header {width}")
        try:
            rows[number] = [float(cell) for cell in line]
        except ValueError as error:
            raise LabelError(f"{where}: {error}") from error
    if not len(rows):
        raise LabelError(f"{path} has a header, but no frame")
    return rows


def _stretches(on: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First row and the one after the last of each stretch of ones."""
    edges = np.flatnonzero(np.diff(on, prepend=False, append=False)).tolist()
    return [(start, end) for start, end in list(pairwise(edges))[::2]]
