"""What the timeline draws, small enough to sit in the page."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.evaluation.assessment import Assessment
from emopulse_ros.evaluation.page.events import event_rows, origin, seconds
from emopulse_ros.evaluation.page.units import labels, unit_rows
from emopulse_ros.facs import BLINK


def series(assessment: Assessment) -> dict[str, Any]:
    """One recording as ``json`` can write it; arrays are little-endian and base64.

    ``t`` float64 seconds from the first frame, one for each of N activations; ``p`` uint8, 255 for
    certainty, N of the first unit, N of the second, and so on; ``attention`` and the four of
    ``head`` (x and y in pixels, roll in degrees, size in percent, less their medians) float32.
    Spans are ``[start, end, ...]`` in seconds.
    """
    recording, start = assessment.recording, origin(assessment)
    rows = unit_rows([assessment], assessment.report)
    probability = np.rint(255.0 * np.clip(recording.probability, 0.0, 1.0)).astype(np.uint8)
    times = (recording.stamp - start) / 1e9
    stamps = assessment.stream.stamps
    column = {code: a for a, code in enumerate(recording.codes)}
    events = event_rows(assessment)
    found = [row for row in events if row.found]
    true = {row.true_onset_s: row for row in events if row.true_aus}
    return {
        "end": seconds(assessment, int(stamps[-1])) if len(stamps) else 0.0,
        "step": 1.0 / assessment.stream.rate if len(stamps) > 1 else 0.005,
        "known": assessment.truth is not None,
        "units": [
            {"au": row.au, "name": row.name, "threshold": row.threshold, "blink": code == BLINK}
            for row, code in zip(rows, recording.codes, strict=True)
        ],
        "t": _packed(times, "<f8"),
        "p": _packed(probability.T, "u1"),
        "attention": _packed(recording.attention, "<f4"),
        "head": _packed(_motion(assessment.head).T, "<f4"),
        "labels": [
            [
                seconds(assessment, label.onset),
                seconds(assessment, label.offset),
                label.kind,
                [column[code] for code in label.aus if code in column],
            ]
            for label in (assessment.truth.labels if assessment.truth else ())
        ],
        "true": [
            [row.true_onset_s, row.true_offset_s, row.true_apex_s, row.verdict,
             labels(row.true_aus), None]
            for row in true.values()
        ],
        "found": [
            [row.onset_s, row.offset_s, row.apex_s, row.verdict, labels(row.aus), row.confidence]
            for row in found
        ],
        "missing": [[seconds(assessment, int(s)) for s in g] for g in assessment.stream.missing],
        "blind": _blind((stamps - start) / 1e9, np.isin(stamps, recording.stamp)),
    }  # fmt: skip


def _motion(head: NDArray[np.float32]) -> NDArray[np.float32]:
    """Places of the head less their median, the size in percent of it: ``(N, 4) float32``."""
    if not len(head):
        return head
    middle = np.median(head, axis=0)
    moved: NDArray[np.float32] = head - middle
    moved[:, 3] *= 100.0 / max(float(middle[3]), 1e-6)
    return moved


def _blind(times: NDArray[np.float64], answered: NDArray[np.bool_]) -> list[list[float]]:
    """Stretches of frames without an activation, each until the next frame that has one."""
    edges = np.flatnonzero(np.diff(np.concatenate(([True], answered, [True])).astype(np.int8)))
    return [
        [float(times[first]), float(times[min(after, len(times) - 1)])]
        for first, after in edges.reshape(-1, 2)
    ]


def _packed(values: NDArray[Any], dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype).tobytes()).decode("ascii")
