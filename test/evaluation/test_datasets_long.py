"""Long videos, SAMM's and CAS(ME)²'s, from miniature trees with the quirks of the real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from emopulse_ros.evaluation.datasets.casme_squared import load_casme_squared
from emopulse_ros.evaluation.datasets.samm_long import load_samm_long
from emopulse_ros.evaluation.truth import event_truth

from .trees import casme_squared_table, images, samm_long_table, table

MS = 1_000_000
MICRO = "Micro - 1/2"


def test_labels_of_one_video_are_together_and_count_from_1(tmp_path: Path) -> None:
    samm_long_table(
        tmp_path,
        ("006_1_3", 101, 110, 240, "Macro", "12"),
        ("006_1_2", 3, 5, 9, MICRO, "4"),
        ("007_2_1", 2.0, 2.4, 3.0, MICRO, "R14A"),
    )
    images(tmp_path / "SAMM_longvideos/006_1", "006_1_{:04d}.jpg", range(1, 251))
    images(tmp_path / "SAMM_longvideos/007_2", "007_2_{:03d}.jpg", range(5))
    read = load_samm_long(tmp_path)
    one, two = read.clips
    assert (one.people, one.subject, one.name, one.rate, one.zero) == (
        "SAMM", "006", "006_1", 200.0, 1,
    )  # fmt: skip
    assert [(label.onset, label.offset) for label in one.truth.labels] == [
        (10 * MS, 40 * MS),
        (500 * MS, 1195 * MS),
    ]
    # What lasts longer than half a second is no micro-expression.
    assert [event.aus for event in event_truth(one.truth)] == [(4,)]
    # Images that count from 0 are one behind the labels.
    assert (two.annotations[0].onset, two.zero) == (1, 0)
    assert two.truth.labels[0].onset == 5 * MS
    assert one.truth.codes == (4, 12, 14)


def test_unknown_ends_are_at_the_apex(tmp_path: Path) -> None:
    samm_long_table(
        tmp_path,
        ("006_1_1", 3, 7, 0, MICRO, "4"),
        ("006_1_2", 0, 12, 15, MICRO, "4"),
        ("006_1_3", 18, -1, 20, MICRO, None),
        ("006_2_1", 0, 5, 0, MICRO, "4"),
        ("006_3_1", 3, 7, 0, MICRO, "?"),
    )
    for video in ("006_1", "006_2", "006_3", "006_4"):
        images(tmp_path / f"SAMM_longvideos/{video}", video + "_{:04d}.jpg", range(1, 31))
    read = load_samm_long(tmp_path)
    (clip,) = read.clips
    assert [a.extent for a in clip.annotations] == [(3, 7, 7), (12, 12, 15), (18, 19, 20)]
    assert [(a.onset, a.offset) for a in clip.annotations] == [(3, None), (None, 15), (18, 20)]
    assert clip.truth.labels[2].aus == ()
    assert read.summary.remarks["006_1"] == [
        "no offset, it ends at its apex 7",
        "no onset, it begins at its apex 12",
        "label 18 to 20 names no units",
        "no apex, the middle 19 is taken",
    ]
    file = "SAMM_LongVideos_V2_Release.xlsx"
    assert read.summary.skipped == {
        "006_2": f"has no onset and offset ({file}, row 14)",
        "006_3": f"cannot be read ({file}, row 15, column 'Action Units'): '?' is no list of "
        "action units: '?' is not one.",
        "006_4": "has no label",
    }


def test_labels_beyond_the_images_are_cut(tmp_path: Path) -> None:
    samm_long_table(
        tmp_path,
        ("020_6_5", 3, 9, 50, "Macro", "4"),
        ("020_6_6", 60, 70, 80, "Macro", "4"),
        ("036_7_4", 5, 6, 7, "Macro", "4"),
        edition=3,
    )
    images(tmp_path / "SAMM_longvideos/020_6", "020_6_{:04d}.jpg", range(1, 11))
    (tmp_path / "SAMM_longvideos/020_6/Thumbs.db").write_bytes(b"T")
    read = load_samm_long(tmp_path)
    (clip,) = read.clips
    assert [a.extent for a in clip.annotations] == [(3, 9, 10)]
    assert read.summary.remarks["020_6"] == [
        "label 3 to 50 is cut at the last image 10",
        "label 60 to 80 is after the last image 10, left out",
        "stray files left out (Thumbs.db)",
    ]
    assert read.summary.skipped == {"036_7": "has no folder of images"}


def test_a_movement_without_a_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "SAMM_longvideos").mkdir()
    samm_long_table(tmp_path, ("006_1_1", 3, 7, 9, MICRO, "4"), ("0061", 3, 7, 9, MICRO, "4"))
    with pytest.raises(ValueError, match=r"row 12, column 'Filename' holds '0061', not the name"):
        load_samm_long(tmp_path)


def test_names_of_cas_me_squared_are_looked_up(tmp_path: Path) -> None:
    casme_squared_table(
        tmp_path,
        (1, "disgust1_1", 3, 5, 9, "4+7", "micro-expression"),
        (1, "disgust1_10", 20, 20, 0, "L12", "macro-expression"),
        (2, "anger1_1", 2, 4, 6, "1，2", "micro-expression"),  # noqa: RUF001
    )
    images(tmp_path / "rawpic/s15/15_0101disgustingteeth", "img{:03d}.jpg", range(1, 31))
    images(tmp_path / "rawpic/s16/16_0401girlcrashing", "img{:03d}.jpg", range(1, 31))
    read = load_casme_squared(tmp_path)
    one, two = read.clips
    assert (one.dataset, one.subject, one.name, one.rate) == ("CAS(ME)²", "s15", "s15/0101", 30.0)
    assert one.folder.name == "15_0101disgustingteeth"
    assert one.truth.labels[0].onset == round(2e9 / 30)
    assert one.truth.labels[1].onset == one.truth.labels[1].offset
    assert two.truth.labels[0].aus == (1, 2)
    assert one.truth.codes == (1, 2, 4, 7, 12)
    assert read.summary.lines() == [
        "CAS(ME)²: 2 clips of 2 people, by CAS(ME)^2code_final.xlsx",
        "1 clip with a remark: s15/0101: no offset, it ends at its apex 20",
    ]


def test_tables_of_cas_me_squared_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    (tmp_path / "rawpic").mkdir()
    casme_squared_table(tmp_path, (3, "disgust1_1", 3, 5, 9, "4", "micro-expression"))
    with pytest.raises(ValueError, match=r"row 1, column 'subject' holds '3', .* 'naming rule1'"):
        load_casme_squared(tmp_path)
    casme_squared_table(tmp_path, (1, "joy_1", 3, 5, 9, "4", "micro-expression"))
    with pytest.raises(ValueError, match=r"column 'video' holds 'joy_1', .* 'naming rule2'"):
        load_casme_squared(tmp_path)
    file = tmp_path / "CAS(ME)^2code_final.xlsx"
    table(file, {"CASFEcode_final": [(1, "joy_1", 3)]})
    with pytest.raises(ValueError, match=r"no sheet 'naming rule1'; its sheets are CASFEcode"):
        load_casme_squared(tmp_path)
    rules = {"naming rule1": [(15, "s15", 1)], "naming rule2": [(101, "joy")]}
    table(file, {"CASFEcode_final": [(1, "joy_1", 3)], **rules})
    with pytest.raises(ValueError, match="has 3 columns, not the 9 it should have: subject, video"):
        load_casme_squared(tmp_path)
