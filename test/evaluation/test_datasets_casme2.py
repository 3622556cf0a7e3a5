"""CASME II from a miniature tree with the quirks of the real one."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from emopulse_ros.evaluation.au_string import CodedUnit
from emopulse_ros.evaluation.datasets import load
from emopulse_ros.evaluation.datasets.casme2 import load_casme2
from emopulse_ros.evaluation.truth import frame_truth

from .trees import casme2_table, images, table

MS = 1_000_000


def tree(root: Path) -> Path:
    """Clips that are as they should be, and one for each quirk."""
    raw, cropped = root / "CASME2_RAW_selected", root / "Cropped"
    casme2_table(
        root,
        (1, "EP02_01f", 46, 59, 86, "L4+12"),
        (4, "EP12_01f", 10, "/", 20, "4+7"),
        (16, "EP01_08", 5, 9, 15, "1"),
        (9, "EP02_02f", 3, 3, 9, None),
        (24, "EP02_07", 30, 40, 50, "16"),
    )
    for clip, numbers in {
        "sub01/EP02_01f": range(46, 87),
        "sub04/EP12_01f": range(10, 21),
        "sub16/EP01_08": range(5, 16),
        "sub09/EP02_02f": range(3, 10),
        "sub24/EP02_07": range(30, 51),
    }.items():
        images(raw / clip, "img{}.jpg", numbers)
        images(cropped / clip, "reg_img{}.jpg", numbers)
    (raw / "sub01/EP02_01f/EP02_01f - Shortcut.lnk").write_bytes(b"L")
    for number in range(9, 16):
        (cropped / f"sub16/EP01_08/reg_img{number}.jpg").unlink()
    return root


def test_a_clip_is_its_row_and_its_images(tmp_path: Path) -> None:
    read = load_casme2(tree(tmp_path))
    clip = read.clips[0]
    assert (clip.dataset, clip.subject, clip.name) == ("CASME II", "sub01", "sub01/EP02_01f")
    assert (clip.rate, clip.zero) == (200.0, 46)
    (annotation,) = clip.annotations
    assert (annotation.onset, annotation.apex, annotation.offset) == (46, 59, 86)
    assert annotation.units.certain == (CodedUnit(4, "L"), CodedUnit(12))
    (label,) = clip.truth.labels
    assert (label.onset, label.apex, label.offset) == (0, 65 * MS, 200 * MS)
    assert (label.aus, label.kind) == ((4, 12), "expression")
    assert clip.shows((4, 7, 12)).tolist() == [True, False, True]
    # Only what the table names is known of: of AU25 it tells nothing, of AU7 that it was at rest.
    assert clip.truth.codes == (1, 4, 7, 12, 16)
    assert clip.truth.knows((7, 25, 45)).tolist() == [True, False, False]


def test_labels_are_on_the_clock_of_the_camera(tmp_path: Path) -> None:
    clip = load_casme2(tree(tmp_path)).clips[0]
    images(clip.folder, "img{}.jpg", range(40, 46))
    images(clip.folder, "img{}.jpg", range(87, 90))
    (clip,) = (c for c in load_casme2(tmp_path).clips if c.name == clip.name)
    camera = clip.camera()
    stamps = np.array([frame.stamp for frame in camera])
    active = frame_truth(clip.truth, stamps, (4,))[:, 0]
    numbers = np.array(camera.numbers)
    assert np.array_equal(active, (numbers >= 46) & (numbers <= 86))


def test_quirks_are_named(tmp_path: Path) -> None:
    read = load_casme2(tree(tmp_path))
    assert [clip.name for clip in read.clips] == [
        "sub01/EP02_01f", "sub04/EP12_01f", "sub16/EP01_08", "sub24/EP02_07",
    ]  # fmt: skip
    assert read.clips[1].annotations[0].apex is None
    assert read.clips[1].truth.labels[0].apex == 25 * MS
    assert read.summary.lines() == [
        "CASME II: 4 clips of 4 people, by CASME2-coding-20140508.xlsx",
        "1 clip skipped: sub09/EP02_02f has no action units (CASME2-coding-20140508.xlsx, row 5, "
        "column 'Action Units')",
        "2 clips with a remark: sub01/EP02_01f: stray files left out (EP02_01f - Shortcut.lnk); "
        "sub04/EP12_01f: no apex, the middle 15 is taken",
    ]


def test_an_incomplete_crop_is_skipped(tmp_path: Path) -> None:
    read = load_casme2(tree(tmp_path), cropped=True)
    assert "sub16/EP01_08" not in [clip.name for clip in read.clips]
    assert read.summary.skipped["sub16/EP01_08"] == (
        "has images of 4 of its 11 labelled frames 5 to 15 (numbers 5 to 8)"
    )
    assert read.clips[0].camera().numbers[0] == 46


def test_clips_without_a_row_and_rows_without_a_clip_are_skipped(tmp_path: Path) -> None:
    casme2_table(
        tmp_path,
        (1, "EP02_01f", 1, 2, 3, "4"),
        (1, "EP02_01f", 1, 2, 3, "5"),
        (2, "EP99_99", 1, 2, 3, "4"),
        (3, "EP01_01", 9, 8, 7, "4"),
        (3, "EP01_02", "x", 8, 9, "4"),
        (3, "EP01_03", 1, 2, 3, "4 and 5"),
    )
    raw = tmp_path / "CASME2_RAW_selected" / "CASME2_RAW_selected"
    for name in ("sub01/EP02_01f", "sub09/EP02_02f", "sub24/EP02_07"):
        images(raw / name, "img{}.jpg", range(1, 4))
    images(raw / "sub03/EP01_01", "img{}.jpg", range(7, 10))
    (raw / "sub03/EP01_02").mkdir()
    (raw / "sub03/EP01_03").mkdir()
    summary = load("casme2", tmp_path).summary
    assert (summary.clips, summary.subjects) == (1, 1)
    file = "CASME2-coding-20140508.xlsx"
    assert summary.skipped == {
        "sub02/EP99_99": "has no folder of images",
        "sub03/EP01_01": f"ends at frame 7, before it begins at 9 ({file}, row 5)",
        "sub03/EP01_02": f"{file}, row 6, column 'OnsetFrame' holds 'x', not a number.",
        "sub03/EP01_03": f"cannot be read ({file}, row 7, column 'Action Units'): '4 and 5' is no "
        "list of action units: 'and 5' is not one.",
        "sub09/EP02_02f": "has no label",
        "sub24/EP02_07": "has no label",
    }
    assert summary.remarks == {"sub01/EP02_01f": ["row 3 is a second one of this clip, not used"]}


def test_the_newest_table_counts(tmp_path: Path) -> None:
    tree(tmp_path)
    casme2_table(tmp_path, (1, "EP02_01f", 46, 46, 86, "4"), name="20190701")
    read = load_casme2(tmp_path)
    assert read.summary.table.name == "CASME2-coding-20190701.xlsx"
    assert read.summary.remarks["sub01/EP02_01f"][0] == "apex and onset are both 46"


def test_columns_are_found_by_their_names(tmp_path: Path) -> None:
    # Without whole pictures the faces are taken.
    images(tmp_path / "Cropped/sub01/EP1", "reg_img{}.jpg", range(1, 4))
    file = tmp_path / "CASME2-coding-updated.xlsx"
    header = ("action units", "offset frame", "Apex_Frame", "Onset Frame", "FILENAME", "Subject")
    table(file, {"any": [("CASME II",), header, ("R1A", 3, 2, 1, "EP1", 1.0)]})
    (clip,) = load_casme2(tmp_path).clips
    assert clip.annotations[0].units.certain == (CodedUnit(1, "R", "A"),)


def test_what_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"There is no folder '.*nowhere'"):
        load_casme2(tmp_path / "nowhere")
    with pytest.raises(
        ValueError, match=r"no coding table of CASME II in .* 'CASME2-coding-20190701\.xlsx' or"
    ):
        load_casme2(tmp_path)
    file = tmp_path / "CASME2-coding-20140508.xlsx"
    file.write_text("no table")
    (tmp_path / "Cropped").mkdir()
    with pytest.raises(
        ValueError, match=r"no folder of images of CASME II .* 'CASME2_RAW_selected'"
    ):
        load_casme2(tmp_path, cropped=False)
    with pytest.raises(ValueError, match="is no Excel file that can be read"):
        load_casme2(tmp_path, cropped=True)
    table(file, {"Sheet1": [("Subject", "Filename", "OnsetFrame", "ApexFrame", "Offset")]})
    with pytest.raises(
        ValueError, match="no header with a column 'OffsetFrame' and 'Action Units'"
    ):
        load_casme2(tmp_path, cropped=True)
    with pytest.raises(ValueError, match="no data set 'casme9'; there are casme2, samm"):
        load("casme9", tmp_path)


def test_the_absence_of_openpyxl_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(RuntimeError, match="openpyxl, which is not installed: pip install"):
        load_casme2(tmp_path)
