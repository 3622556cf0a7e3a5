"""Miniature data sets in the formats of the real ones: tables and folders of tiny images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

SIZE = (8, 6)
"""Width and height of an image."""


def images(folder: Path, name: str, numbers: Iterable[int]) -> Path:
    """Write images; ``name`` is a format such as ``img{}.jpg`` or ``006_{:05d}.jpg``."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        level = np.full((SIZE[1], SIZE[0]), number % 200, np.uint8)
        assert cv2.imwrite(str(folder / name.format(number)), level)
    return folder


def table(file: Path, sheets: dict[str, Sequence[Sequence[object]]]) -> Path:
    """Write an Excel file with these rows in each sheet."""
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    file.parent.mkdir(parents=True, exist_ok=True)
    book.save(file)
    return file


CASME2_HEADER = (
    "Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None, "Action Units",
    "Estimated Emotion",
)  # fmt: skip


def casme2_table(root: Path, *rows: Sequence[object], name: str = "20140508") -> Path:
    """The table of CASME II; a row is subject, clip, onset, apex, offset, units."""
    full = [
        (s, clip, None, on, apex, off, None, aus, "others") for s, clip, on, apex, off, aus in rows
    ]
    return table(
        root / f"CASME2-coding-{name}.xlsx", {"Sheet1": [CASME2_HEADER, *full, ("a note",)]}
    )


SAMM_HEADER = (
    "Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame",
    "Duration", "Micro", "Action Units", "Estimated Emotion", "Objective Classes", "Notes",
)  # fmt: skip


def samm_table(root: Path, *rows: Sequence[object]) -> Path:
    """The table of SAMM, its header on row 14; rows as of CASME II."""
    above = [("SAMM Micro-Expressions",), *[(None,)] * 12]
    full = [
        (s, clip, 1, on, apex, off, 1, "Micro", aus, "Other", 5, None)
        for s, clip, on, apex, off, aus in rows
    ]
    file = root / "SAMM_Micro_FACS_Codes_v2.xlsx"
    return table(file, {"MICRO ONLY": [*above, SAMM_HEADER, *full]})


LONG_HEADER = (
    "Subject", "Filename", "Inducement Code", "Onset", "Apex", "Offset", "Duration", "Type",
    "Action Units", "Notes",
)  # fmt: skip


def samm_long_table(root: Path, *rows: Sequence[object], edition: int = 2) -> Path:
    """The table of SAMM Long Videos; a row is movement, onset, apex, offset, type, units."""
    full = [
        (int(name[:3]), name, 1, on, apex, off, 1, kind, aus, None)
        for name, on, apex, off, kind, aus in rows
    ]
    file = root / f"SAMM_LongVideos_V{edition}_Release.xlsx"
    return table(file, {"FACS_Movement_Only": [*[("about",)] * 9, LONG_HEADER, *full]})


def casme_squared_table(root: Path, *rows: Sequence[object]) -> Path:
    """The table of CAS(ME)²; a row is subject, movement, onset, apex, offset, units, type."""
    full = [
        (s, name, on, apex, off, aus, "negative", kind, "disgust")
        for s, name, on, apex, off, aus, kind in rows
    ]
    sheets: dict[str, Sequence[Sequence[object]]] = {
        "CASFEcode_final": full,
        "naming rule1": [(15, "s15", 1), (16, "s16", 2)],
        "naming rule2": [(101, "disgust1"), ("0401", "anger1")],
    }
    return table(root / "CAS(ME)^2code_final.xlsx", sheets)
