"""Events against events, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from emopulse_ros.evaluation.spotting import Spotting, alarm_delays, match, overlap, spotting
from emopulse_ros.evaluation.truth import Span

MS = 1_000_000


def span(onset: float, offset: float, *aus: int) -> Span:
    """A span in ms with its apex in the middle."""
    return Span(
        round(onset * MS), round((onset + offset) / 2 * MS), round(offset * MS), aus or (4,)
    )


def test_overlap_is_intersection_over_union() -> None:
    assert overlap(span(0, 100), span(0, 100)) == 1.0
    assert overlap(span(0, 100), span(50, 150)) == pytest.approx(1 / 3)
    assert overlap(span(0, 100), span(100, 200)) == 0.0
    assert overlap(span(0, 100), span(300, 400)) == 0.0


def test_half_an_overlap_is_a_match_and_less_is_none() -> None:
    assert match([span(0, 100)], [span(0, 200)]) == [(0, 0)]
    assert match([span(0, 100)], [span(0, 201)]) == []


def test_an_event_is_matched_once_and_to_the_best() -> None:
    truth = [span(0, 100), span(300, 400)]
    found = [span(0, 60), span(5, 100), span(310, 400)]
    assert match(truth, found) == [(0, 1), (1, 2)]
    scored = spotting(truth, found, 60.0)
    assert (scored.true, scored.found, scored.hits, scored.spurious) == (2, 3, 2, 0)
    assert scored.f1 == pytest.approx(0.8)


def test_false_alarms_are_those_that_touch_nothing() -> None:
    scored = spotting([span(0, 100)], [span(90, 300), span(500, 600)], 30.0)
    assert scored.spurious == 1
    assert scored.false_alarms_per_minute == 2.0
    assert scored.f1 == 0.0


def test_units_of_matched_events_are_compared() -> None:
    scored = spotting([span(0, 100, 6, 12)], [span(0, 100, 12, 25)], 1.0)
    assert scored.unit_agreement == pytest.approx(1 / 3)


def test_recordings_are_pooled() -> None:
    both = spotting([span(0, 100)], [span(0, 100)], 60.0) + spotting([], [span(0, 100)], 60.0)
    assert both.f1 == pytest.approx(2 / 3)
    assert both.false_alarms_per_minute == 0.5
    assert np.isnan(Spotting(0, 0, 0, 0, 0.0).f1)


def test_the_first_alarm_is_timed_from_the_onset() -> None:
    stamps = np.arange(200) * 5 * MS
    alarmed = np.zeros((200, 2), bool)
    alarmed[30:50, 0] = True
    alarmed[0:200, 1] = True
    codes = (4, 12)
    truth = [span(100, 200, 4), span(100, 200, 12), span(500, 600, 4), span(0, 100, 9)]
    delays = alarm_delays(truth, stamps, alarmed, codes)
    assert delays[0] == 50.0
    # On all the time, or never, or unknown to the model: not seen.
    assert np.isnan(delays[1:]).all()


def test_an_alarm_long_after_the_offset_is_another_ones() -> None:
    stamps = np.arange(200) * 5 * MS
    alarmed = (stamps >= 350 * MS)[:, None]
    assert np.isnan(alarm_delays([span(100, 200)], stamps, alarmed, (4,))[0])
    assert alarm_delays([span(100, 200)], stamps, alarmed, (4,), late=200 * MS)[0] == 250.0
