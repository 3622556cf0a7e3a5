"""A recording that was assessed, without a camera: what a detector would say of a script."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emopulse_ros.detection.events import EventFinder
from emopulse_ros.evaluation.assessment import Assessment, Stream
from emopulse_ros.evaluation.recording import Recorder
from emopulse_ros.evaluation.report import score
from emopulse_ros.evaluation.script_truth import truth_of
from emopulse_ros.evaluation.truth import Truth
from emopulse_ros.facs import CODES
from emopulse_ros.stream import Activation
from emopulse_ros.synthesis.habits import write_script

MS = 1_000_000
ORIGIN = 1_700_000_000_000_000_000


@pytest.fixture(scope="session")
def assessed() -> Assessment:
    """Eight seconds: no face in the first ten frames, five frames missing after two seconds.

    One true event is missed, for it is not in what the detector is told, and one of what it is
    told is not in the truth.
    """
    script = write_script(1, 8_000 * MS)
    truth = truth_of(script, ORIGIN)
    finder, recorder = EventFinder(), Recorder()
    stamps = [t for t in range(0, script.duration, 5 * MS) if not 2_000 * MS < t < 2_030 * MS]
    for sequence, time in enumerate(stamps[10:], 10):
        seen = (0.02 + 0.96 * script.active(time)).astype(np.float32)
        activation = Activation(
            ORIGIN + time, sequence, 1, CODES, seen, script.intensity(time), 1.0, "test", ""
        )
        recorder.add(activation)
        recorder.add_event(finder(activation))
    recorder.add_event(finder.flush())
    recording = recorder.recording()
    labels = [label for label in truth.labels if label.kind == "expression"]
    recording = replace(recording, events=recording.events[:2] + recording.events[3:])
    last = recording.events[-1]
    # Of the last event the truth says nothing.
    truth = Truth(
        tuple(
            label
            for label in truth.labels
            if label not in labels or label.offset < last.onset or label.onset > last.offset
        )
    )
    thresholds = dict.fromkeys(CODES, 0.5)
    rows = len(recording.stamp)
    head = np.stack(
        [np.full(rows, 300.0), np.full(rows, 200.0), np.arange(rows), np.full(rows, 90)]
    )
    return Assessment(
        name="a recording",
        recording=recording,
        head=head.T.astype(np.float32),
        stream=Stream(np.array(stamps, np.int64) + ORIGIN, {"looking for a face": 10}),
        thresholds=thresholds,
        truth=truth,
        report=score(recording, truth, thresholds=thresholds),
    )


@pytest.fixture(scope="session")
def silent() -> Assessment:
    """A hundred frames, and never a face."""
    recording, truth = Recorder().recording(), truth_of(write_script(0, 3_000 * MS))
    return Assessment(
        name="silent",
        recording=recording,
        head=np.zeros((0, 4), np.float32),
        stream=Stream(np.arange(100, dtype=np.int64) * 5 * MS, {"nobody in sight": 100}),
        thresholds=dict.fromkeys(CODES, 0.5),
        truth=truth,
        report=score(recording, truth),
    )
