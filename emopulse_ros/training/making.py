"""All the clips of a run, made by several processes; what is there already is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emopulse_ros.evaluation.workers import workers
from emopulse_ros.training.clips import make_clips, portrait, rendered
from emopulse_ros.training.configuration import MORE, PARTS, PORTRAIT, ClipPlan
from emopulse_ros.training.identity import make_people
from emopulse_ros.training.scripts import Kind

SHARE = 25
"""Clips that a process makes before it says so."""

SYNTHESIS = "6"
"""Which synthesis clips are made by: whatever makes other clips of the same seeds raises it."""


@dataclass(frozen=True, slots=True)
class Share:
    """Some clips of one part from one source."""

    part: str
    source: str
    seeds: tuple[int, ...]
    kind: Kind = "natural"


def make_parts(plan: ClipPlan, folder: Path, face_kit: Path | None) -> None:
    """Make the clips that are not there yet, and say how far it is.

    Without a face kit nothing is rendered.
    :raises ValueError: if the folder holds clips that were made by another synthesis.
    """
    _sign(folder)
    shares = list(_shares(plan, with_rendered=face_kit is not None))
    started = time.monotonic()
    with workers(plan.processes) as pool:
        folders, kits = [folder] * len(shares), [face_kit] * len(shares)
        for number, _ in enumerate(pool.map(_make, shares, folders, kits), 1):
            left = (time.monotonic() - started) / number * (len(shares) - number)
            print(f"clips: {number} of {len(shares)} shares, {left / 60:.1f} min left", flush=True)


def _sign(folder: Path) -> None:
    """Write into the folder which synthesis its clips are of, or see that it is this one."""
    signature = folder / "synthesis.txt"
    if any(folder.glob("*/*.npz")):
        made_by = signature.read_text().strip() if signature.exists() else "unknown"
        if made_by != SYNTHESIS:
            raise ValueError(
                f"the clips in {folder} were made by another synthesis ({made_by}, not "
                f"{SYNTHESIS}): take them away, or give another folder (--clips)"
            )
    folder.mkdir(parents=True, exist_ok=True)
    signature.write_text(f"{SYNTHESIS}\n")


def _shares(plan: ClipPlan, *, with_rendered: bool) -> Iterator[Share]:
    counts: dict[str, tuple[Kind, int, int]] = {
        "validation": ("natural", plan.validation // 2, plan.validation // 2),
        "test": ("natural", plan.test // 2, plan.test // 2),
        "train": ("crowded", plan.rendered, plan.portrait),
    }
    for more in MORE:
        counts[more] = (more, getattr(plan, more), getattr(plan, more))
    if with_rendered:
        yield Share("people", "rendered", tuple(range(plan.people)))
    for part, (kind, of_kit, of_portrait) in counts.items():
        first = PARTS[part]
        if with_rendered:
            yield from _cut(part, "rendered", range(first, first + of_kit), kind)
        first += PORTRAIT
        yield from _cut(part, "portrait", range(first, first + of_portrait), kind)


def _cut(part: str, source: str, seeds: range, kind: Kind) -> Iterator[Share]:
    for start in range(0, len(seeds), SHARE):
        yield Share(part, source, tuple(seeds[start : start + SHARE]), kind)


def _make(share: Share, folder: Path, face_kit: Path | None) -> None:
    if share.source == "rendered" and face_kit:
        scenes = rendered(face_kit)
    else:
        # What is scored moves by the book, what is trained on in a manner of its own.
        scenes = portrait(mannered=share.kind != "natural")
    own = folder / share.part
    if share.part == "people":
        make_people(own, len(share.seeds), scenes)
    else:
        make_clips(own, list(share.seeds), scenes, share.source, share.kind)
