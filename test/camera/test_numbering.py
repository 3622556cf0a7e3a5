from __future__ import annotations

from emopulse_ros.camera.numbering import Numbering

PERIOD = 5_000_000


def numbers(stamps: list[int]) -> list[int]:
    numbering = Numbering()
    return [numbering(stamp) for stamp in stamps]


def test_a_lost_frame_leaves_a_gap() -> None:
    stamps = [PERIOD * index for index in range(40) if index not in (20, 30, 31, 32)]
    assert numbers(stamps) == [stamp // PERIOD for stamp in stamps]


def test_a_camera_that_is_not_punctual_loses_nothing() -> None:
    jitter = [0, 900_000, -800_000, 400_000, 1_100_000, -1_000_000, 300_000]
    stamps = [10**9 + PERIOD * index + jitter[index % 7] for index in range(100)]
    assert numbers(stamps) == list(range(100))


def test_a_pause_or_a_new_beginning_is_no_loss() -> None:
    stamps = [PERIOD * index for index in range(20)]
    stamps += [stamps[-1] + 3 * 10**9 + PERIOD * index for index in range(3)]
    stamps += [PERIOD * index for index in range(3)]
    assert numbers(stamps) == list(range(26))


def test_another_rate_is_learnt() -> None:
    stamps = [PERIOD * index for index in range(20)]
    stamps += [2 * 10**9 + 4 * PERIOD * index for index in range(60)]
    assert numbers(stamps) == list(range(80))
