"""A recording in stretches, and how sure its figures are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emopulse_ros.evaluation.assessment import Assessment
from emopulse_ros.evaluation.cutting import cut
from emopulse_ros.evaluation.metrics import calibration_error, count
from emopulse_ros.evaluation.page.pool import pool
from emopulse_ros.evaluation.pieces import together
from emopulse_ros.evaluation.recording import Recording
from emopulse_ros.evaluation.report import Report, score
from emopulse_ros.evaluation.script_truth import truth_of
from emopulse_ros.evaluation.spotting import spotting
from emopulse_ros.evaluation.truth import event_truth, frame_truth, span_of
from emopulse_ros.facs import CODES, INDEX
from emopulse_ros.synthesis.habits import write_script
from emopulse_ros.synthesis.script import Movement, Script

from .test_report import MS, movement, play


def seen(seconds: int, noise: float = 0.3) -> tuple[Recording, Report]:
    """So many seconds of a detector that stammers, and its scores."""
    script = write_script(4, seconds * 1000 * MS)
    recording = play(script, noise=noise)
    return recording, score(recording, truth_of(script))


def long_script(*movements: Movement) -> Script:
    """Sixteen seconds of a face that holds still."""
    return Script(0, 16_000 * MS, movements, np.zeros((6, 1, 3)))


def test_stretches_add_up_to_the_whole() -> None:
    script = write_script(4, 21_300 * MS)
    recording, truth = play(script, noise=0.3), truth_of(script)
    active, alarms = frame_truth(truth, recording.stamp), recording.alarms()
    pieces = cut(recording, truth, active, alarms)
    whole, true = together(pieces), event_truth(truth)
    assert len(pieces) == 11
    assert [piece.events.seconds for piece in pieces] == pytest.approx([2.0] * 10 + [1.295])
    assert np.array_equal(whole.counts.f1, count(active, alarms).f1, equal_nan=True)
    errors = calibration_error(active, recording.probability)
    assert whole.reliability.error == pytest.approx(errors)
    found = [span_of(event) for event in recording.events]
    expected = spotting(true, found, whole.events.seconds)
    assert whole.events == expected
    assert expected.seconds == pytest.approx(recording.seconds)
    assert len(whole.delays_ms) == len(true)


@pytest.mark.parametrize(("milliseconds", "stretches"), [(500, 1), (2990, 1), (3100, 2)])
def test_what_does_not_fill_a_stretch_is_given_to_the_last(
    milliseconds: int, stretches: int
) -> None:
    script = Script(0, milliseconds * MS, (), np.zeros((6, 1, 3)))
    report = score(play(script), truth_of(script))
    assert len(report.drawn.pieces) == stretches


def test_an_event_stays_whole_where_it_begins() -> None:
    script = long_script(movement("micro", (4,), 1900, 2100))
    recording, truth = play(script), truth_of(script)
    # As if it had been found late: what is found begins in the second stretch.
    (event,) = recording.events
    late = replace(recording, events=(replace(event, onset=2000 * MS, apex=2000 * MS),))
    pieces = score(late, truth).drawn.pieces
    assert [piece.events.true for piece in pieces] == [1, *[0] * 7]
    assert [piece.events.hits for piece in pieces] == [1, *[0] * 7]
    assert [piece.events.found for piece in pieces] == [1, *[0] * 7]
    assert [len(piece.delays_ms) for piece in pieces] == [1, *[0] * 7]


def test_more_of_the_same_is_surer() -> None:
    widths = []
    for seconds in (20, 160):
        _, report = seen(seconds)
        low, high = report.sure.frame_f1[1:]
        assert low < report.sure.frame_f1.value < high
        widths.append(high - low)
    assert widths[1] < 0.7 * widths[0]


def test_figures_are_the_same_every_time() -> None:
    assert str(seen(20)[1].sure) == str(seen(20)[1].sure)


def test_a_recording_that_is_repeated_is_certain(assessed: Assessment) -> None:
    joined = pool([assessed] * 6)
    assert joined is not None
    assert joined.drawn.what == "recording"
    sure = joined.sure
    for figure in (sure.frame_f1, sure.macro_f1, sure.calibration, sure.event_f1, sure.delay_ms,
                   sure.false_alarms):  # fmt: skip
        assert figure.low == pytest.approx(figure.value)
        assert figure.high == pytest.approx(figure.value)
    f1 = joined.counts.f1
    assert sure.unit_f1_interval == pytest.approx(np.stack((f1, f1), axis=1), nan_ok=True)


def test_few_recordings_are_drawn_in_stretches_of_their_own(assessed: Assessment) -> None:
    few = pool([assessed] * 5)
    assert few is not None
    assert few.drawn.what == "stretch"
    assert few.drawn.strata == tuple(np.repeat(range(5), 4))


def test_too_little_has_no_interval() -> None:
    _, short = seen(10)
    assert short.sure.frame_f1.value > 0.0
    assert np.isnan(short.sure.frame_f1.low)
    assert np.isnan(short.sure.unit_f1_interval).all()
    assert "[" not in "".join(short.lines())
    low, high = seen(20)[1].sure.event_f1[1:]
    assert f"[{low:.2f}, {high:.2f}] at IoU 0.5" in seen(20)[1].lines()[1]


def test_what_hardly_ever_moved_has_no_interval() -> None:
    often = [movement("micro", (12,), 2000 * i + 500, 2000 * i + 700) for i in range(7)]
    script = long_script(*often, movement("micro", (4,), 900, 1000))
    sure = score(play(script), truth_of(script)).sure
    assert np.isfinite(sure.unit_f1_interval[INDEX[12]]).all()
    assert np.isnan(np.delete(sure.unit_f1_interval, INDEX[12], axis=0)).all()
    assert len(sure.unit_f1_interval) == len(CODES)
    # Nor has what never happened: no false alarm.
    assert sure.false_alarms.value == 0.0
    assert np.isnan(sure.false_alarms.high)
