"""Everything a report says, as plain data; docs/report.md says what the keys mean."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import emopulse_ros
from emopulse_ros.detection.model import Card
from emopulse_ros.evaluation.assessment import Assessment
from emopulse_ros.evaluation.bootstrap import Figure
from emopulse_ros.evaluation.page.about import About
from emopulse_ros.evaluation.page.events import event_rows, seconds
from emopulse_ros.evaluation.page.figures import figures
from emopulse_ros.evaluation.page.pool import pool
from emopulse_ros.evaluation.page.units import UnitRow, unit_rows
from emopulse_ros.evaluation.report import Report, plain

FORMAT = 2
"""Version of the keys; it changes when one of them goes or means something else."""


def write_json(path: Path, assessments: Sequence[Assessment], about: About | None = None) -> None:
    """Write :func:`as_json` to a file, UTF-8, indented.

    :raises OSError: if the file cannot be written.
    """
    data = as_json(assessments, about)
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    # A name that came from a file system may hold bytes that are no UTF-8.
    path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace", newline="\n")


def as_json(assessments: Sequence[Assessment], about: About | None = None) -> dict[str, Any]:
    """Recordings as ``json`` can write them; what is undefined is null, order is kept.

    :raises ValueError: if the recordings come from models of different units.
    """
    about = about or About()
    together = pool(assessments)
    return {
        "format": FORMAT,
        "emopulse": emopulse_ros.__version__,
        "created": about.created or None,
        "overall": None if together is None else _scores(together),
        "units": _units(assessments, together),
        "recordings": [_recording(one, about, i) for i, one in enumerate(assessments)],
        "model": None if about.card is None else _model(about.card, about.model_hash),
        "environment": dict(about.environment),
    }


def _scores(report: Report) -> dict[str, Any]:
    events = report.events
    return {
        **{
            one.key: _bounded(one.figure) if one.bounded else plain(one.figure.value)
            for one in figures(report)
        },
        "intervals_of": {"what": report.drawn.what, "number": len(report.drawn.pieces)},
        "frames": report.frames,
        "seconds": plain(events.seconds),
        "events": {
            "true": events.true,
            "found": events.found,
            "right": events.hits,
            "spurious": events.spurious,
            "unit_agreement": plain(events.unit_agreement),
        },
    }


def _units(assessments: Sequence[Assessment], report: Report | None) -> dict[str, Any]:
    return {row.au: _unit(row) for row in unit_rows(assessments, report)}


def _unit(row: UnitRow) -> dict[str, Any]:
    """The row of a unit but for its name, its interval beside the figure."""
    figure = Figure(row.frame_f1, row.frame_f1_low, row.frame_f1_high)
    skip = ("au", "frame_f1_low", "frame_f1_high")
    return {**_row(row._asdict(), skip), "frame_f1": _bounded(figure)}


def _bounded(figure: Figure) -> dict[str, float | None]:
    return {name: plain(value) for name, value in figure._asdict().items()}


def _recording(one: Assessment, about: About, index: int) -> dict[str, Any]:
    stream, gaps = one.stream, one.stream.gaps
    return {
        "name": one.name,
        "scores": None if one.report is None else _scores(one.report),
        "units": _units([one], one.report),
        "events": [_row(row._asdict()) for row in event_rows(one)],
        "labels": [
            {
                "kind": label.kind,
                "onset_s": seconds(one, label.onset),
                "apex_s": seconds(one, label.apex),
                "offset_s": seconds(one, label.offset),
                "aus": list(label.aus),
            }
            for label in (one.truth.labels if one.truth else ())
        ],
        "stream": {
            "first_stamp_ns": int(stream.stamps[0]) if len(stream.stamps) else None,
            "frames": len(stream.stamps),
            "activations": len(one.recording.stamp),
            "rate_hz": plain(stream.rate),
            "gaps": {
                "number": len(gaps),
                "longest_ms": plain(gaps.max()) if len(gaps) else None,
                "at_s": [[seconds(one, int(s)) for s in ends] for ends in stream.missing],
            },
            "without_activation": dict(stream.without),
            "notes": list(stream.notes),
        },
        "timing": {
            name: {"value": plain(value), "unit": unit}
            for name, (value, unit) in about.timing_of(index).items()
        },
        "pictures_of_faces": len(one.faces),
    }


def _model(card: Card, model_hash: str) -> dict[str, Any]:
    try:
        scores = json.loads(card.scores)
    except ValueError:
        scores = card.scores
    return {
        "name": card.name,
        "sha256": model_hash or None,
        "form": card.form,
        "action_units": list(card.codes),
        "thresholds": [plain(threshold) for threshold in card.thresholds],
        "tick_ms": card.tick_ms,
        "flow": {
            "method": card.recipe.method,
            "grid": card.recipe.grid,
            "baselines_ms": list(card.recipe.baselines_ms),
            "neutral": card.recipe.neutral,
        },
        "trained_on": card.trained_on,
        "scores": scores,
    }


def _row(row: dict[str, Any], skip: tuple[str, ...] = ()) -> dict[str, Any]:
    """A row of a table: NaN to null, figures rounded."""
    return {
        key: (
            plain(value)
            if isinstance(value, float)
            else list(value)
            if isinstance(value, tuple)
            else value
        )
        for key, value in row.items()
        if key not in skip
    }
