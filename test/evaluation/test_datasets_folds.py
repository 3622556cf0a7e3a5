"""Clips of two data sets that show the same people, in folds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emopulse_ros.evaluation.datasets import load
from emopulse_ros.evaluation.datasets.clip import LabelledClip
from emopulse_ros.evaluation.protocol import (
    CD6ME_CODES,
    LeakError,
    always_active,
    leave_one_data_set_out,
    leave_one_subject_out,
)

from .trees import casme2_table, images, samm_long_table, samm_table


@pytest.fixture
def clips(tmp_path: Path) -> list[LabelledClip]:
    """Two people of CASME II, and two of SAMM in its clips and its long videos."""
    casme2, short, long = (tmp_path / name for name in ("casme2", "samm", "long"))
    casme2_table(casme2, (1, "EP1", 1, 2, 3, "4"), (2, "EP1", 1, 2, 3, "12"))
    samm_table(short, (6, "006_1_1", 1, 2, 3, "4"), (7, "007_1_1", 1, 2, 3, "R14 or 15"))
    samm_long_table(long, ("006_1_1", 1, 2, 3, "Micro - 1/2", "4"), edition=1)
    for folder in (
        casme2 / "CASME2_RAW_selected/sub01/EP1",
        casme2 / "CASME2_RAW_selected/sub02/EP1",
        short / "006/006_1_1",
        short / "007/007_1_1",
        long / "SAMM_longvideos/006_1",
    ):
        images(folder, "x_{:03d}.jpg", range(1, 4))
    return [
        clip
        for name, root in (("casme2", casme2), ("samm", short), ("samm-long", long))
        for clip in load(name, root).clips
    ]


def test_the_same_person_of_two_data_sets_is_one(clips: list[LabelledClip]) -> None:
    folds = leave_one_subject_out(clips)
    assert len(folds) == 4
    fold = next(fold for fold in folds if fold.left_out == ("SAMM", "006"))
    assert [clip.dataset for clip in fold.test] == ["SAMM", "SAMM Long Videos"]
    training, selection = fold.split(0.5)
    with pytest.raises(LeakError, match="A sample of SAMM 006 came into the selection"):
        fold.admit([*selection, clips[-1]], "selection")
    assert len(training) + len(selection) == 3


def test_data_sets_of_the_same_people_are_left_out_together(clips: list[LabelledClip]) -> None:
    folds = leave_one_data_set_out(clips)
    assert [fold.left_out for fold in folds] == ["CASME II", "SAMM"]
    assert len(folds[1].test) == 3


def test_clips_say_which_units_took_part_and_which_are_known(clips: list[LabelledClip]) -> None:
    truth = np.array([clip.shows(CD6ME_CODES) for clip in clips])
    known = np.array([clip.truth.knows(CD6ME_CODES) for clip in clips])
    counts = always_active(truth, known)
    # AU4 is told of in every clip and took part in three; of AU14 and AU15 the coder was not sure.
    four, fourteen = CD6ME_CODES.index(4), CD6ME_CODES.index(14)
    assert (counts.tp[four], counts.fp[four]) == (3, 2)
    assert (counts.tp[fourteen], counts.fp[fourteen]) == (0, 1)
