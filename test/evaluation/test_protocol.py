"""Folds, the guard between their parts, and scores pooled over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emopulse_ros.evaluation.metrics import count
from emopulse_ros.evaluation.protocol import (
    CD6ME_CODES,
    Fold,
    LeakError,
    always_active,
    count_known,
    leave_one_data_set_out,
    leave_one_subject_out,
    person,
    pooled,
    pooled_scores,
    population,
)


@dataclass(frozen=True)
class Clip:
    people: str
    subject: str
    number: int = 0


CLIPS = [
    Clip("A", "01"), Clip("A", "02"), Clip("B", "01"), Clip("A", "01", 1), Clip("B", "02"),
    Clip("B", "03"), Clip("C", "01"),
]  # fmt: skip

clips = st.lists(
    st.builds(
        Clip, st.sampled_from("ABC"), st.sampled_from(["01", "02", "03"]), st.integers(0, 99)
    ),
    unique=True,
    max_size=20,
)


def test_one_person_is_left_out_at_a_time() -> None:
    folds = leave_one_subject_out(CLIPS)
    assert [fold.left_out for fold in folds] == [
        ("A", "01"), ("A", "02"), ("B", "01"), ("B", "02"), ("B", "03"), ("C", "01"),
    ]  # fmt: skip
    assert folds[0].test == (Clip("A", "01"), Clip("A", "01", 1))
    assert len(folds[0].training()) == 5


def test_one_data_set_is_left_out_at_a_time() -> None:
    folds = leave_one_data_set_out(CLIPS)
    assert [fold.left_out for fold in folds] == ["A", "B", "C"]
    assert {clip.people for clip in folds[1].training()} == {"A", "C"}


@given(clips, st.sampled_from([leave_one_subject_out, leave_one_data_set_out]), st.integers(0, 9))
def test_parts_of_a_fold_are_whole_and_share_nobody(
    samples: list[Clip], protocol: type, seed: int
) -> None:
    key = person if protocol is leave_one_subject_out else population
    if len({key(sample) for sample in samples}) < 2:
        if samples:
            with pytest.raises(ValueError, match="has no sample for the training"):
                protocol(samples)
        return
    folds = protocol(samples)
    assert sorted(map(str, (s for fold in folds for s in fold.test))) == sorted(map(str, samples))
    for fold in folds:
        assert {*fold.test, *fold.training()} == set(samples)
        parts = [fold.test, fold.training()]
        if len({person(sample) for sample in fold.training()}) > 1:
            parts = [fold.test, *fold.split(0.3, seed)]
            assert {*parts[1], *parts[2]} == set(fold.training())
        persons = [{person(sample) for sample in part} for part in parts]
        assert all(persons)
        assert sum(map(len, persons)) == len(set().union(*persons))


def test_the_selection_is_drawn_by_the_seed() -> None:
    fold = leave_one_subject_out(CLIPS)[0]
    assert fold.split(0.4, 3) == fold.split(0.4, 3)
    assert len({fold.split(0.4, seed) for seed in range(9)}) > 1
    assert len(fold.split(0.001)[1]) == 1
    assert len(fold.split(0.999)[0]) == 1


@pytest.mark.parametrize("use", ["training", "selection"])
def test_a_test_subject_that_reaches_training_or_selection_is_caught(use: str) -> None:
    fold = leave_one_subject_out(CLIPS)[0]
    training, selection = fold.split()
    fold.admit(training if use == "training" else selection, use)
    with pytest.raises(LeakError, match=rf"A sample of A 01 came into the {use} .* out A 01"):
        fold.admit([*training, fold.test[0]], use)
    # Also one that was never in the fold.
    with pytest.raises(LeakError, match=use):
        fold.admit([Clip("A", "01", 7)], use)


def test_anyone_of_a_test_data_set_is_caught() -> None:
    fold = leave_one_data_set_out(CLIPS)[0]
    with pytest.raises(LeakError, match="A sample of A 09 came into the training"):
        fold.admit([Clip("A", "09")], "training")


def test_folds_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match=r"leaves out D has no sample for the test; .* show A, B"):
        Fold("D", CLIPS, population)
    with pytest.raises(ValueError, match="leaves out A 01 has no sample for the training"):
        leave_one_subject_out([Clip("A", "01")])
    with pytest.raises(ValueError, match="one person for training; a selection takes two"):
        leave_one_subject_out([Clip("A", "01"), Clip("A", "02")])[0].split()
    with pytest.raises(ValueError, match=r"share for selection is 1\.0"):
        leave_one_subject_out(CLIPS)[0].split(1.0)


def arrays(rows: int) -> st.SearchStrategy[list[list[bool]]]:
    return st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=rows, max_size=rows)


@given(
    st.lists(
        st.integers(1, 6).flatmap(lambda n: st.tuples(arrays(n), arrays(n), arrays(n))),
        min_size=1,
        max_size=5,
    )
)
def test_pooled_counts_are_the_counts_of_all_folds_in_a_row(
    folds: list[tuple[list[list[bool]], list[list[bool]], list[list[bool]]]],
) -> None:
    each = pooled(count_known(*fold) for fold in folds)
    truth, said, known = (np.concatenate(part) for part in zip(*folds, strict=True))
    whole = count_known(truth, said, known)
    for unit in range(3):
        sure = known[:, unit]
        alone = count(truth[sure][:, unit : unit + 1], said[sure][:, unit : unit + 1])
        for name in ("tp", "fp", "fn", "tn"):
            assert getattr(each, name)[unit] == getattr(whole, name)[unit]
            assert getattr(each, name)[unit] == getattr(alone, name)[0]
    assert np.array_equal(each.f1, whole.f1, equal_nan=True)


def test_scores_are_taken_of_the_sum() -> None:
    good = count(np.ones((90, 1), bool), np.ones((90, 1), bool))
    bad = count(np.array([[True]] * 10 + [[False]] * 5), np.zeros((15, 1), bool))
    scores = pooled_scores((4,), [good, bad])
    assert scores.f1[0] == pytest.approx(180 / 190)
    assert scores.macro_f1[0] == pytest.approx((180 / 190 + 10 / 20) / 2)
    assert (scores.mean_f1, scores.mean_macro_f1) == (scores.f1[0], scores.macro_f1[0])
    with pytest.raises(ValueError, match="no fold to score"):
        pooled([])


def test_units_without_a_score_are_not_in_the_mean() -> None:
    truth = np.array([[1, 0], [0, 0]], bool)
    scores = pooled_scores((4, 12), [count(truth, truth)])
    assert np.isnan(scores.f1[1])
    assert scores.mean_f1 == 1.0


def test_what_is_not_known_is_not_counted() -> None:
    truth, said = np.array([[1], [0], [0]], bool), np.array([[0], [1], [0]], bool)
    counts = count_known(truth, said, np.array([[1], [0], [1]], bool))
    assert (counts.tp[0], counts.fp[0], counts.fn[0], counts.tn[0]) == (0, 0, 1, 1)
    with pytest.raises(ValueError, match=r"must be \(3, 1\)"):
        count_known(truth, said, np.ones((2, 1), bool))


def test_the_constant_baseline_calls_everything_active() -> None:
    truth = np.array([[1, 0], [0, 0], [0, 1], [0, 0]], bool)
    counts = always_active(truth, np.ones_like(truth))
    assert counts.f1 == pytest.approx([2 / 5, 2 / 5])
    assert counts.recall.tolist() == [1.0, 1.0]


def test_the_units_of_cd6me_are_twelve_in_order() -> None:
    assert len(CD6ME_CODES) == 12
    assert list(CD6ME_CODES) == sorted(set(CD6ME_CODES))
