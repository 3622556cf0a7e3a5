"""Events are found where a unit rose and fell, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from emopulse_ros.detection.events import EventFinder
from emopulse_ros.stream import Activation, MicroExpression

MS = 1_000_000
CODES = (1, 4, 12, 45)


def activations(
    rows: Iterable[Sequence[float]],
    *,
    start: int = 0,
    period: int = 5 * MS,
    face_id: int = 1,
    intensity: float = 0.0,
) -> list[Activation]:
    """Activations of CODES, one row of probabilities each, ``period`` ns apart."""
    return [
        Activation(
            stamp=start + index * period,
            sequence=index,
            face_id=face_id,
            codes=CODES,
            probability=np.asarray(row, np.float32),
            intensity=np.full(len(CODES), intensity, np.float32),
            attention=1.0,
            model="test",
            model_hash="",
        )
        for index, row in enumerate(rows)
    ]


def pulse(
    count: int, first: int, last: int, code: int = 12, height: float = 0.9, floor: float = 0.05
) -> np.ndarray:
    """Probabilities ``(count, 4)``: one triangle that stands above 0.25 from first to last."""
    rows = np.full((count, len(CODES)), floor)
    middle, half = (first + last) / 2.0, (last - first) / 2.0
    distance = np.abs(np.arange(count) - middle) / max(half, 1e-9)
    shape = height - (height - 0.2501) * distance
    rows[:, CODES.index(code)] = np.maximum(shape, floor)
    return rows


def found(finder: EventFinder, stream: Iterable[Activation]) -> list[MicroExpression]:
    """Every event, the flushed one included."""
    events = [finder(item) for item in stream]
    return [event for event in [*events, finder.flush()] if event is not None]


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
    assert len(found(EventFinder(bridge_ms=20.0), activations(rows))) == 1
    rows[37:44] = 0.05
    assert len(found(EventFinder(bridge_ms=20.0), activations(rows))) == 2


def test_lengths_are_limited() -> None:
    assert found(EventFinder(), activations(pulse(100, 20, 24))) == []
    assert len(found(EventFinder(shortest_ms=20.0), activations(pulse(100, 20, 24)))) == 1
    assert len(found(EventFinder(), activations(pulse(300, 20, 119)))) == 1
    assert found(EventFinder(), activations(pulse(300, 20, 130))) == []


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
    (event,) = found(EventFinder(), stream)
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


def mouth(*spans: tuple[int, int], count: int = 300) -> np.ndarray:
    """Probabilities of a mouth that moves in these spans of frames."""
    return np.max([pulse(count, first, last, code=12) for first, last in spans], axis=0)


def test_an_event_of_the_mouth_waits_until_the_mouth_has_rested() -> None:
    stream = activations(mouth((20, 44)))
    (event,) = found(EventFinder(speech_ms=250.0), stream)
    assert (event.onset, event.offset) == (100 * MS, 220 * MS)
    assert (event.stamp, event.sequence) == (475 * MS, 95)
    (at_once,) = found(EventFinder(speech_ms=0.0), stream)
    assert at_once.stamp == 250 * MS
    assert (at_once.onset, at_once.apex, at_once.offset) == (event.onset, event.apex, event.offset)


def test_a_mouth_that_moves_again_and_again_speaks() -> None:
    syllables = mouth((20, 44), (60, 90), (120, 140), (185, 200))
    assert found(EventFinder(), activations(syllables)) == []
    assert len(found(EventFinder(speech_ms=0.0), activations(syllables))) == 4
    # After a rest it may make an expression again.
    (event,) = found(EventFinder(), activations(mouth((20, 44), (60, 90), (150, 180))))
    assert (event.onset, event.offset) == (750 * MS, 900 * MS)


def test_two_movements_of_the_mouth_with_a_rest_between_are_two_events() -> None:
    first, second = found(EventFinder(), activations(mouth((20, 44), (110, 140))))
    assert (first.onset, second.onset) == (100 * MS, 550 * MS)


def test_noise_of_the_mouth_is_no_speech() -> None:
    rows = mouth((20, 44))
    rows[[60, 61, 80], CODES.index(12)] = 0.95
    (event,) = found(EventFinder(), activations(rows))
    assert event.offset == 220 * MS


def test_the_rest_of_the_face_does_not_wait_for_the_mouth() -> None:
    rows = np.maximum(mouth((20, 44)), pulse(300, 50, 70, code=4))
    brow, smile = found(EventFinder(), activations(rows))
    assert (brow.aus, smile.aus) == ((4,), (12,))
    assert (brow.stamp, smile.stamp) == (380 * MS, 475 * MS)

    spoken = np.maximum(mouth((20, 44), (60, 90), (100, 130)), pulse(300, 62, 120, code=1))
    (brow,) = found(EventFinder(), activations(spoken))
    assert (brow.aus, brow.onset, brow.offset) == ((1,), 310 * MS, 600 * MS)


def with_a_cheek(rows: np.ndarray) -> list[Activation]:
    """Activations with the cheek raiser in place of the brow lowerer."""
    return [replace(item, codes=(1, 6, 12, 45)) for item in activations(rows)]


def test_a_smile_of_mouth_and_cheek_waits_and_a_word_that_moves_both_is_none() -> None:
    smile = np.maximum(mouth((20, 44)), pulse(300, 22, 44, code=4))
    (event,) = found(EventFinder(), with_a_cheek(smile))
    assert (event.aus, event.stamp) == ((6, 12), 475 * MS)
    spoken = np.maximum(smile, mouth((60, 90)))
    assert found(EventFinder(), with_a_cheek(spoken)) == []
    # A brow is moved by no word.
    (brow,) = found(EventFinder(), activations(spoken))
    assert brow.aus == (4, 12)


def test_a_cheek_that_speech_draws_along_is_no_event() -> None:
    cheek = pulse(300, 100, 118, code=4)
    (alone,) = found(EventFinder(), with_a_cheek(cheek))
    assert alone.aus == (6,)
    spoken = np.maximum(mouth((20, 44), (60, 90), (105, 130)), cheek)
    assert found(EventFinder(), with_a_cheek(spoken)) == []


def test_an_event_that_waits_is_told_when_the_face_is_lost() -> None:
    stream = activations(mouth((20, 44))[:60])
    other_face = activations(np.full((30, 4), 0.05), start=300 * MS, face_id=2)
    (event,) = found(EventFinder(), [*stream, *other_face])
    assert (event.offset, event.stamp, event.face_id) == (220 * MS, 295 * MS, 1)


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
    (event,) = found(EventFinder(), stream[:36] + stream[44:])
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
    with pytest.raises(ValueError, match=r"least_confidence and blink_confidence in \[0, 1\)"):
        EventFinder(least_confidence=1.0)


@pytest.mark.parametrize("code", [4, 12])
def test_in_a_blink_an_event_without_the_mouth_must_be_surer(code: int) -> None:
    for height in (0.69, 0.95):
        doubtful = pulse(200, 20, 44, code=code, height=height)
        blink = pulse(200, 20, 50, code=45)
        assert len(found(EventFinder(0.4), activations(doubtful))) == 1
        told = found(EventFinder(0.4), activations(np.maximum(doubtful, blink)))
        assert bool(told) is (code == 12 or height > 0.9)
        # One that is over before the eyes blink is told all the same.
        later = pulse(200, 50, 80, code=45)
        assert len(found(EventFinder(0.4), activations(np.maximum(doubtful, later)))) == 1
