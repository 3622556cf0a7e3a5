"""What holds for any stream of activations, tried on many."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from streams import CODES, MS, activations, found, pulse

from emopulse_ros.detection.events import EventFinder
from emopulse_ros.stream import MicroExpression

pytest.importorskip("hypothesis", reason="hypothesis is not installed")
from hypothesis import given, settings
from hypothesis import strategies as st


def plain(event: MicroExpression, shift: int = 0) -> tuple[object, ...]:
    """All an event says, with its stamps moved back by ``shift``."""
    times = tuple(t - shift for t in (event.stamp, event.onset, event.apex, event.offset))
    return (*times, event.aus, event.peak_probability.tolist(), event.confidence)


@st.composite
def noisy_rows(draw: st.DrawFn) -> np.ndarray:
    """Some seconds of probabilities that wander, jump and pause."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(1, 400))
    smooth = draw(st.integers(1, 25))
    rows = random.random((count + smooth, len(CODES)))
    kernel = np.ones(smooth) / smooth
    walk = np.array([np.convolve(column, kernel, "same") for column in rows.T]).T[:count]
    return np.clip((walk - 0.5) * draw(st.floats(0.5, 6.0)) + draw(st.floats(0.1, 0.7)), 0, 1)


@given(
    first=st.integers(1, 60),
    length=st.integers(6, 85),
    height=st.floats(0.55, 1.0),
    code=st.sampled_from([1, 4, 12]),
)
def test_one_clean_pulse_is_one_event(first: int, length: int, height: float, code: int) -> None:
    rows = pulse(first + length + 20, first, first + length, code, height)
    (event,) = found(EventFinder(rise_ms=500.0, least_confidence=0.0), activations(rows))
    assert event.onset == first * 5 * MS
    assert event.offset == (first + length) * 5 * MS
    assert event.onset <= event.apex <= event.offset
    assert event.aus == (code,)


@settings(max_examples=60)
@given(rows=noisy_rows(), shift=st.integers(0, 2**62))
def test_a_constant_time_offset_changes_nothing(rows: np.ndarray, shift: int) -> None:
    here = found(EventFinder(), activations(rows))
    there = found(EventFinder(), activations(rows, start=shift))
    assert [plain(event) for event in here] == [plain(event, shift) for event in there]


@settings(max_examples=60)
@given(rows=noisy_rows(), period=st.sampled_from([MS, 4_166_667, 5 * MS, 8_333_333]))
def test_events_are_within_their_limits_and_apart(rows: np.ndarray, period: int) -> None:
    stream = activations(rows, period=period, intensity=0.3)
    events = found(EventFinder(), stream)
    stamps = {item.stamp for item in stream}
    told = [event.stamp for event in events]
    assert told == sorted(told)
    end = 0
    for event in sorted(events, key=lambda event: event.onset):
        assert end <= event.onset <= event.apex <= event.offset <= event.stamp
        assert {event.onset, event.apex, event.offset, event.stamp} <= stamps
        assert 25.0 <= event.duration_ms <= 500.0
        assert event.aus
        assert 45 not in event.aus
        assert len(event.peak_probability) == len(event.aus)
        assert 0.0 <= event.confidence <= event.peak_probability.max() + 1e-6
        end = event.offset


@settings(max_examples=60)
@given(rows=noisy_rows())
def test_without_the_mouth_nobody_speaks(rows: np.ndarray) -> None:
    rows[:, CODES.index(12)] = 0.0
    with_guard = found(EventFinder(), activations(rows))
    without = found(EventFinder(speech_ms=0.0), activations(rows))
    assert [plain(event) for event in with_guard] == [plain(event) for event in without]


@settings(max_examples=60)
@given(rows=noisy_rows())
def test_events_of_the_mouth_are_a_rest_apart_and_were_there_without_the_guard(
    rows: np.ndarray,
) -> None:
    rows[:, [CODES.index(1), CODES.index(4)]] = 0.0
    guarded = found(EventFinder(speech_ms=250.0), activations(rows))
    plain_ones = found(EventFinder(speech_ms=0.0), activations(rows))
    spans = {(event.onset, event.apex, event.offset) for event in plain_ones}
    assert {(event.onset, event.apex, event.offset) for event in guarded} <= spans
    for one, other in itertools.pairwise(guarded):
        assert other.onset - one.offset > 0
        assert other.stamp - one.offset > 250 * MS


@settings(max_examples=30)
@given(rows=noisy_rows())
def test_a_finder_can_be_used_again(rows: np.ndarray) -> None:
    finder = EventFinder()
    stream = activations(rows)
    first = [plain(event) for event in found(finder, stream)]
    assert [plain(event) for event in found(finder, stream)] == first


@pytest.mark.parametrize("period", [1, 1000, 5 * MS])
def test_memory_stays_bounded_whatever_the_stamps(period: int) -> None:
    finder = EventFinder()
    rows = np.tile(pulse(80, 20, 60, 12, 0.9), (100, 1))
    for item in activations(rows, period=period):
        finder(item)
        # One a millisecond over the longest event, the bridge and the gap.
        assert len(finder._history) <= 500 + 15 + 60 + 2
