"""What came out of a run so far, gathered beside it.

The stream's thread only appends to a queue. Everything else, counting included, is done by whoever
reads, some ten times a second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.console.truth_marks import TruthMarks
from emopulse_ros.facs import CODES
from emopulse_ros.stream import Activation, MicroExpression
from emopulse_ros.view.one_face import OneFace
from emopulse_ros.view.viewer import Viewer

Sink = Callable[[Activation, float], None]
"""What takes an activation and its latency in ms: a recorder, a CSV file."""

Item = TypeVar("Item")
EventSink = Callable[[MicroExpression], None]

SECOND = 1_000_000_000
HOLD_NS = 300_000_000
"""How long a peak or a truth mark stays lit: a micro-expression may last less than one redraw."""
WINDOW = 1000
"""Latencies and wall times looked back upon: 5 s at 200 frames per second."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One moment of a run, for a person. ``rate`` is that of the face that is shown.

    ``probability``, ``peak`` (highest of the last 300 ms), ``threshold`` are ``(A,) float32``,
    ``truth`` ``(A,) bool`` or None where nobody knows; ``latency_ms`` is (median, p99) of the last
    5 s, NaN where not measured; ``events`` are the latest ones with the truth's verdict, "" where
    nobody knows. ``quiet_s`` is the wall time since the last activation.
    """

    elapsed: float
    count: int
    rate: float
    codes: tuple[int, ...]
    probability: NDArray[np.float32]
    peak: NDArray[np.float32]
    threshold: NDArray[np.float32]
    truth: NDArray[np.bool_] | None
    attention: tuple[float, ...]
    latency_ms: tuple[float, float]
    events: tuple[tuple[float, MicroExpression, str], ...]
    event_count: int
    quiet_s: float
    model: str


class Inbox:
    """Where the stream's thread leaves what came out; each call costs an append.

    A ``viewer`` is told at once, too.
    """

    def __init__(self, viewer: Viewer | None = None) -> None:
        self.viewer = viewer
        self.activations: deque[tuple[Activation, float]] = deque()
        self.events: deque[MicroExpression] = deque()

    def put(self, activation: Activation, latency_ms: float = float("nan")) -> None:
        """Leave an activation and its latency."""
        self.activations.append((activation, latency_ms))
        if self.viewer is not None:
            self.viewer.activation(activation, latency_ms)

    def put_event(self, event: MicroExpression) -> None:
        """Leave an event."""
        self.events.append(event)
        if self.viewer is not None:
            self.viewer.event(event)


class Tally:
    """Counts what lies in an inbox; everything here happens in the display's thread.

    Of several faces the one that came first is shown, until it has gone.
    """

    def __init__(
        self,
        inbox: Inbox,
        thresholds: Mapping[int, float] | float = 0.5,
        truth: TruthMarks | None = None,
        sinks: tuple[Sink, ...] = (),
        event_sinks: tuple[EventSink, ...] = (),
    ) -> None:
        self._inbox = inbox
        self._thresholds = thresholds
        self._truth = truth
        self._sinks, self._event_sinks = sinks, event_sinks
        self._recent: deque[Activation] = deque()
        self._latencies: deque[float] = deque(maxlen=WINDOW)
        self._attention: deque[float] = deque([0.0] * 60, maxlen=60)
        self._events: deque[tuple[float, MicroExpression, str]] = deque(maxlen=12)
        self._pace: deque[tuple[float, int]] = deque()
        self._begun: float | None = None
        self._last_seen = 0.0
        self._is_shown = OneFace()
        self._shown = 0
        """Activations of the face that is shown, and of those that were before it."""
        self.count = 0
        """Activations read so far."""
        self.event_count = 0
        """Events read so far."""
        self.first: Activation | None = None
        """The first activation, None before it."""

    def read(self, now: float) -> list[MicroExpression]:
        """Pass on what came since the last call; return the events. ``now`` in s, any clock."""
        if self._begun is None:
            self._begun = now
        before = self._shown
        for activation, latency_ms in _drain(self._inbox.activations):
            if self.first is None:
                self.first = activation
            if self._truth is not None:
                self._truth.see(activation)
            if self._is_shown(activation.face_id, activation.stamp):
                if self._recent and self._recent[-1].face_id != activation.face_id:
                    self._recent.clear()
                self._recent.append(activation)
                self._shown += 1
            self._latencies.append(latency_ms)
            for sink in self._sinks:
                sink(activation, latency_ms)
            self.count += 1
        if self._shown > before:
            self._last_seen = now
            fresh = list(self._recent)[before - self._shown :]
            self._attention.append(max(item.attention for item in fresh))
            oldest = self._recent[-1].stamp - HOLD_NS
            while self._recent[0].stamp < oldest:
                self._recent.popleft()
        self._pace.append((now, self._shown))
        while now - self._pace[0][0] > 2.0:
            self._pace.popleft()
        events = list(_drain(self._inbox.events))
        for event in events:
            self._note(event)
        return events

    def _note(self, event: MicroExpression) -> None:
        self.event_count += 1
        start = self.first.stamp if self.first is not None else event.onset
        if self._truth is not None and self._truth.origin is not None:
            start = self._truth.origin
        verdict = self._truth.verdict(event) if self._truth is not None else ""
        self._events.append(((event.onset - start) / SECOND, event, verdict))
        for sink in self._event_sinks:
            sink(event)

    def snapshot(self, now: float) -> Snapshot:
        """What a person should see of what was read so far."""
        recent = self._recent
        latest = recent[-1] if recent else None
        codes = latest.codes if latest else CODES
        nothing = np.zeros(len(codes), np.float32)
        given = self._thresholds
        level = [given.get(code, 0.5) if isinstance(given, Mapping) else given for code in codes]
        truth = None
        if self._truth is not None and latest is not None:
            truth = self._truth.active(codes, latest.stamp - HOLD_NS, latest.stamp)
        same = [item.probability for item in recent if latest and item.codes == latest.codes]
        (begun, first), (end, last) = self._pace[0], self._pace[-1]
        begun_at = now if self._begun is None else self._begun
        return Snapshot(
            elapsed=now - begun_at,
            count=self.count,
            rate=(last - first) / (end - begun) if end > begun else 0.0,
            codes=codes,
            probability=latest.probability if latest else nothing,
            peak=np.max(same, axis=0) if same else nothing,
            threshold=np.array(level, np.float32),
            truth=truth,
            attention=tuple(self._attention),
            latency_ms=_median_and_p99(self._latencies),
            events=tuple(self._events),
            event_count=self.event_count,
            quiet_s=now - (self._last_seen if self.count else begun_at),
            model=f"{latest.model} {latest.model_hash[:8]}".strip() if latest else "",
        )


def _drain(queue: deque[Item]) -> Iterator[Item]:
    while queue:
        yield queue.popleft()


def _median_and_p99(latencies: deque[float]) -> tuple[float, float]:
    known = np.array(latencies, np.float64)
    known = known[~np.isnan(known)]
    if not known.size:
        return float("nan"), float("nan")
    median, p99 = np.percentile(known, (50.0, 99.0))
    return float(median), float(p99)
