"""SAMM from a miniature tree with the quirks of the real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from emopulse_ros.evaluation.datasets.samm import load_samm

from .trees import images, samm_table

MS = 1_000_000


def test_a_clip_is_found_below_a_header_on_row_14(tmp_path: Path) -> None:
    samm_table(tmp_path, ("006", "006_1_2", 5562, 5566, 5570, "L4B + 7"))
    images(tmp_path / "006/006_1_2", "006_{:05d}.jpg", range(5562, 5571))
    read = load_samm(tmp_path)
    (clip,) = read.clips
    assert (clip.subject, clip.name, clip.rate, clip.zero) == ("006", "006/006_1_2", 200.0, 5562)
    assert str(clip.annotations[0].units.certain[0]) == "L4B"
    (label,) = clip.truth.labels
    assert (label.onset, label.apex, label.offset) == (0, 20 * MS, 40 * MS)
    assert read.summary.lines() == ["SAMM: 1 clip of 1 person, by SAMM_Micro_FACS_Codes_v2.xlsx"]


@pytest.mark.parametrize("name", ["007_{}.jpg", "007_{:04d}.jpg", "007_{:05d}.jpg"])
def test_padding_does_not_matter(name: str, tmp_path: Path) -> None:
    samm_table(tmp_path, (7, "007_1_1", 98, 99, 101, "12"))
    images(tmp_path / "SAMM/007/007_1_1", name, range(98, 102))
    (clip,) = load_samm(tmp_path).clips
    assert clip.camera().numbers == (98, 99, 100, 101)


@pytest.mark.parametrize(("subject", "clip", "apex"), [(28, "028_4_1", -1), (32, "032_3_1", 999)])
def test_a_bad_apex_is_replaced_by_the_middle(
    subject: int, clip: str, apex: int, tmp_path: Path
) -> None:
    samm_table(tmp_path, (subject, clip, 100, apex, 110, "14"))
    images(tmp_path / f"{subject:03d}" / clip, "x_{:05d}.jpg", range(100, 111))
    read = load_samm(tmp_path)
    assert read.clips[0].annotations[0].apex == apex
    assert read.clips[0].truth.labels[0].apex == 25 * MS
    assert list(read.summary.remarks.values()) == [
        [f"apex {apex} is outside 100 to 110, the middle is taken"]
    ]


def test_undecided_units_are_not_scored_in_their_clip(tmp_path: Path) -> None:
    samm_table(
        tmp_path,
        (6, "006_1_1", 1, 2, 3, "4 + 12 or 14"),
        (6, "006_1_2", 1, 2, 3, "L14 or R14"),
        (6, "006_1_3", 1, 2, 3, "12 or 15"),
    )
    for number in (1, 2, 3):
        images(tmp_path / f"006/006_1_{number}", "006_{:05d}.jpg", range(1, 4))
    read = load_samm(tmp_path)
    assert [clip.truth.codes for clip in read.clips] == [(4, 15), (4, 12, 14, 15), (4, 14)]
    assert [clip.truth.labels[0].aus for clip in read.clips] == [(4,), (14,), ()]
    assert read.summary.remarks == {
        "006/006_1_1": ["undecided units AU12 and AU14 are not scored"],
        "006/006_1_3": ["undecided units AU12 and AU15 are not scored"],
    }


def test_misnamed_frames_are_taken_in_order_or_skipped(tmp_path: Path) -> None:
    samm_table(
        tmp_path,
        (6, "006_1_1", 100, 102, 104, "4"),
        (6, "006_1_2", 100, 102, 104, "4"),
        (6, "006_1_3", 100, 102, 104, "4"),
    )
    images(tmp_path / "006/006_1_1", "006_{:05d}.jpg", range(7, 12))
    images(tmp_path / "006/006_1_2", "006_{:05d}.jpg", (100, 101, 12, 13, 104))
    images(tmp_path / "006/006_1_3", "036_{:05d}.jpg", range(100, 105))
    read = load_samm(tmp_path)
    moved, named = read.clips
    annotation = moved.annotations[0]
    assert (annotation.onset, annotation.apex, annotation.offset) == (7, 9, 11)
    assert moved.truth.labels[0].offset == 20 * MS
    assert named.name == "006/006_1_3"
    assert read.summary.remarks == {
        "006/006_1_1": ["images are numbered from 7, the label from 100"],
        "006/006_1_3": ["images are named for subject 036"],
    }
    assert read.summary.skipped == {
        "006/006_1_2": "has images of 3 of its 5 labelled frames 100 to 104 (numbers 12 to 104)"
    }


def test_subjects_that_are_not_there_are_said(tmp_path: Path) -> None:
    samm_table(tmp_path, (6, "006_1_1", 100, 102, 104, "4"))
    with pytest.raises(ValueError, match="looked for folders of subjects such as '006'"):
        load_samm(tmp_path)
