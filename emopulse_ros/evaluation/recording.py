"""What came out of a run, kept for scoring and drawing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.facs import CODES
from emopulse_ros.stream import Activation, MicroExpression, Scalar


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """N activations of one run as columns, and its events.

    ``stamp``, ``sequence`` and ``face_id`` are ``(N,) int64``; ``probability`` and ``intensity``
    ``(N, A) float32`` with a column for each of ``codes``; ``attention`` ``(N,) float32``;
    ``latency_ms`` ``(N,) float32``, capture to answer, NaN where it was not measured.
    """

    codes: tuple[int, ...]
    stamp: NDArray[np.int64]
    sequence: NDArray[np.int64]
    face_id: NDArray[np.int64]
    probability: NDArray[np.float32]
    intensity: NDArray[np.float32]
    attention: NDArray[np.float32]
    latency_ms: NDArray[np.float32]
    events: tuple[MicroExpression, ...]

    @property
    def seconds(self) -> float:
        """From the first activation to the last."""
        return float(self.stamp[-1] - self.stamp[0]) / 1e9 if len(self.stamp) else 0.0

    def activations(self, model: str = "", model_hash: str = "") -> Iterator[Activation]:
        """The rows as the activations they were; which model said so is not in the columns."""
        for row in range(len(self.stamp)):
            yield Activation(
                stamp=int(self.stamp[row]),
                sequence=int(self.sequence[row]),
                face_id=int(self.face_id[row]),
                codes=self.codes,
                probability=self.probability[row],
                intensity=self.intensity[row],
                attention=float(self.attention[row]),
                model=model,
                model_hash=model_hash,
            )

    def alarms(self, thresholds: Mapping[int, float] | float = 0.5) -> NDArray[np.bool_]:
        """Which units are called active: ``(N, A) bool``; a code without a threshold has 0.5."""
        given = thresholds if isinstance(thresholds, Mapping) else dict.fromkeys(CODES, thresholds)
        level = np.array([given.get(code, 0.5) for code in self.codes], np.float32)
        called: NDArray[np.bool_] = self.probability >= level
        return called


class Recorder:
    """Gathers a run while it goes on; adding an activation keeps a reference and nothing more.

    ``pack_every`` so many activations they are made into columns, which take a quarter of the
    memory but some milliseconds: for runs that are not live.
    """

    def __init__(self, pack_every: int = sys.maxsize) -> None:
        self._pack_every = pack_every
        self._activations: list[Activation] = []
        self._latencies: list[float] = []
        self._events: list[MicroExpression] = []
        self._packed: list[Recording] = []

    def __len__(self) -> int:
        return len(self._activations) + sum(len(part.stamp) for part in self._packed)

    def add(self, activation: Activation, latency_ms: float = float("nan")) -> None:
        """Keep an activation and how long it took from capture."""
        self._activations.append(activation)
        self._latencies.append(latency_ms)
        if len(self._activations) >= self._pack_every:
            self._packed.append(self._columns())
            self._activations, self._latencies = [], []

    def add_event(self, event: MicroExpression | None) -> None:
        """Keep an event, if it is one."""
        if event is not None:
            self._events.append(event)

    def recording(self) -> Recording:
        """Return what was gathered so far as columns.

        :raises ValueError: if the action units changed midway.
        """
        parts = [*self._packed, self._columns()]
        parts = [part for part in parts if len(part.stamp)] or parts[-1:]
        if len({part.codes for part in parts}) > 1:
            raise ValueError("the action units changed midway: these are runs of two models")
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS
        }
        return Recording(codes=parts[0].codes, **columns, events=tuple(self._events))

    def _columns(self) -> Recording:
        items = self._activations[: len(self._latencies)]
        codes = items[0].codes if items else CODES
        empty = np.zeros((0, len(codes)), np.float32)
        return Recording(
            codes=codes,
            stamp=_column((item.stamp for item in items), np.int64),
            sequence=_column((item.sequence for item in items), np.int64),
            face_id=_column((item.face_id for item in items), np.int64),
            probability=np.array([item.probability for item in items]) if items else empty,
            intensity=np.array([item.intensity for item in items]) if items else empty,
            attention=_column((item.attention for item in items), np.float32),
            latency_ms=_column(self._latencies[: len(items)], np.float32),
            events=(),
        )


_COLUMNS = (
    "stamp", "sequence", "face_id", "probability", "intensity", "attention", "latency_ms",
)  # fmt: skip


def _column(values: Iterable[float], dtype: type[Scalar]) -> NDArray[Scalar]:
    return np.array(list(values), dtype)
