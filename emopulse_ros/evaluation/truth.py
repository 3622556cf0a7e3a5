"""What really happened in a recording: stretches in which units moved, as they were labelled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.facs import BLINK, CODES, in_order
from emopulse_ros.stream import MicroExpression

LONGEST = 500_000_000
"""A facial expression longer than this, in ns, is no micro-expression (Yan et al., 2013)."""

Kind = Literal["expression", "blink", "speech"]
"""Why units moved. What is neither blink nor speech is an expression; its length tells which."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch in which units moved: stamps in ns, FACS codes in the order of the list."""

    onset: int
    apex: int
    offset: int
    aus: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Label(Span):
    """A stretch that was labelled; stamps in ns on the clock of the recording's frames."""

    kind: Kind = "expression"


@dataclass(frozen=True, slots=True)
class Truth:
    """All that was labelled in one recording, in the order of onsets.

    ``codes`` are the units the labels would tell of: where one of them is not labelled, it was at
    rest. Of any other unit nothing is known, and nothing about it is scored. None: all there are.
    """

    labels: tuple[Label, ...]
    codes: tuple[int, ...] | None = None

    def knows(self, codes: Sequence[int]) -> NDArray[np.bool_]:
        """Of which of these units it is known whether they moved: ``(len(codes),) bool``."""
        return np.array([self.codes is None or code in self.codes for code in codes], np.bool_)


def span_of(event: MicroExpression) -> Span:
    """The stretch of an event that was found, for comparison with the truth."""
    return Span(event.onset, event.apex, event.offset, event.aus)


def frame_truth(
    truth: Truth,
    stamps: Sequence[int] | NDArray[np.int64],
    codes: tuple[int, ...] = CODES,
) -> NDArray[np.bool_]:
    """Which units are between onset and offset at each stamp: ``(N, len(codes)) bool``.

    A code without a label is never active.
    """
    times = np.asarray(stamps, np.int64)
    active = np.zeros((len(times), len(codes)), np.bool_)
    for label in truth.labels:
        within = (times >= label.onset) & (times <= label.offset)
        for code in label.aus:
            if code in codes:
                active[within, codes.index(code)] = True
    return active


def event_truth(truth: Truth) -> tuple[Span, ...]:
    """The micro-expressions among the labels, in order.

    As in the event stage, movements that overlap in time are one, blinks and speech are none, and
    what lasts longer than 500 ms is a macro-expression.
    """
    expressions = merge(
        Span(label.onset, label.apex, label.offset, tuple(a for a in label.aus if a != BLINK))
        for label in truth.labels
        if label.kind == "expression"
    )
    return tuple(span for span in expressions if span.offset - span.onset <= LONGEST)


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Join spans that overlap or touch; the apex is that of the longest one joined."""
    groups: list[list[Span]] = []
    end = 0
    for span in sorted(spans, key=lambda span: (span.onset, span.offset)):
        if groups and span.onset <= end:
            groups[-1].append(span)
            end = max(end, span.offset)
        else:
            groups.append([span])
            end = span.offset
    return tuple(_join(group) for group in groups)


def _join(group: list[Span]) -> Span:
    longest = max(group, key=lambda span: span.offset - span.onset)
    return Span(
        min(span.onset for span in group),
        longest.apex,
        max(span.offset for span in group),
        in_order(code for span in group for code in span.aus),
    )
