"""Micro-expressions out of activations: when a brief movement began, peaked and ended.

Each unit has two thresholds. Its *run* is a stretch above the lower one, small gaps bridged, that
reaches the upper one: so it begins where the probability last rose through the lower threshold
before the alarm, and ends where it fell through it after. Runs of one face that overlap are one
event. All lengths are in milliseconds of capture stamps, so any frame rate works.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.detection.speech import BEFORE, CLEAR, Mouth
from emopulse_ros.facs import BLINK
from emopulse_ros.stream import Activation, MicroExpression, read_only

MILLISECOND = 1_000_000


class EventFinder:
    """The last stage: activations in, a micro-expression out on the frame where its end is known.

    ``thresholds`` are the probabilities at which a unit is taken as active: one for all, or one
    per FACS code (0.5 for a code it lacks); ``leave`` times that is the lower threshold. A unit
    may fall below it for ``bridge_ms`` within one run. A run begins at most ``rise_ms`` before its
    alarm: the rise of a micro-expression takes less than 260 ms (Yan et al., 2013), and an onset
    further back would be drift.

    An event is seen for ``shortest_ms`` to ``longest_ms``, which is less than the 500 ms that it
    may last: its thresholds are crossed 25 ms closer together in the median, and 70 for one in ten,
    than it begins and ends. What is seen longer is a macro-expression and is not told; the units
    that made it are ignored until they fall. A unit that shows for less than ``shortest_ms`` is
    noise and no part of an event. Blinks (AU45) are neither event nor part. The events of one face
    never overlap.

    A mouth that moves again and again speaks. So an event of mouth units, alone or with lids,
    cheeks and nose, is held back until the mouth has rested for ``speech_ms``; if it moves again
    before that, the one movement and the other are speech, and no mouth unit is an event or part of
    one until the mouth has rested, nor one of lids, cheeks and nose, whose skin it draws along.
    Other events do not wait, and may be told before an earlier one of the mouth. And where an event
    of a mouth unit comes out of a mouth that was at work, without a rest of which runs would tell,
    those units are no part of it. 0 switches both off.

    The apex is where the members' summed excess over their lower thresholds, weighted by intensity
    where the model gives one, is highest. ``confidence`` is the probability of the most probable
    member, averaged over ``shortest_ms`` around the apex, so that one frame of noise counts little.
    An event of less than ``least_confidence`` is not told: frames call a unit active from the
    threshold that suits frames best, which for the rare ones lies low.

    A face that is lost (new ``face_id``, or no activation for ``gap_ms``) ends the event if all
    its units had fallen; an event still under way is dropped, for nobody knows how long it lasted.
    One that was held back is told, unless another ends on the same frame.
    """

    def __init__(
        self,
        thresholds: Mapping[int, float] | float = 0.5,
        *,
        leave: float = 0.5,
        bridge_ms: float = 25.0,
        rise_ms: float = 200.0,
        shortest_ms: float = 25.0,
        longest_ms: float = 440.0,
        gap_ms: float = 60.0,
        speech_ms: float = 250.0,
        least_confidence: float = 0.75,
    ) -> None:
        """Set the rules.

        :raises ValueError: if a threshold is outside 0 to 1, or the lengths contradict each other.
        """
        levels = thresholds.values() if isinstance(thresholds, Mapping) else [thresholds]
        in_range = 0.0 < leave <= 1.0 and 0.0 <= least_confidence < 1.0
        if not all(0.0 < level < 1.0 for level in levels) or not in_range:
            raise ValueError(
                "event thresholds must lie between 0 and 1, leave in (0, 1], least_confidence in "
                f"[0, 1): got {thresholds}, leave={leave}, {least_confidence}"
            )
        others = (bridge_ms, rise_ms, gap_ms, speech_ms)
        if not 1.0 <= shortest_ms <= longest_ms or min(others) < 0.0:
            raise ValueError(
                "event lengths must satisfy 1 <= shortest_ms <= longest_ms, and bridge_ms, "
                f"rise_ms, gap_ms, speech_ms >= 0: got {shortest_ms}, {longest_ms}, "
                f"{', '.join(map(str, others))}"
            )
        self._thresholds = thresholds
        self._leave_ratio = leave
        self._least = least_confidence
        self._bridge, self._rise, self._gap, self._speech, self._shortest, self._longest = (
            round(length * MILLISECOND) for length in (*others, shortest_ms, longest_ms)
        )
        self._latest: Activation | None = None
        self._held: MicroExpression | None = None  # Waits until the mouth has rested.
        self._history: deque[Activation] = deque()
        self._begin(())

    def __call__(self, activation: Activation) -> MicroExpression | None:
        """Take the next activation; return the event whose end it made known, if any."""
        event = None
        if self._is_cut_by(activation):
            event = self.flush()
            self._begin(activation.codes)
        self._remember(activation)
        self._follow_runs(activation)
        self._latest = activation
        live = self._alarmed & ~self._spent
        if self._mouth.listen(activation.stamp, live, self._start, self._last):
            self._held = None
            self._member &= ~self._mouth.spoken
        if self._mouth.speaking:
            live &= ~self._mouth.spoken
        if live.any():
            self._extend_event(live)
        elif self._member.any():
            event = self._held_back(self._close_event())
        return event or self._release(activation)

    def flush(self) -> MicroExpression | None:
        """End the stretch; return the open event if all its units have already fallen."""
        event, latest = None, self._latest
        if latest is not None:
            live = self._alarmed & self._member
            if self._member.any() and np.all(self._last[live] < latest.stamp):
                event = self._close_event()
            if event is None and self._held is not None:
                event = replace(self._held, stamp=latest.stamp, sequence=latest.sequence)
        self._latest = None
        self._begin(())
        return event

    def _begin(self, codes: tuple[int, ...]) -> None:
        """Forget everything and expect activations of these units."""
        count = len(codes)
        given = self._thresholds
        self._enter = np.array(
            [given.get(code, 0.5) if isinstance(given, Mapping) else given for code in codes],
            np.float32,
        )
        self._leave = self._enter * np.float32(self._leave_ratio)
        self._blink = np.array([code == BLINK for code in codes], np.bool_)
        self._leave[self._blink] = np.inf
        self._running = np.zeros(count, np.bool_)  # Above the lower threshold, or bridging.
        self._alarmed = np.zeros(count, np.bool_)  # ... and has reached the upper one.
        self._spent = np.zeros(count, np.bool_)  # ... and belongs to a macro-expression.
        self._start = np.zeros(count, np.int64)  # Stamp of the first frame of the run,
        self._last = np.zeros(count, np.int64)  # and of the last one above the threshold.
        self._member = np.zeros(count, np.bool_)  # Part of the open event,
        self._onset = np.zeros(count, np.int64)  # from here
        self._offset = np.zeros(count, np.int64)  # to here.
        self._told_until: int | None = None
        self._mouth = Mouth(codes, self._speech, self._shortest, self._longest)
        self._held = None
        self._history.clear()

    def _is_cut_by(self, activation: Activation) -> bool:
        latest = self._latest
        return (
            latest is None
            or activation.face_id != latest.face_id
            or activation.codes != latest.codes
            or not 0 < activation.stamp - latest.stamp <= self._gap
        )

    def _remember(self, activation: Activation) -> None:
        history = self._history
        # One a millisecond is enough, and bounds the memory whatever the stamps are.
        if not history or activation.stamp - history[-1].stamp >= MILLISECOND:
            history.append(activation)
        oldest = activation.stamp - self._longest - self._bridge - self._gap - BEFORE
        while history[0].stamp < oldest:
            history.popleft()

    def _follow_runs(self, activation: Activation) -> None:
        above = activation.probability >= self._leave
        running = self._running
        if not (above.any() or running.any()):
            return
        now = activation.stamp
        before = now if self._latest is None else self._latest.stamp
        # A unit above the threshold on both sides of a few dropped frames has not been below it.
        unbroken = above & (self._last == before)
        running &= (now - self._last <= self._bridge) | unbroken
        self._alarmed &= running
        self._spent &= running
        np.copyto(self._start, now, where=above & ~running)
        running |= above
        np.copyto(self._last, now, where=above)
        waiting = running & ~self._alarmed
        np.maximum(self._start, now - self._rise, out=self._start, where=waiting)
        self._alarmed |= above & (activation.probability >= self._enter)

    def _held_back(self, event: MicroExpression | None) -> MicroExpression | None:
        """The event, unless it must wait until the mouth has rested."""
        if event is None or not self._mouth.made(event.aus):
            return event
        self._held = event
        return None

    def _release(self, activation: Activation) -> MicroExpression | None:
        """The event that was held back, if the mouth has rested since."""
        held = self._held
        if held is None or not self._mouth.has_rested(activation.stamp):
            return None
        self._held = None
        return replace(held, stamp=activation.stamp, sequence=activation.sequence)

    def _extend_event(self, live: NDArray[np.bool_]) -> None:
        np.copyto(self._onset, self._start, where=live & ~self._member)
        self._member |= live
        np.copyto(self._offset, self._last, where=live)
        if self._told_until is not None:
            np.maximum(self._onset, self._told_until, out=self._onset)
        if self._offset[self._member].max() - self._onset[self._member].min() > self._longest:
            self._spent |= live
            self._end_event()

    def _came_out_of_speech(self, onset: int) -> bool:
        before = [
            item.probability
            for item in self._history
            if onset - BEFORE <= item.stamp < onset - CLEAR
        ]
        return bool(before) and self._mouth.was_at_work(np.array(before))

    def _end_event(self) -> None:
        self._told_until = int(self._offset[self._member].max())
        self._member[:] = False

    def _close_event(self) -> MicroExpression | None:
        """Make the open event known, unless it was too brief or doubtful; none is open then."""
        latest = self._latest
        assert latest is not None
        part = np.flatnonzero(self._member & (self._offset - self._onset >= self._shortest))
        self._end_event()
        if self._mouth.units[part].any() and self._came_out_of_speech(self._onset[part].min()):
            part = part[~self._mouth.spoken[part]]
        if part.size == 0:
            return None
        onset, offset = int(self._onset[part].min()), int(self._offset[part].max())
        shown = [item for item in self._history if onset <= item.stamp <= offset]
        stamps = np.array([item.stamp for item in shown], np.int64)
        onset = int(stamps[0])  # A rise that was cut off began between two frames.
        probability = np.array([item.probability[part] for item in shown], np.float32)
        intensity = np.array([item.intensity[part] for item in shown], np.float32)
        excess = np.maximum(probability - self._leave[part], 0.0)
        height = (excess * intensity if intensity.any() else excess).sum(axis=1)
        # Probabilities saturate: the apex is the middle of a plateau, not its first frame.
        plateau = np.flatnonzero(height >= height.max() * 0.999)
        apex = shown[plateau[plateau.size // 2]].stamp
        around = np.abs(stamps - apex) <= self._shortest // 2
        confidence = float(probability[around].mean(axis=0).max())
        aus = tuple(latest.codes[index] for index in part)
        if confidence < self._least:
            return None
        return MicroExpression(
            stamp=latest.stamp,
            sequence=latest.sequence,
            face_id=latest.face_id,
            onset=onset,
            apex=apex,
            offset=offset,
            aus=aus,
            peak_probability=read_only(probability.max(axis=0)),
            confidence=confidence,
            frame_id=latest.frame_id,
        )
