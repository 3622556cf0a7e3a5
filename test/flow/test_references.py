"""Which past a crop is measured against."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from emopulse_ros.flow.dense import Pyramid
from emopulse_ros.flow.references import HELD_KNOWN_MS, HELD_MS, NeutralFace, PastMotion

MS = 1_000_000


def crop(value: float) -> Pyramid:
    return Pyramid((np.full((2, 2), value, np.float32),))


def field(value: float) -> NDArray[np.float32]:
    return np.full((2, 2, 2), value, np.float32)


def value(neutral: NeutralFace) -> float:
    return float(neutral.crop.pictures[0][0, 0])


def test_baselines_are_times_whatever_the_frame_rate() -> None:
    for step in (5.0, 1000 / 120, 1000 / 240):
        past = PastMotion(160.0)
        for number in range(120):
            past.add(round(number * step * MS), field(number * step))
        now = 119 * step
        for ms in (40.0, 160.0):
            age = now - float(past.before(round(now * MS), ms)[0, 0, 0])
            assert ms - 2.501 <= age <= ms - 2.499 + step


def test_a_short_past_gives_its_oldest_crop() -> None:
    past = PastMotion(160.0)
    past.add(0, field(7.0))
    past.add(5 * MS, field(8.0))
    assert past.before(5 * MS, 160.0)[0, 0, 0] == 7.0


def test_differences_outlive_a_new_neutral_face() -> None:
    past = PastMotion(160.0)
    for number in range(40):
        past.add(number * 5 * MS, field(0.1 * number))
    now = 39 * 5 * MS
    before = past.before(now, 0.0) - past.before(now, 160.0)
    past.rebase()
    np.testing.assert_allclose(past.before(now, 0.0) - past.before(now, 160.0), before, atol=1e-5)
    # The new neutral face is the mean of the last six.
    assert float(past.before(now, 0.0)[0, 0, 0]) == pytest.approx(0.25, abs=1e-5)


def test_the_past_does_not_grow() -> None:
    past = PastMotion(160.0)
    for number in range(1000):
        past.add(number * 5 * MS, field(0.0))
    assert len(past._past) < 60


def rest(neutral: NeutralFace, start: int, ms: int, away: float, now: float) -> int:
    """Let the face rest, at this distance from its neutral picture; return when it ends."""
    for time in range(start, start + ms * MS, 5 * MS):
        neutral.update(time, crop(now), 0.0, away)
    return start + ms * MS


def test_the_neutral_face_is_renewed_at_rest() -> None:
    neutral = NeutralFace(0.1)
    neutral.start(0, crop(1.0))
    rest(neutral, 0, 1500, 0.0, 2.0)
    assert value(neutral) == 2.0


def test_a_held_expression_is_not_taken_for_neutral() -> None:
    neutral = NeutralFace(0.1)
    neutral.start(0, crop(1.0))
    end = rest(neutral, 0, int(HELD_MS) - 100, 0.9, 5.0)
    assert value(neutral) == 1.0
    rest(neutral, end, 1000, 0.9, 5.0)
    assert value(neutral) == 5.0


def test_a_face_that_is_come_back_to_is_kept_for_longer() -> None:
    neutral = NeutralFace(0.1)
    neutral.start(0, crop(1.0))
    end = rest(neutral, 0, 1000, 0.9, 5.0)
    end = rest(neutral, end, 1500, 0.0, 1.0)
    end = rest(neutral, end, int(HELD_KNOWN_MS) - 100, 0.9, 5.0)
    assert value(neutral) == 1.0
    end = rest(neutral, end, 1000, 0.9, 5.0)
    assert value(neutral) == 5.0
    # Which nobody has come back to yet.
    rest(neutral, end, int(HELD_MS) + 1000, 0.9, 7.0)
    assert value(neutral) == 7.0


def test_a_lively_face_is_given_up_by_its_rests_in_all() -> None:
    neutral = NeutralFace(0.1)
    neutral.start(0, crop(1.0))
    end, rests = 0, 0
    while value(neutral) == 1.0:
        neutral.update(end, crop(9.0), 0.5, 0.9)
        end = rest(neutral, end + 5 * MS, 1000, 0.9, 5.0)
        rests += 1000
    assert value(neutral) == 5.0
    assert HELD_MS < rests < HELD_MS + 2000


def test_a_moving_face_is_never_neutral() -> None:
    neutral = NeutralFace(0.1)
    neutral.start(0, crop(1.0))
    renewed = [neutral.update(time, crop(9.0), 0.5, 0.0) for time in range(0, 5000 * MS, 5 * MS)]
    assert not any(renewed)
    assert value(neutral) == 1.0


def renewals(noise_told: float) -> int:
    """How often a face at rest is taken anew whose flow is noisier than the threshold."""
    neutral = NeutralFace(0.1)
    neutral.start(0, crop(1.0))
    seen = np.hypot(0.05, 0.3)
    return sum(
        neutral.update(time, crop(2.0), seen, 0.3 / np.sqrt(2.0), noise_told)
        for time in range(0, 3000 * MS, 5 * MS)
    )


def test_noise_is_no_motion() -> None:
    assert renewals(0.0) == 0
    assert renewals(0.3) > 1


def test_motion_beyond_the_noise_is_motion() -> None:
    neutral = NeutralFace(0.1)
    neutral.start(0, crop(1.0))
    seen = float(np.hypot(0.15, 0.3))
    for time in range(0, 5000 * MS, 5 * MS):
        assert not neutral.update(time, crop(9.0), seen, 0.0, 0.3)


def test_an_expression_held_on_a_noisy_picture_is_not_taken_for_neutral() -> None:
    neutral = NeutralFace(0.1)
    neutral.start(0, crop(1.0))
    away = float(np.hypot(0.9, 0.3 / np.sqrt(2.0)))
    for time in range(0, 2000 * MS, 5 * MS):
        neutral.update(time, crop(5.0), 0.3, away, 0.3)
    assert value(neutral) == 1.0
