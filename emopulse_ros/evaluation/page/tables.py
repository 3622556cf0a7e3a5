"""The tables of the page, which can be read without JavaScript."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from emopulse_ros.evaluation.assessment import Assessment
from emopulse_ros.evaluation.metrics import mean
from emopulse_ros.evaluation.page.events import EventRow
from emopulse_ros.evaluation.page.figures import figures, how_sure, ranged
from emopulse_ros.evaluation.page.markup import bar, counted, table, text
from emopulse_ros.evaluation.page.units import UnitRow, label, labels
from emopulse_ros.evaluation.report import Report, number
from emopulse_ros.facs import BLINK

UNITS = ("action unit", "frame F1", "95% interval", "macro F1", "precision", "recall",
         "PR-AUC", "calibration error", "threshold", "frames true", "frames active")  # fmt: skip

ROOM = 0.25
"""Seconds to show on either side of an event."""


class Tile(NamedTuple):
    """Name, figure, unit, where the figure lies, and of how much it was taken."""

    name: str
    figure: str
    unit: str
    taken_of: str
    lies: str = ""


def scored_head(report: Report) -> str:
    """The key figures of a recording whose truth is known, and how sure they are."""
    shown = [
        Tile(
            one.name,
            number(one.figure.value, one.digits),
            one.unit,
            one.taken_of,
            ranged(one.figure.low, one.figure.high, one.digits),
        )
        for one in figures(report)
    ]
    return f'{_tiles(shown)}<p class="sure">{text(how_sure(report))}</p>'


def plain_head(assessments: Sequence[Assessment]) -> str:
    """What can be said without a truth."""
    frames = sum(len(one.stream.stamps) for one in assessments)
    answers = sum(len(one.recording.stamp) for one in assessments)
    found = sum(len(one.recording.events) for one in assessments)
    minutes = sum(one.recording.seconds for one in assessments) / 60.0
    share = 100.0 * answers / frames if frames else np.nan
    rate = found / minutes if minutes else np.nan
    return _tiles(
        [
            Tile("frames", str(frames), "", f"of {counted(len(assessments), 'recording')}"),
            Tile("with an activation", number(share, 1), "%", f"{answers} frames"),
            Tile("events found", str(found), "", "right or wrong, nobody knows"),
            Tile("events a minute", number(rate, 1), "", f"in {60.0 * minutes:.0f} s"),
        ]
    )


def _tiles(shown: Iterable[Tile]) -> str:
    return f'<dl class="tiles">{"".join(map(_tile, shown))}</dl>'


def _tile(one: Tile) -> str:
    unit = f" <span>{text(one.unit)}</span>" if one.unit else ""
    lies = f'<small class="lies">{text(one.lies)}</small>' if one.lies else ""
    return (
        f"<div><dt>{text(one.name)}</dt><dd><b>{text(one.figure)}</b>{unit}{lies}"
        f"<small>{text(one.taken_of)}</small></dd></div>"
    )


def unit_table(rows: Sequence[UnitRow], caption: str, report: Report | None) -> str:
    """Scores of each unit and, with a truth, their mean over the expressive ones."""
    if report is None:
        return table(caption, ("action unit", "threshold", "frames active"), (
            ("", (_unit(row), number(row.threshold), str(row.frames_active))) for row in rows
        ), "units")  # fmt: skip
    expressive = [row for row in rows if row.au != label(BLINK)]
    _, low, high = report.sure.frame_f1
    means = [mean(np.array([_scores(row)[i] for row in expressive])) for i in range(6)]
    body = [
        (
            "",
            [
                _unit(row),
                *_cells(_scores(row), row.frame_f1_low, row.frame_f1_high),
                number(row.threshold),
                "-" if row.frames_true is None else str(row.frames_true),
                str(row.frames_active),
            ],
        )
        for row in rows
    ]
    last = ["mean, without the blink", *_cells(means, low, high), "", "", ""]
    return table(caption, UNITS, [*body, (' class="mean"', last)], "units")


def _unit(row: UnitRow) -> str:
    return f"<b>{text(row.au)}</b> {text(row.name)}"


def _scores(row: UnitRow) -> list[float]:
    """In the order of the table's columns; the last, alone, is better the smaller it is."""
    return [row.frame_f1, row.macro_f1, row.precision, row.recall, row.pr_auc,
            row.calibration_error]  # fmt: skip


def _cells(scores: Sequence[float], low: float, high: float) -> list[str]:
    first, *shares, error = scores
    return [
        bar(number(first), first),
        ranged(low, high, 2),
        *(bar(number(share), share) for share in shares),
        number(error, 3),
    ]


def event_table(rows: Sequence[EventRow], place: str, scored: bool) -> str:
    """Events in the order of time; each links to its place in the timeline."""
    if not rows:
        return '<p class="none">No event was found, and none is known to have been missed.</p>'
    head = ["onset, s", "apex, s", "offset, s", "duration, ms", "action units", "confidence"]
    if scored:
        head += ["verdict", "IoU", "true action units", "first alarm, ms"]
    body = []
    for row in rows:
        onset, apex, offset = row.span
        link = f"#{place}@{max(0.0, onset - ROOM):.3f}-{offset + ROOM:.3f}"
        cells = [
            f'<a href="{link}">{onset:.3f}</a>',
            f"{apex:.3f}",
            f"{offset:.3f}",
            f"{1e3 * (offset - onset):.0f}",
            text(labels(row.aus)) or "-",
            bar(number(row.confidence), row.confidence),
        ]
        if scored:
            cells += [
                f'<span class="verdict">{row.verdict.replace("unj", "not j")}</span>',
                number(row.iou),
                text(labels(row.true_aus)) or "-",
                number(row.first_alarm_ms, 0),
            ]
        body.append((f' class="{row.verdict}"', cells))
    return table(f"Events: {len(rows)}", head, body, "events")


def recording_table(assessments: Sequence[Assessment]) -> str:
    """One row for each recording: its name, its stream, its key figures."""
    first = next((one.report for one in assessments if one.report), None)
    names = [figure.name for figure in figures(first)] if first else []
    body = []
    for index, one in enumerate(assessments, 1):
        cells = [
            f'<a href="#r{index}">{text(one.name)}</a>',
            str(len(one.stream.stamps)),
            number(one.stream.rate, 1),
            str(len(one.recording.events)),
        ]
        if one.report is not None:
            cells += [number(f.figure.value, f.digits) for f in figures(one.report)]
        else:
            cells += ["no truth" if i == 0 else "-" for i in range(len(names))]
        body.append(("", cells))
    return table("Recordings", ["recording", "frames", "rate, Hz", "events found", *names], body)
