"""A mouth that speaks makes no events, and one that makes an expression does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from streams import CODES, MS, activations, found, pulse

from emopulse_ros.detection.events import EventFinder
from emopulse_ros.stream import Activation


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


def murmur(*codes: int, before: float) -> list[Activation]:
    """Units that move together for 120 ms, of a mouth that was this much at work before."""
    mouth_and_brow = (1, 12, 14, 15, 17, 25)
    rows = np.full((300, len(mouth_and_brow)), 0.02, np.float32)
    rows[50:150, 1:] = before
    for code in codes:
        rows[150:174, mouth_and_brow.index(code)] = 0.95
    return [
        replace(item, codes=mouth_and_brow, probability=row, intensity=row)
        for item, row in zip(activations(mouth((1, 2))), rows, strict=True)
    ]


def test_what_comes_out_of_a_mouth_at_work_is_speech() -> None:
    """Its units were at work without one that would make a run."""
    (event,) = found(EventFinder(), murmur(12, before=0.1))
    assert (event.aus, event.onset) == ((12,), 750 * MS)
    assert found(EventFinder(), murmur(12, before=0.24)) == []
    assert len(found(EventFinder(speech_ms=0.0), murmur(12, before=0.24))) == 1
    # A brow is moved by no word, whether a mouth moves with it or not.
    (brow,) = found(EventFinder(), murmur(1, 12, before=0.24))
    assert brow.aus == (1,)
    (brow,) = found(EventFinder(), murmur(1, before=0.24))
    assert brow.aus == (1,)
