"""A report as tables: units, events, and activations in the columns of OpenFace.

Fields are separated by a bare comma, as OpenFace 2.2 writes them and pandas reads them without an
option. (Its earlier versions put a space behind; ``pandas.read_csv(skipinitialspace=True)`` and
py-feat's ``read_openface``, which strips names, read both.)
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emopulse_ros.evaluation.assessment import Assessment
from emopulse_ros.evaluation.page.events import EventRow, event_rows, origin
from emopulse_ros.evaluation.page.pool import pool
from emopulse_ros.evaluation.page.units import UnitRow, label, unit_rows
from emopulse_ros.evaluation.report import DIGITS

SCALE = 5.0
"""OpenFace's intensities go to 5, FACS' level E, the strongest a person can show; ours go to 1."""

INTENSITIES = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
PRESENCES = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 28, 45)
"""The units for which OpenFace has a column."""


def write_units(path: Path, assessments: Sequence[Assessment]) -> None:
    """Write the table of action units: ``recording``, then the fields of :class:`UnitRow`.

    Of several recordings, those of an empty name are all of them together.

    :raises OSError: if the file cannot be written.
    """
    groups = [(one.name, unit_rows([one], one.report)) for one in assessments]
    if len(assessments) > 1:
        groups.insert(0, ("", unit_rows(assessments, pool(assessments))))
    _write(
        path,
        ("recording", *UnitRow._fields),
        ((name, *row) for name, rows in groups for row in rows),
    )


def write_events(path: Path, assessments: Sequence[Assessment]) -> None:
    """Write all events: ``recording``, then the fields of :class:`EventRow`.

    Units are FACS codes with a space between.

    :raises OSError: if the file cannot be written.
    """
    _write(
        path,
        ("recording", *EventRow._fields),
        ((one.name, *row) for one in assessments for row in event_rows(one)),
    )


def write_activations(path: Path, assessment: Assessment) -> None:
    """Write a row for each frame of one recording, in the columns of OpenFace.

    ``frame`` counts from 1, ``timestamp`` is seconds from the first frame. ``success`` is 1 where
    there is an activation, else 0, all units 0 and ``face_id`` 0, as OpenFace does without a face;
    ``confidence`` repeats it, for how sure the face is nobody keeps. ``AU01_r`` is our intensity,
    0 to 1 of the strongest a person can show, times 5: the same scale of FACS levels, but not
    the same instrument. ``AU01_c`` is 1 from the model's threshold of probability on. OpenFace's
    units that the model does not know (23, 26, 28) stay empty, which pandas reads as NaN.

    :raises OSError: if the file cannot be written.
    """
    recording = assessment.recording
    strong, present = (sorted({*known, *recording.codes}) for known in (INTENSITIES, PRESENCES))
    column = {code: a for a, code in enumerate(recording.codes)}
    strength = np.char.mod("%.3f", SCALE * recording.intensity.astype(np.float64))
    called = recording.alarms(assessment.thresholds).astype(np.int64).astype(np.str_)
    without = [
        *("0" if code in column else "" for code in strong),
        *("0" if code in column else "" for code in present),
    ]

    def rows() -> Iterable[Sequence[Any]]:
        row = 0
        for frame, stamp in enumerate(assessment.stream.stamps.tolist(), 1):
            time = f"{(stamp - origin(assessment)) / 1e9:.6f}"
            if row < len(recording.stamp) and recording.stamp[row] == stamp:
                units = [strength[row, column[c]] if c in column else "" for c in strong]
                units += [called[row, column[c]] if c in column else "" for c in present]
                yield (frame, recording.face_id[row], time, "1.00", 1, *units)
                row += 1
            else:
                yield (frame, 0, time, "0.00", 0, *without)

    names = [f"{label(code)}_r" for code in strong] + [f"{label(code)}_c" for code in present]
    _write(path, ("frame", "face_id", "timestamp", "confidence", "success", *names), rows())


def _write(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    # A name that came from a file system may hold bytes that are no UTF-8.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_text(value) for value in row] for row in rows)


def _text(value: Any) -> Any:
    """A field: empty where a figure is undefined, units with a space between."""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.{DIGITS}f}".rstrip("0").rstrip(".")
    return " ".join(map(str, value)) if isinstance(value, tuple) else value
