"""Coding tables: the rows of an Excel file, by the names of its columns."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HEADER_WITHIN = 40
"""The header is looked for in as many rows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: ``number`` as Excel counts it, ``cells`` by the name of the column."""

    file: Path
    number: int
    cells: dict[str, object]

    def text(self, column: str) -> str:
        """What a cell says, without spaces around it; a whole number without its decimals."""
        value = self.cells[column]
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return "" if value is None else str(value).strip()

    def frame(self, column: str) -> int | None:
        """The frame number in a cell; None if it holds none, such as ``/`` or nothing at all.

        Fractions, which some tables have, are rounded.
        """
        try:
            return round(float(self.text(column)))
        except (ValueError, OverflowError):
            return None

    def whole(self, column: str) -> int:
        """The whole number in a cell.

        :raises ValueError: if it holds none.
        """
        value = self.frame(column)
        if value is None:
            raise ValueError(f"{self.place(column)} holds '{self.text(column)}', not a number.")
        return value

    def place(self, column: str) -> str:
        """Where a cell is, for a sentence about it."""
        return f"{self.file.name}, row {self.number}, column '{column}'"


def read_table(
    file: Path, columns: Sequence[str], sheet: str | None = None, header: bool = True
) -> list[Row]:
    """Read the rows below the header that have anything in the first of ``columns`` and in another.

    The header is the first row that names all of ``columns``, in any order and whatever stands
    above it; case, spaces and punctuation of names do not matter. Without a ``header`` the columns
    are those of the sheet in their order. ``sheet`` is its name, by default the first one.

    :raises RuntimeError: if openpyxl is not installed.
    :raises ValueError: if the file is no Excel file, or has no such sheet or columns.
    """
    rows = _cells(file, sheet)
    if header:
        at, places = _header(file, rows, columns)
    else:
        at, places = -1, {name: index for index, name in enumerate(columns)}
        width = max((len(row) for row in rows), default=0)
        if width < len(columns):
            raise ValueError(
                f"'{file}' has {width} columns, not the {len(columns)} it should have: "
                f"{', '.join(columns)}."
            )
    found = []
    for number, row in enumerate(rows[at + 1 :], start=at + 2):
        cells = {name: row[place] for name, place in places.items()}
        first, *others = (cell not in (None, "") for cell in cells.values())
        # A note below the table stands alone in its row.
        if first and any(others):
            found.append(Row(file, number, cells))
    return found


def _header(
    file: Path, rows: Sequence[Sequence[object]], columns: Sequence[str]
) -> tuple[int, dict[str, int]]:
    """Index of the header among the rows, and the place of each column."""
    best: list[str] = list(columns)
    for at, row in enumerate(rows[:HEADER_WITHIN]):
        named = {_plain(cell): place for place, cell in reversed(list(enumerate(row)))}
        missing = [name for name in columns if _plain(name) not in named]
        if not missing:
            return at, {name: named[_plain(name)] for name in columns}
        best = min(best, missing, key=len)
    raise ValueError(
        f"'{file}' has no header with a column {' and '.join(map(repr, best))} in its first "
        f"{HEADER_WITHIN} rows; a coding table of this data set has {', '.join(columns)}."
    )


def _plain(cell: object) -> str:
    """The name of a column, without what differs from one edition to the next."""
    return "".join(sign for sign in str(cell).casefold() if sign.isalnum())


def _cells(file: Path, sheet: str | None) -> list[tuple[object, ...]]:
    try:
        import openpyxl
    except ImportError as error:
        raise RuntimeError(
            "coding tables are read by openpyxl, which is not installed: pip install openpyxl"
        ) from error
    try:
        book = openpyxl.load_workbook(file, data_only=True)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"'{file}' is no Excel file that can be read: {error}") from error
    if sheet is not None and sheet not in book.sheetnames:
        raise ValueError(
            f"'{file}' has no sheet '{sheet}'; its sheets are {', '.join(book.sheetnames)}."
        )
    page = book.worksheets[0] if sheet is None else book[sheet]
    return list(page.iter_rows(values_only=True))
