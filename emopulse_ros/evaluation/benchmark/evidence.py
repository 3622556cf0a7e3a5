"""One clip against its truth: what scores are made of, so that clips can be pooled and redrawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.detection.model import Card
from emopulse_ros.evaluation.benchmark.clips import Clip
from emopulse_ros.evaluation.benchmark.play import Played
from emopulse_ros.evaluation.benchmark.stretches import STRETCHES, false_alarms
from emopulse_ros.evaluation.metrics import count, reliability
from emopulse_ros.evaluation.pieces import Piece
from emopulse_ros.evaluation.script_truth import truth_of
from emopulse_ros.evaluation.spotting import alarm_delays, spotting
from emopulse_ros.evaluation.truth import event_truth, frame_truth, span_of


@dataclass(frozen=True, slots=True, eq=False)
class Evidence(Piece):
    """What one contender got right and wrong in one clip under one condition.

    ``truth`` ``(N, A) bool`` and ``probability`` ``(N, A) float32`` are those of the N frames with
    an activation, out of ``frames``. ``unit_events`` ``(A, 3) int64``: true events that name a
    unit, found ones that do, and hits of those. ``stretches`` ``(K, 2) float64``: false alarms and
    seconds of each kind of stretch; zero in a clip with micro-expressions.
    """

    clip: Clip
    frames: int
    truth: NDArray[np.bool_]
    probability: NDArray[np.float32]
    unit_events: NDArray[np.int64]
    stretches: NDArray[np.float64]


def evidence(played: Played, card: Card) -> Evidence:
    """Hold what was played against the clip's script, with the thresholds of the model's card.

    All events of the script count, whether the face was found in time or not.
    """
    recording, script = played.recording, played.clip.script()
    # Without any activation a recording has the columns of nobody: the card knows them.
    size = (len(recording.stamp), len(card.codes))
    known = truth_of(script)
    truth = frame_truth(known, recording.stamp, card.codes)
    probability = recording.probability.reshape(size)
    alarms = probability >= np.asarray(card.thresholds, np.float32)
    true, found = event_truth(known), [span_of(event) for event in recording.events]
    unit_events = []
    for code in card.codes:
        spotted = spotting(
            [span for span in true if code in span.aus],
            [span for span in found if code in span.aus],
            recording.seconds,
        )
        unit_events.append((spotted.true, spotted.found, spotted.hits))
    quiet = played.clip.kind == "quiet"
    return Evidence(
        clip=played.clip,
        frames=played.frames,
        truth=truth,
        probability=probability,
        counts=count(truth, alarms),
        reliability=reliability(truth, probability),
        events=spotting(true, found, recording.seconds),
        unit_events=np.array(unit_events),
        delays_ms=alarm_delays(true, recording.stamp, alarms, card.codes),
        stretches=false_alarms(script, recording.stamp, found)
        if quiet
        else np.zeros((len(STRETCHES), 2)),
    )
