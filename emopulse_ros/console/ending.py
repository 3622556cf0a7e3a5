"""What is said of a run when it is over."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

WARMING_UP = "the model was warming up"


@dataclass(slots=True)
class Ending:
    """Counts of a run; ``without`` says how many frames gave no activation, by reason.

    ``dropped`` frames were lost on the way; ``late`` face answers came too late to be used.
    """

    frames: int = 0
    activations: int = 0
    events: int = 0
    dropped: int = 0
    late: int = 0
    without: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        """The counts in words; a run without any activation says why in one line."""
        reasons = ", ".join(f"{reason} ({count})" for reason, count in self.without.most_common())
        if not self.frames:
            return ["no frame came from the camera"]
        if not self.activations:
            return [f"no activation in {self.frames} frames: {reasons or 'no reason was given'}"]
        lines = [
            f"{self.frames} frames, {self.activations} activations, {self.events} events, "
            f"{self.dropped} frames dropped, {self.late} face answers late"
        ]
        if reasons:
            lines.append(f"frames without an activation: {reasons}")
        return lines
