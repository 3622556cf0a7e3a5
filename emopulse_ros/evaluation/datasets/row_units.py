"""The action units that the rows of a coding table name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from emopulse_ros.evaluation.au_string import CodedUnits, parse_units
from emopulse_ros.evaluation.datasets.coding import Row
from emopulse_ros.facs import BLINK, in_order


def units_in(row: Row, column: str) -> CodedUnits:
    """The units of one row.

    :raises ValueError: if the cell holds something else; it says where the cell is.
    """
    try:
        return parse_units(row.text(column))
    except ValueError as error:
        raise ValueError(f"cannot be read ({row.place(column)}): {error}") from error


def coded_units(rows: Iterable[Row], column: str) -> tuple[int, ...]:
    """The codes that coders name anywhere, in the order of the list, then by number.

    What is never named they may not have looked for. Blinks no data set codes wherever they
    happen, even if a few are named, so AU45 is left out.
    """
    named: set[int] = set()
    for row in rows:
        with contextlib.suppress(ValueError):
            units = units_in(row, column)
            named.update(units.codes, units.undecided)
    return in_order(named - {BLINK})
