"""Truth out of a script, and a run scored against it."""

from __future__ import annotations

import numpy as np
import pytest

from emopulse_ros.detection.events import EventFinder
from emopulse_ros.evaluation.recording import Recorder, Recording
from emopulse_ros.evaluation.report import score
from emopulse_ros.evaluation.script_truth import truth_of
from emopulse_ros.evaluation.truth import Truth, event_truth, frame_truth
from emopulse_ros.facs import CODES, INDEX
from emopulse_ros.stream import Activation
from emopulse_ros.synthesis.habits import write_script
from emopulse_ros.synthesis.script import Movement, Script

MS = 1_000_000
ORIGIN = 1_700_000_000_000_000_000


def movement(kind: str, aus: tuple[int, ...], onset: float, offset: float) -> Movement:
    """A movement of full strength with times in ms, its apex in the middle."""
    times = (round(onset * MS), round((onset + offset) / 2 * MS), round(offset * MS))
    return Movement(kind, aus, ((1.0, 1.0),) * len(aus), *times)  # type: ignore[arg-type]


def script(*movements: Movement) -> Script:
    """A script of one second and a face that holds still."""
    return Script(0, 1000 * MS, movements, np.zeros((6, 1, 3)))


def play(played: Script, origin: int = 0, noise: float = 0.0) -> Recording:
    """What a detector would say that sees the script and ``noise``."""
    random = np.random.default_rng(played.seed)
    finder, recorder = EventFinder(), Recorder()
    for sequence, time in enumerate(range(0, played.duration, 5 * MS)):
        clean = 0.02 + 0.96 * played.active(time)
        seen = np.clip(clean + random.normal(0.0, noise, len(CODES)), 0.0, 1.0)
        activation = Activation(
            origin + time, sequence, 1, CODES, seen.astype(np.float32),
            played.intensity(time), 1.0, "test", "",
        )  # fmt: skip
        recorder.add(activation, 1.5)
        recorder.add_event(finder(activation))
    recorder.add_event(finder.flush())
    return recorder.recording()


@pytest.mark.parametrize("repeats", [False, True])
def test_frame_truth_is_what_the_script_says_of_every_frame(repeats: bool) -> None:
    played = write_script(3, 5_000 * MS, repeats=repeats)
    stamps = np.arange(0, 12_000, 5) * MS
    known = truth_of(played, ORIGIN, ORIGIN + 12_000 * MS)
    truth = frame_truth(known, stamps + ORIGIN)
    assert np.array_equal(truth, [played.active(int(stamp)) for stamp in stamps])
    assert truth.any()
    some = frame_truth(known, stamps + ORIGIN, (45, 99, 4))
    assert np.array_equal(some[:, 0], truth[:, INDEX[45]])
    assert not some[:, 1].any()


def test_event_truth_joins_what_overlaps_and_leaves_out_blinks_speech_and_macros() -> None:
    played = script(
        movement("micro", (12,), 100, 200),
        movement("micro", (4, 6), 150, 230),
        movement("blink", (45,), 220, 400),
        movement("speech", (25,), 225, 280),
        movement("micro", (9,), 300, 400),
        movement("macro", (12,), 410, 950),
    )
    one, two = event_truth(truth_of(played, ORIGIN))
    assert one.aus == (4, 6, 12)
    assert (one.onset, one.offset) == (ORIGIN + 100 * MS, ORIGIN + 230 * MS)
    assert one.apex == ORIGIN + 150 * MS
    assert two.aus == (9,)


@pytest.mark.parametrize("origin", [0, ORIGIN])
def test_a_perfect_detector_scores_perfectly(origin: int) -> None:
    played = write_script(1, 8_000 * MS)
    report = score(play(played, origin), truth_of(played, origin))
    assert np.nanmin(report.counts.f1) == 1.0
    assert np.nanmin(report.precision) == 1.0
    assert np.nanmax(report.calibration) == pytest.approx(0.02, abs=1e-3)
    assert report.events.hits == report.events.true == report.events.found > 5
    assert report.events.unit_agreement == 1.0
    assert np.max(report.delays_ms) <= 5.0
    assert "frame F1 1.00, macro 1.00" in report.lines()[0]
    assert f"{report.events.true} true" in report.lines()[1]


def test_noise_costs_score() -> None:
    played = write_script(1, 8_000 * MS)
    clean, noisy = (score(play(played, noise=noise), truth_of(played)) for noise in (0.0, 0.4))
    assert np.nanmean(noisy.counts.f1) < np.nanmean(clean.counts.f1)
    assert np.nanmean(noisy.precision) < np.nanmean(clean.precision)


def test_a_run_without_activations_can_be_scored_too() -> None:
    report = score(Recorder().recording(), truth_of(write_script(0, 3_000 * MS)))
    assert report.frames == report.events.true == 0
    assert "frame F1 -" in report.lines()[0]


def test_thresholds_per_unit_decide_what_is_an_alarm() -> None:
    recording = play(script(movement("micro", (4,), 100, 300)))
    assert recording.alarms()[:, INDEX[4]].any()
    assert not recording.alarms({4: 0.99})[:, INDEX[4]].any()
    assert recording.seconds == pytest.approx(0.995)
    assert recording.latency_ms.tolist() == [1.5] * 200


def test_what_nobody_labelled_is_not_scored() -> None:
    played = script(movement("micro", (12,), 200, 400), movement("micro", (4,), 600, 800))
    whole = truth_of(played)
    partial = Truth(tuple(label for label in whole.labels if label.aus == (12,)), (12, 25))
    report = score(play(played), partial)
    known = [INDEX[12], INDEX[25]]
    others = np.delete(np.arange(len(CODES)), known)
    assert report.counts.f1[INDEX[12]] == 1.0
    assert np.isnan(report.counts.f1[others]).all()
    assert np.isnan(report.precision[others]).all()
    assert np.isnan(report.calibration[others]).all()
    # The event of AU4 is no false alarm: nobody looked for it.
    assert (report.events.true, report.events.found, report.events.hits) == (1, 1, 1)
