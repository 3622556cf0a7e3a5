"""Labels as CSV: one row for each stretch in which units moved.

The columns are ``onset``, ``offset``, ``aus`` and, if known, ``apex`` and ``kind``. The names of
the times say their unit, alike for all three: ``onset_s`` (seconds since the first frame),
``onset_frame`` (frames since the first one, which is 0) or ``onset_ns`` (the capture stamp).
``aus`` are FACS codes joined by ``+`` (``4+7``, ``L12``); ``kind`` is ``expression`` (also where it
is empty), ``blink`` or ``speech``. A line ``# coded: 1 2 4 5`` before the header names the units
that were looked for; without it all were.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import cast, get_args

from emopulse_ros.evaluation.labels.timed import LabelError, Timed, TimedLabels, Unit
from emopulse_ros.evaluation.labels.units import units_of
from emopulse_ros.evaluation.truth import Kind

CODED = "coded:"


def read_table(path: Path) -> TimedLabels:
    """Read labels from a CSV file.

    :raises LabelError: if the file cannot be read, or a line of it makes no sense.
    """
    lines = _lines(path)
    codes = None
    while lines and (not lines[0][1].strip() or lines[0][1].startswith("#")):
        said = lines.pop(0)[1].lstrip("#").strip()
        if said.startswith(CODED):
            codes = units_of(said.removeprefix(CODED), f"{path}, line 1")
    if not lines:
        raise LabelError(f"{path} is empty: its header should be onset_s,apex_s,offset_s,aus,kind")
    header = [name.strip().lower() for name in next(csv.reader([lines[0][1]]))]
    unit = _unit(path, header)
    labels = tuple(_rows(path, header, unit, lines[1:]))
    return TimedLabels(str(path), unit, labels, codes)


def _lines(path: Path) -> list[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LabelError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path} is no text in UTF-8") from error
    return list(enumerate(text.splitlines(), 1))


def _unit(path: Path, header: list[str]) -> Unit:
    for unit in cast("tuple[Unit, ...]", get_args(Unit)):
        if {f"onset_{unit}", f"offset_{unit}", "aus"} <= set(header):
            return unit
    raise LabelError(
        f"{path} has the columns {', '.join(header)}, but labels need onset_s, offset_s and aus; "
        "_frame or _ns in place of _s where the times are frames or capture stamps"
    )


def _rows(
    path: Path, header: list[str], unit: Unit, lines: list[tuple[int, str]]
) -> Iterator[Timed]:
    for number, line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{path}, line {number}"
        cells = [cell.strip() for cell in next(csv.reader([line]))]
        if len(cells) > len(header):
            raise LabelError(f"{where} has {len(cells)} cells, but the header {len(header)}")
        row = dict(zip(header, cells, strict=False))
        onset, offset = (_time(row, f"{name}_{unit}", where) for name in ("onset", "offset"))
        if onset is None or offset is None:
            raise LabelError(f"{where} lacks its onset or its offset")
        apex = _time(row, f"apex_{unit}", where)
        if not onset <= (onset if apex is None else apex) <= offset:
            raise LabelError(f"{where}: onset, apex and offset are not in this order in time")
        aus = units_of(row.get("aus", ""), where)
        if not aus:
            raise LabelError(f"{where} names no action unit")
        yield Timed(onset, apex, offset, aus, _kind(row.get("kind", ""), where))


def _time(row: dict[str, str], name: str, where: str) -> float | None:
    text = row.get(name, "")
    if not text:
        return None
    try:
        # A stamp in ns has more digits than a float.
        value: float = int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError as error:
        raise LabelError(f"{where}: {name} is '{text}', which is no number") from error
    if not math.isfinite(value) or value < 0:
        raise LabelError(f"{where}: {name} is {text}, but a time is 0 or more")
    return value


def _kind(text: str, where: str) -> Kind:
    if not text:
        return "expression"
    if text in get_args(Kind):
        return cast("Kind", text)
    raise LabelError(f"{where}: kind is '{text}', but it is one of {', '.join(get_args(Kind))}")
