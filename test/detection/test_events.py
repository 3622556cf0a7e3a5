"""Events are found where a unit rose and fell, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from streams import CODES, MS, activations, found, pulse

from emopulse_ros.detection.events import EventFinder
from emopulse_ros.stream import Activation


def test_a_pulse_is_one_event_from_the_lower_threshold_to_the_lower_threshold() -> None:
    (event,) = found(EventFinder(), activations(pulse(100, 20, 44, code=4)))
    assert (event.onset, event.apex, event.offset) == (100 * MS, 160 * MS, 220 * MS)
    assert event.aus == (4,)
    assert event.face_id == 1
    assert event.peak_probability.tolist() == pytest.approx([0.9])
    assert not event.peak_probability.flags.writeable
    assert 0.8 < event.confidence < 0.9
    # 25 ms may be bridged: the sixth frame below the threshold makes the end known.
    assert (event.stamp, event.sequence) == (250 * MS, 50)


def test_nothing_is_found_below_the_upper_threshold() -> None:
    assert found(EventFinder(), activations(pulse(100, 20, 44, height=0.49))) == []


def test_each_unit_has_its_own_threshold() -> None:
    rows = pulse(100, 20, 44, height=0.49)
    assert len(found(EventFinder({12: 0.4}, least_confidence=0.0), activations(rows))) == 1
    assert found(EventFinder({4: 0.4}, least_confidence=0.0), activations(rows)) == []


def test_overlapping_units_are_one_event_and_separate_ones_are_two() -> None:
    rows = np.maximum(pulse(200, 20, 44, code=4), pulse(200, 40, 64, code=12))
    (event,) = found(EventFinder(), activations(rows))
    assert event.aus == (4, 12)
    assert (event.onset, event.offset) == (100 * MS, 320 * MS)

    rows = np.maximum(pulse(200, 20, 44, code=4), pulse(200, 60, 84, code=12))
    first, second = found(EventFinder(), activations(rows))
    assert (first.aus, second.aus) == ((4,), (12,))
    assert first.offset < second.onset


def test_a_short_gap_is_bridged_and_a_long_one_is_not() -> None:
    rows = pulse(100, 20, 60, code=4)
    rows[39:42] = 0.05
    assert len(found(EventFinder(bridge_ms=20.0, least_confidence=0.0), activations(rows))) == 1
    rows[37:44] = 0.05
    assert len(found(EventFinder(bridge_ms=20.0, least_confidence=0.0), activations(rows))) == 2


def test_lengths_are_limited() -> None:
    short = activations(pulse(100, 20, 24))
    assert found(EventFinder(least_confidence=0.0), short) == []
    assert len(found(EventFinder(shortest_ms=20.0, least_confidence=0.0), short)) == 1
    assert len(found(EventFinder(), activations(pulse(300, 20, 107)))) == 1
    assert found(EventFinder(), activations(pulse(300, 20, 111))) == []


def test_a_spike_of_another_unit_is_no_part_of_the_event() -> None:
    rows = pulse(100, 20, 44)
    rows[30, CODES.index(1)] = 0.95
    rows[47, CODES.index(4)] = 0.95
    (event,) = found(EventFinder(), activations(rows))
    assert event.aus == (12,)
    assert event.offset == 220 * MS


def test_a_unit_that_stays_on_does_not_mute_the_others() -> None:
    rows = np.maximum(pulse(400, 20, 44, code=12), pulse(400, 300, 330, code=12))
    rows[10:, CODES.index(4)] = 0.8
    (event,) = found(EventFinder(), activations(rows))
    assert event.aus == (12,)
    assert event.onset == 1500 * MS


def test_a_slow_drift_before_the_alarm_is_not_its_onset() -> None:
    rows = pulse(400, 300, 330)
    rows[:, CODES.index(12)] = np.maximum(rows[:, CODES.index(12)], 0.26)
    rows[335:] = 0.0
    (event,) = found(EventFinder(rise_ms=100.0), activations(rows))
    assert event.onset >= 1400 * MS


@pytest.mark.parametrize("period", [4_166_667, 5 * MS, 8_333_333])
def test_an_onset_is_a_frame_even_where_the_rise_was_cut_off(period: int) -> None:
    rows = pulse(200, 100, 110, code=4)
    rows[:100, CODES.index(4)] = 0.26
    stream = activations(rows, period=period)
    (event,) = found(EventFinder(least_confidence=0.0), stream)
    assert event.onset in {item.stamp for item in stream}
    assert 100 * period - event.onset < 200 * MS


def test_a_blink_is_no_event_and_no_part_of_one() -> None:
    assert found(EventFinder(), activations(pulse(100, 20, 50, code=45))) == []
    rows = np.maximum(pulse(100, 10, 60, code=45), pulse(100, 20, 44, code=12))
    (event,) = found(EventFinder(), activations(rows))
    assert event.aus == (12,)
    assert event.onset == 100 * MS


def test_intensity_moves_the_apex_where_the_model_has_one() -> None:
    rows = np.full((60, 4), 0.05)
    rows[20:40, 2] = 0.9
    plain = activations(rows)
    strength = np.zeros((60, 4), np.float32)
    strength[20:40, 2] = np.linspace(0.1, 0.4, 20)
    weighted = [
        Activation(a.stamp, a.sequence, 1, CODES, a.probability, s, 1.0, "test", "")
        for a, s in zip(plain, strength, strict=True)
    ]
    (without,) = found(EventFinder(), plain)
    (with_intensity,) = found(EventFinder(), weighted)
    assert without.apex == 30 * 5 * MS
    assert with_intensity.apex == 39 * 5 * MS


@pytest.mark.parametrize("rate", [120, 200, 240])
def test_time_is_counted_in_milliseconds_at_any_frame_rate(rate: int) -> None:
    period = 1_000_000_000 // rate
    first, last = round(0.1 * rate), round(0.2 * rate)
    stream = activations(pulse(rate, first, last), period=period)
    (event,) = found(EventFinder(), stream)
    assert event.duration_ms == pytest.approx(100.0, abs=2 * period / MS)


def test_a_lost_face_ends_what_was_over_and_drops_what_was_not() -> None:
    rows = pulse(100, 20, 44)
    # Frame 44 is the last above the threshold, 46 still within the bridge.
    over, under_way = activations(rows[:47]), activations(rows[:40])
    other_face = activations(np.full((30, 4), 0.05), start=260 * MS, face_id=2)
    much_later = activations(np.full((30, 4), 0.05), start=9000 * MS)
    for after in (other_face, much_later):
        finder = EventFinder()
        (event,) = found(finder, [*over, *after])
        assert (event.offset, event.stamp) == (220 * MS, 230 * MS)
        assert found(finder, [*under_way, *after]) == []
    assert len(found(EventFinder(), over)) == 1
    assert found(EventFinder(), under_way) == []


def test_a_second_face_starts_clean() -> None:
    rows = pulse(100, 20, 44)
    finder = EventFinder()
    stream = [
        *activations(rows[:32]),
        *activations(rows[32:], start=160 * MS, face_id=2),
    ]
    (event,) = found(finder, stream)
    assert event.face_id == 2
    assert event.onset == 160 * MS


def test_a_few_dropped_frames_do_not_cut_an_event() -> None:
    stream = activations(pulse(100, 20, 60))
    (event,) = found(EventFinder(least_confidence=0.0), stream[:36] + stream[44:])
    assert (event.onset, event.offset) == (100 * MS, 300 * MS)


def test_stamps_that_run_backwards_start_a_new_stretch() -> None:
    once = activations(pulse(60, 20, 44))
    assert len(found(EventFinder(), [*once, *once])) == 2


def test_impossible_rules_are_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        EventFinder(1.5)
    with pytest.raises(ValueError, match="between 0 and 1"):
        EventFinder({4: 0.0})
    with pytest.raises(ValueError, match="longest_ms"):
        EventFinder(shortest_ms=100.0, longest_ms=50.0)
    with pytest.raises(ValueError, match="speech_ms"):
        EventFinder(speech_ms=-1.0)


def test_a_doubtful_event_is_not_told() -> None:
    stream = activations(pulse(100, 20, 44, height=0.55))
    (event,) = found(EventFinder(0.3, least_confidence=0.0), stream)
    assert len(found(EventFinder(0.3, least_confidence=event.confidence - 0.01), stream)) == 1
    assert found(EventFinder(0.3, least_confidence=event.confidence + 0.01), stream) == []
    with pytest.raises(ValueError, match=r"least_confidence in \[0, 1\)"):
        EventFinder(least_confidence=1.0)
