"""The events of a recording, each beside the one it is held against."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emopulse_ros.evaluation.assessment import Assessment
from emopulse_ros.evaluation.cutting import judged
from emopulse_ros.evaluation.spotting import match, overlap
from emopulse_ros.evaluation.truth import Span, span_of
from emopulse_ros.stream import MicroExpression

NAN = float("nan")


class EventRow(NamedTuple):
    """An event that was found, a true one, or both; times in seconds from the first frame.

    ``verdict`` is ``right`` (one to one, IoU of at least 0.5), ``loose`` (they touch), ``wrong``
    (found where nothing was), ``missed`` (true, and nothing was found) or ``unjudged`` (there is
    no truth, or none about its units). What a side does not have is NaN or empty.
    ``first_alarm_ms`` counts from the true onset to the first frame that calls one of its units
    active.
    """

    verdict: str
    onset_s: float = NAN
    apex_s: float = NAN
    offset_s: float = NAN
    duration_ms: float = NAN
    aus: tuple[int, ...] = ()
    confidence: float = NAN
    iou: float = NAN
    true_onset_s: float = NAN
    true_apex_s: float = NAN
    true_offset_s: float = NAN
    true_aus: tuple[int, ...] = ()
    first_alarm_ms: float = NAN

    @property
    def found(self) -> bool:
        """Whether it was found."""
        return not np.isnan(self.onset_s)

    @property
    def span(self) -> tuple[float, float, float]:
        """Onset, apex and offset in seconds: as found, of what was missed as it was."""
        if self.found:
            return self.onset_s, self.apex_s, self.offset_s
        return self.true_onset_s, self.true_apex_s, self.true_offset_s


def origin(assessment: Assessment) -> int:
    """Stamp from which times are counted: that of the first frame, 0 if there is none."""
    stamps = assessment.stream.stamps
    return int(stamps[0]) if len(stamps) else 0


def seconds(assessment: Assessment, stamp: int) -> float:
    """Time of a stamp in seconds from the first frame."""
    return (stamp - origin(assessment)) / 1e9


def event_rows(assessment: Assessment) -> list[EventRow]:
    """Every event that was found and every true one that counts, in the order of time."""
    if assessment.truth is None or assessment.report is None:
        return [_row(assessment, "unjudged", event) for event in assessment.recording.events]
    true, events = judged(assessment.recording, assessment.truth)
    found, delays = [span_of(event) for event in events], assessment.report.delays_ms
    right = {j: i for i, j in match(true, found)}
    rows, met = [], set(right.values())
    for j, event in enumerate(events):
        partner = right.get(j, _closest(true, found[j]))
        if partner is None:
            rows.append(_row(assessment, "wrong", event))
            continue
        met.add(partner)
        verdict = "right" if j in right else "loose"
        rows.append(_row(assessment, verdict, event, true[partner], delays[partner]))
    for i, span in enumerate(true):
        if i not in met:
            verdict = "missed" if _closest(found, span) is None else "loose"
            rows.append(_row(assessment, verdict, None, span, delays[i]))
    counted = {id(event) for event in events}
    rows += [
        _row(assessment, "unjudged", event)
        for event in assessment.recording.events
        if id(event) not in counted
    ]
    return sorted(rows, key=lambda row: (row.span, row.verdict))


def _closest(spans: list[Span], other: Span) -> int | None:
    """Which span overlaps another one most; None if none does."""
    overlaps = [overlap(span, other) for span in spans]
    best = max(range(len(spans)), key=overlaps.__getitem__, default=None)
    return best if best is not None and overlaps[best] > 0.0 else None


def _row(
    assessment: Assessment,
    verdict: str,
    event: MicroExpression | None,
    true: Span | None = None,
    first_alarm_ms: float = NAN,
) -> EventRow:
    row = EventRow(verdict, first_alarm_ms=float(first_alarm_ms))
    if event is not None:
        row = row._replace(
            onset_s=seconds(assessment, event.onset),
            apex_s=seconds(assessment, event.apex),
            offset_s=seconds(assessment, event.offset),
            duration_ms=event.duration_ms,
            aus=event.aus,
            confidence=float(event.confidence),
        )
    if true is not None:
        row = row._replace(
            true_onset_s=seconds(assessment, true.onset),
            true_apex_s=seconds(assessment, true.apex),
            true_offset_s=seconds(assessment, true.offset),
            true_aus=true.aus,
        )
    if event is not None and true is not None:
        row = row._replace(iou=overlap(true, span_of(event)))
    return row
