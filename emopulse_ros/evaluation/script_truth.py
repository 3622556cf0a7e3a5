"""The truth of a synthetic face: the script that moved it, on the clock of the stream."""

from __future__ import annotations

from emopulse_ros.evaluation.truth import Kind, Label, Truth
from emopulse_ros.synthesis.script import Script

_OTHER: dict[str, Kind] = {"blink": "blink", "speech": "speech"}


def truth_of(script: Script, origin: int = 0, until: int | None = None) -> Truth:
    """The movements of a script whose time 0 falls on stamp ``origin`` of the stream.

    ``origin`` is 0 for a camera read as it is, the moment it was started for one that is paced.
    A script that repeats is unrolled until stamp ``until``; without it only its first round counts.
    """
    rounds = 1
    if script.repeats and until is not None:
        rounds = max(1, -(-(until - origin) // script.duration))
    return Truth(
        tuple(
            Label(
                start + movement.onset,
                start + movement.apex,
                start + movement.offset,
                movement.aus,
                _OTHER.get(movement.kind, "expression"),
            )
            for start in range(origin, origin + rounds * script.duration, script.duration)
            for movement in script.movements
        )
    )
