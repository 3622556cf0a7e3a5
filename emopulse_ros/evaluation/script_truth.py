"""The truth of a synthetic face: the script that moved it, on the clock of the stream.

The script's time 0 falls on stamp ``origin``: 0 for a camera read as it is, the moment it was
started for one that is paced.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, takewhile

from emopulse_ros.evaluation.truth import Kind, Label, Truth
from emopulse_ros.synthesis.script import Script

_OTHER: dict[str, Kind] = {"blink": "blink", "speech": "speech"}


def truth_of(script: Script, origin: int = 0, until: int | None = None) -> Truth:
    """All that a script says; of one that repeats, what begins until stamp ``until``.

    Without ``until`` only the first round counts.
    """
    end = origin + script.duration if until is None else until
    return Truth(tuple(takewhile(lambda label: label.onset <= end, labels_of(script, origin))))


def labels_of(script: Script, origin: int = 0) -> Iterator[Label]:
    """The movements of a script one after the other, without end if it repeats."""
    for number in count() if script.repeats and script.movements else range(1):
        start = origin + number * script.duration
        for movement in script.movements:
            yield Label(
                start + movement.onset,
                start + movement.apex,
                start + movement.offset,
                movement.aus,
                _OTHER.get(movement.kind, "expression"),
            )
