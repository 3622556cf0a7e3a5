"""SAMM Long Videos: 200 frames per second, gray; the same people as in SAMM."""

from __future__ import annotations

from pathlib import Path

from emopulse_ros.evaluation.datasets import samm
from emopulse_ros.evaluation.datasets.clip import LabelledSet
from emopulse_ros.evaluation.datasets.coding import read_table
from emopulse_ros.evaluation.datasets.layout import Layout
from emopulse_ros.evaluation.datasets.long_video import long_clips
from emopulse_ros.evaluation.datasets.tree import find_file, find_folder, folders

NAME = "SAMM Long Videos"

TABLES = (
    "SAMM_LongVideos_V3_Release.xlsx",
    "SAMM_LongVideos_V2_Release.xlsx",
    "SAMM_LongVideos_V1_Release.xlsx",
)
"""Editions of the table; the newest one there is counts."""

IMAGES = ("SAMM_longvideos",)

PLAN = Layout(NAME, samm.NAME, 200.0, "Onset", "Apex", "Offset", "Action Units")


def load_samm_long(root: str | Path) -> LabelledSet:
    """Read SAMM Long Videos as they lie on disk: the table, and ``SAMM_longvideos/006_1``.

    A movement ``006_1_2`` of the table is one of video ``006_1``. Macro-expressions are labels as
    well as micro-expressions: their length tells them apart.

    :raises RuntimeError: if openpyxl is not installed.
    :raises ValueError: if the table or the images are not there, or the table is another one.
    """
    root = Path(root).expanduser()
    table = find_file(root, NAME, TABLES)
    images = find_folder(root, NAME, IMAGES)
    rows = []
    for row in read_table(table, ("Filename", *PLAN.columns)):
        subject, *rest = row.text("Filename").split("_")
        if not subject.isdigit() or not rest:
            raise ValueError(
                f"{row.place('Filename')} holds '{row.text('Filename')}', not the name of a "
                "movement such as 006_1_2."
            )
        rows.append((f"{int(subject):03d}_{rest[0]}", f"{int(subject):03d}", row))
    return long_clips(PLAN, rows, {video.name: video for video in folders(images)}, table)
