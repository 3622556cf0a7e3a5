"""The page as one file that needs nothing beside it: no network, no other file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from string import Template

import emopulse_ros
from emopulse_ros.evaluation.assessment import Assessment
from emopulse_ros.evaluation.page.about import About
from emopulse_ros.evaluation.page.markup import counted, inert, text
from emopulse_ros.evaluation.page.pool import pool
from emopulse_ros.evaluation.page.sections import NO_TRUTH, pictures, recording, surroundings
from emopulse_ros.evaluation.page.series import series
from emopulse_ros.evaluation.page.tables import (
    plain_head,
    recording_table,
    scored_head,
    unit_table,
)
from emopulse_ros.evaluation.page.units import unit_rows

SCRIPTS = ("trace.js", "lanes.js", "timeline.js", "report.js")
"""In this order: each uses those before it."""


def write_page(path: Path, assessments: Sequence[Assessment], about: About | None = None) -> None:
    """Write :func:`page` to a file, UTF-8.

    :raises OSError: if the file cannot be written.
    """
    path.write_text(page(assessments, about), encoding="utf-8", newline="\n")


def page(assessments: Sequence[Assessment], about: About | None = None) -> str:
    """One or several recordings as HTML; the same input gives the same text.

    :raises ValueError: if the recordings come from models of different units, or there are
        timings of another number of recordings.
    """
    about = about or About()
    if about.timing and len(about.timing) != len(assessments):
        raise ValueError(
            f"there are {len(assessments)} recordings, but timings of {len(about.timing)}"
        )
    alone, together = len(assessments) == 1, pool(assessments)
    title = assessments[0].name if alone else counted(len(assessments), "recording")
    head = scored_head(together) if together else plain_head(assessments)
    if together is None:
        head += NO_TRUTH.format(what="this recording" if alone else "these recordings")
    elif not all(one.report for one in assessments):
        head += NO_TRUTH.format(what="some of these recordings")
    if not alone:
        rows = unit_rows(assessments, together)
        head += recording_table(assessments)
        head += unit_table(rows, "Action units, all recordings together", together)
    return Template(_asset("report.html")).substitute(
        title=text(title),
        written=text(_written(about)),
        style=_asset("report.css"),
        head=head,
        recordings="\n".join(
            recording(one, index, about, alone=alone) for index, one in enumerate(assessments, 1)
        ),
        surroundings="" if alone else surroundings(about),
        pictures=pictures(assessments),
        data=inert([series(one) for one in assessments]),
        script="\n".join(map(_asset, SCRIPTS)),
    )


def _written(about: About) -> str:
    parts = [f"EmoPulse {emopulse_ros.__version__}", about.card.name if about.card else ""]
    return " · ".join(part for part in (*parts, about.created) if part)


def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
