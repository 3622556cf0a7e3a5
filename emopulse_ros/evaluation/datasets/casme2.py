"""CASME II: 200 frames per second, a clip for each micro-expression."""

from __future__ import annotations

from pathlib import Path

from emopulse_ros.evaluation.datasets.clip import LabelledSet
from emopulse_ros.evaluation.datasets.layout import Layout
from emopulse_ros.evaluation.datasets.tree import find_file, find_folder, folders
from emopulse_ros.evaluation.datasets.trimmed import subject_folders, subject_rows, trimmed_clips

NAME = "CASME II"

TABLES = (
    "CASME2-coding-20190701.xlsx",
    "CASME2-coding-updated.xlsx",
    "CASME2-coding-20140508.xlsx",
)
"""Editions of the table; the newest one there is counts."""

RAW = ("CASME2_RAW_selected", "CASME2-RAW", "CASME2_RAW")
CROPPED = ("Cropped", "CASME2_Cropped", "Cropped_original")

PLAN = Layout(NAME, NAME, 200.0, "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units")


def load_casme2(root: str | Path, cropped: bool | None = None) -> LabelledSet:
    """Read CASME II as it lies on disk: the table, and ``CASME2_RAW_selected/sub01/EP02_01f``.

    ``cropped`` takes the faces in ``Cropped``, some of which are incomplete; by default they are
    taken only where the whole pictures are not there.

    :raises RuntimeError: if openpyxl is not installed.
    :raises ValueError: if the table or the images are not there, or the table is another one.
    """
    root = Path(root).expanduser()
    table = find_file(root, NAME, TABLES)
    names = {True: CROPPED, False: RAW, None: RAW + CROPPED}[cropped]
    images = find_folder(root, NAME, names)
    rows = subject_rows(table, PLAN, "sub{:02d}")
    return trimmed_clips(PLAN, rows, subject_folders(folders(images)), table)
