"""Finds out how labels are written in a file."""

from __future__ import annotations

from pathlib import Path

from emopulse_ros.evaluation.labels.elan import read_elan
from emopulse_ros.evaluation.labels.openface import is_openface, read_openface
from emopulse_ros.evaluation.labels.table import read_table
from emopulse_ros.evaluation.labels.timed import LabelError, TimedLabels


def read_labels(path: Path) -> TimedLabels:
    """Read a table of labels, one of frames as OpenFace writes it, or what was made with ELAN.

    :raises LabelError: if there is no such file, or it is none of these.
    """
    if not path.is_file():
        raise LabelError(f"there is no file with labels at {path}")
    if path.suffix in (".eaf", ".txt", ".tsv"):
        return read_elan(path)
    if path.suffix != ".csv":
        raise LabelError(
            f"labels are read from .csv (a table, or OpenFace's), .eaf and .txt or .tsv (ELAN), "
            f"not from {path}"
        )
    return read_openface(path) if is_openface(path) else read_table(path)
