"""What is said of a run when it is over."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Ending:
    """Counts of a run; ``without`` says how many frames gave no activation, by reason.

    ``dropped`` frames were lost on the way, ``late`` face answers came too late to be used; None
    where neither can happen. ``notes`` are further sentences worth saying.
    """

    frames: int = 0
    activations: int = 0
    events: int = 0
    dropped: int | None = None
    late: int | None = None
    without: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The counts in words; a run without any activation says why in one line."""
        reasons = ", ".join(f"{reason} ({count})" for reason, count in self.without.most_common())
        if not self.frames:
            return ["no frame came from the camera"]
        if not self.activations:
            return [f"no activation in {self.frames} frames: {reasons or 'no reason was given'}"]
        counts = [
            f"{self.frames} frames",
            f"{self.activations} activations",
            f"{self.events} events",
        ]
        if self.dropped is not None:
            counts.append(f"{self.dropped} frames dropped")
        if self.late is not None:
            counts.append(f"{self.late} face answers late")
        told = [f"frames without an activation: {reasons}"] if reasons else []
        return [", ".join(counts), *told, *self.notes]
