"""Which past a crop is measured against."""

from __future__ import annotations

import numpy as np

from emopulse_ros.flow.dense import Pyramid
from emopulse_ros.flow.references import NeutralFace, PastCrops

MS = 1_000_000


def crop(value: float) -> Pyramid:
    return Pyramid((np.full((2, 2), value, np.float32),))


def value(pyramid: Pyramid | None) -> float:
    assert pyramid is not None
    return float(pyramid.pictures[0][0, 0])


def test_baselines_are_times_whatever_the_frame_rate() -> None:
    for step in (5.0, 1000 / 120, 1000 / 240):
        past = PastCrops(160.0)
        for number in range(120):
            past.add(round(number * step * MS), crop(number * step))
        now = 119 * step
        for ms in (40.0, 160.0):
            age = now - value(past.before(round(now * MS), ms))
            assert ms - 2.501 <= age <= ms - 2.499 + step


def test_a_short_past_gives_its_oldest_crop() -> None:
    past = PastCrops(160.0)
    past.add(0, crop(7.0))
    past.add(5 * MS, crop(8.0))
    assert value(past.before(5 * MS, 160.0)) == 7.0


def test_the_past_does_not_grow() -> None:
    past = PastCrops(160.0)
    for number in range(1000):
        past.add(number * 5 * MS, crop(0.0))
    assert len(past._past) < 60


def rest(
    neutral: NeutralFace, past: PastCrops, start: int, ms: int, away: float, now: float
) -> int:
    """Let the face rest, at this distance from its neutral picture; return when it ends."""
    for time in range(start, start + ms * MS, 5 * MS):
        past.add(time, crop(now))
        neutral.update(time, past, 0.0, away)
    return start + ms * MS


def test_the_neutral_face_is_renewed_at_rest() -> None:
    neutral, past = NeutralFace(0.1), PastCrops(160.0)
    neutral.start(0, crop(1.0))
    rest(neutral, past, 0, 1500, 0.0, 2.0)
    assert value(neutral.crop) == 2.0


def test_a_held_expression_is_not_taken_for_neutral() -> None:
    neutral, past = NeutralFace(0.1), PastCrops(160.0)
    neutral.start(0, crop(1.0))
    end = rest(neutral, past, 0, 2000, 0.9, 5.0)
    assert value(neutral.crop) == 1.0
    rest(neutral, past, end, 1000, 0.9, 5.0)
    assert value(neutral.crop) == 5.0


def test_a_moving_face_is_never_neutral() -> None:
    neutral, past = NeutralFace(0.1), PastCrops(160.0)
    neutral.start(0, crop(1.0))
    for time in range(0, 5000 * MS, 5 * MS):
        past.add(time, crop(9.0))
        neutral.update(time, past, 0.5, 0.0)
    assert value(neutral.crop) == 1.0
