"""Cross-validation by people or by data sets, scores pooled over folds, and no leak between parts.

Folds are by whom a clip shows, not by the clip: a network that has seen a face knows it again.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emopulse_ros.evaluation.metrics import Counts, count, mean

CD6ME_CODES: tuple[int, ...] = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17)
"""The units of the cross-data-set protocol CD6ME (Varanka et al., 2023)."""


class Sample(Protocol):
    """What a fold is made of: a clip that says whom it shows.

    Samples of the same ``people`` show the same person under the same ``subject``, also if they
    are from two data sets.
    """

    @property
    def people(self) -> str: ...

    @property
    def subject(self) -> str: ...


S = TypeVar("S", bound=Sample)
Key = Callable[[Sample], Hashable]


class LeakError(ValueError):
    """A sample of the test part came where it may not be; its text is one sentence."""


def person(sample: Sample) -> tuple[str, str]:
    """Whom a sample shows."""
    return sample.people, sample.subject


def population(sample: Sample) -> str:
    """The people among whom that person is."""
    return sample.people


class Fold(Generic[S]):
    """One fold: what is left out for the test, and the rest for training and selection.

    ``left_out`` is the value of ``key`` all test samples have. :meth:`admit` is the guard: let
    every list of samples that goes into training or into a choice (of a threshold, of when to
    stop, of a hyperparameter) pass through it.

    :raises ValueError: if one of the parts is empty.
    """

    def __init__(self, left_out: Hashable, samples: Sequence[S], key: Key) -> None:
        self.left_out = left_out
        self._key = key
        self.test: tuple[S, ...] = tuple(s for s in samples if key(s) == left_out)
        self._rest: tuple[S, ...] = tuple(s for s in samples if key(s) != left_out)
        if not self.test or not self._rest:
            empty = "training" if self.test else "test"
            raise ValueError(
                f"The fold that leaves out {_named(left_out)} has no sample for the {empty}; "
                f"the samples show {', '.join(sorted({_named(key(s)) for s in samples}))}."
            )

    def training(self) -> tuple[S, ...]:
        """All that is not left out."""
        return self.admit(self._rest, "training")

    def split(self, share: float = 0.2, seed: int = 0) -> tuple[tuple[S, ...], tuple[S, ...]]:
        """Training and selection part of what is not left out; nobody is in both.

        About ``share`` of the persons, at least one, are for the selection; ``seed`` draws them.

        :raises ValueError: if the share is not between 0 and 1, or there are fewer than 2 persons.
        """
        if not 0.0 < share < 1.0:
            raise ValueError(f"The share for selection is {share}; it must be between 0 and 1.")
        persons = sorted({person(sample) for sample in self._rest})
        if len(persons) < 2:
            raise ValueError(
                f"The fold that leaves out {_named(self.left_out)} has one person for training; "
                "a selection takes two or more."
            )
        order = np.random.default_rng(seed).permutation(len(persons))
        taken = min(max(1, round(share * len(persons))), len(persons) - 1)
        chosen = {persons[index] for index in order[:taken]}
        training = [sample for sample in self._rest if person(sample) not in chosen]
        selection = [sample for sample in self._rest if person(sample) in chosen]
        return self.admit(training, "training"), self.admit(selection, "selection")

    def admit(self, samples: Iterable[S], use: str) -> tuple[S, ...]:
        """Return the samples, which are for ``use`` (training, selection), if they may be used so.

        :raises LeakError: if one of them shows someone who is left out for the test.
        """
        passed = tuple(samples)
        persons = {person(sample) for sample in self.test}
        for sample in passed:
            if self._key(sample) == self.left_out or person(sample) in persons:
                raise LeakError(
                    f"A sample of {' '.join(person(sample))} came into the {use} of the fold that "
                    f"leaves out {_named(self.left_out)}; use only what the fold hands out."
                )
        return passed


def leave_one_subject_out(samples: Sequence[S]) -> list[Fold[S]]:
    """A fold for each person, in order; the same person from two data sets is one.

    :raises ValueError: if there are fewer than two persons.
    """
    return [Fold(who, samples, person) for who in sorted({person(s) for s in samples})]


def leave_one_data_set_out(samples: Sequence[S]) -> list[Fold[S]]:
    """A fold for each data set, in order; data sets of the same people are left out together.

    :raises ValueError: if there are fewer than two.
    """
    return [Fold(who, samples, population) for who in sorted({population(s) for s in samples})]


@dataclass(frozen=True, slots=True, eq=False)
class PooledScores:
    """F1 of counts added over folds, ``(A,) float64`` for each of ``codes``; NaN where undefined.

    ``f1`` is that of "active", ``macro_f1`` its mean with that of "not active".
    """

    codes: tuple[int, ...]
    f1: NDArray[np.float64]
    macro_f1: NDArray[np.float64]

    @property
    def mean_f1(self) -> float:
        """Mean over the units that have one."""
        return mean(self.f1)

    @property
    def mean_macro_f1(self) -> float:
        """Mean over the units that have one."""
        return mean(self.macro_f1)


def pooled(folds: Iterable[Counts]) -> Counts:
    """The counts of all folds together.

    :raises ValueError: if there is none.
    """
    every = list(folds)
    if not every:
        raise ValueError("There is no fold to score.")
    return reduce(operator.add, every)


def pooled_scores(codes: Sequence[int], folds: Iterable[Counts]) -> PooledScores:
    """Score the counts of all folds together, which have a column for each of ``codes``."""
    total = pooled(folds)
    return PooledScores(tuple(codes), total.f1, total.macro_f1)


def count_known(truth: ArrayLike, predicted: ArrayLike, known: ArrayLike) -> Counts:
    """Count the agreements of two ``(N, A) bool`` arrays where ``known``, likewise, is true.

    :raises ValueError: if their shapes differ.
    """
    true, said, sure = (np.asarray(array, np.bool_) for array in (truth, predicted, known))
    if sure.shape != true.shape:
        raise ValueError(f"what is known must be {true.shape} like the truth: got {sure.shape}")
    # What agrees in "not active" where nothing is known is taken out again.
    counts = count(true & sure, said & sure)
    return Counts(counts.tp, counts.fp, counts.fn, counts.tn - (~sure).sum(axis=0))


def always_active(truth: ArrayLike, known: ArrayLike) -> Counts:
    """The constant baseline: what comes of calling every unit active always."""
    return count_known(truth, np.ones_like(np.asarray(truth, np.bool_)), known)


def _named(left_out: Hashable) -> str:
    return " ".join(map(str, left_out)) if isinstance(left_out, tuple) else str(left_out)
