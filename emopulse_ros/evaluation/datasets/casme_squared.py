"""CAS(ME)²: long videos of macro- and micro-expressions, 30 frames per second."""

from __future__ import annotations

from pathlib import Path

from emopulse_ros.evaluation.datasets.clip import LabelledSet
from emopulse_ros.evaluation.datasets.coding import Row, read_table
from emopulse_ros.evaluation.datasets.layout import Layout
from emopulse_ros.evaluation.datasets.long_video import long_clips
from emopulse_ros.evaluation.datasets.tree import find_file, find_folder, folders

NAME = "CAS(ME)²"

TABLES = ("CAS(ME)^2code_final(Updated).xlsx", "CAS(ME)^2code_final.xlsx")
"""Editions of the table; the newest one there is counts."""

IMAGES = ("rawpic",)

PLAN = Layout(NAME, NAME, 30.0, "onset", "apex", "offset", "au")

COLUMNS = ("subject", "video", *PLAN.columns, "emotion", "type", "selfReport")
"""The first sheet has no header; these are its columns in their order."""

SUBJECTS, VIDEOS = "naming rule1", "naming rule2"
"""Sheets that say which folder a subject's number stands for, and which code a video's name."""


def load_casme_squared(root: str | Path) -> LabelledSet:
    """Read CAS(ME)² as it lies on disk: the table, and ``rawpic/s15/15_0101...``.

    :raises RuntimeError: if openpyxl is not installed.
    :raises ValueError: if the table or the images are not there, or the table is another one.
    """
    root = Path(root).expanduser()
    table = find_file(root, NAME, TABLES)
    images = find_folder(root, NAME, IMAGES)
    subjects = {
        row.whole("subject"): row.text("folder")
        for row in read_table(table, ("number", "folder", "subject"), SUBJECTS, header=False)
        if row.frame("subject") is not None
    }
    codes = {
        row.text("name"): f"{row.whole('code'):04d}"
        for row in read_table(table, ("code", "name"), VIDEOS, header=False)
        if row.frame("code") is not None
    }
    rows = []
    for row in read_table(table, COLUMNS, header=False):
        subject = subjects.get(row.whole("subject"))
        # Movements of one video are anger1_1, anger1_2.
        code = codes.get(row.text("video").rpartition("_")[0])
        if subject is None or code is None:
            raise ValueError(_unknown(row, "video" if subject else "subject"))
        rows.append((f"{subject}/{code}", subject, row))
    found = {
        f"{subject.name}/{video.name.partition('_')[2][:4]}": video
        for subject in folders(images)
        for video in folders(subject)
    }
    return long_clips(PLAN, rows, found, table)


def _unknown(row: Row, column: str) -> str:
    sheet = SUBJECTS if column == "subject" else VIDEOS
    return (
        f"{row.place(column)} holds '{row.text(column)}', which the sheet '{sheet}' does not name."
    )
