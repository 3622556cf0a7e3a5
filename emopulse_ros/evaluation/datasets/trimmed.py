"""Data sets whose clips are cut to one movement each: a row of the table, a folder of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emopulse_ros.camera.numbered import NumberedImages, numbered_images
from emopulse_ros.camera.source import CameraError
from emopulse_ros.evaluation.datasets.clip import Annotation, LabelledClip, LabelledSet, Summary
from emopulse_ros.evaluation.datasets.coding import Row
from emopulse_ros.evaluation.datasets.row_units import coded_units, units_in

RemarkOn = Callable[[str, NumberedImages], list[str]]
"""What else is odd about the images of a subject, in words."""


@dataclass(frozen=True, slots=True)
class Trimmed:
    """How a data set of this kind is laid out: its name, frame rate, and the columns it has."""

    dataset: str
    rate: float
    onset: str
    apex: str
    offset: str
    units: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of the movement."""
        return self.onset, self.apex, self.offset, self.units


def trimmed_clips(
    plan: Trimmed,
    rows: Sequence[tuple[str, str, Row]],
    folders: Mapping[str, Path],
    table: Path,
    remark_on: RemarkOn = lambda _, __: [],
) -> LabelledSet:
    """Bring the rows of a table and the folders of images together.

    ``rows`` are (name of the clip, subject, row), ``folders`` all there are, by name of the clip.
    Whatever does not come together is skipped and told in the summary.
    """
    summary = Summary(plan.dataset, table)
    coded = coded_units((row for _, _, row in rows), plan.units)
    clips: dict[str, LabelledClip] = {}
    for name, subject, row in rows:
        if name in clips or name in summary.skipped:
            summary.remark(name, f"row {row.number} is a second one of this clip, not used")
            continue
        try:
            annotation = _annotation(plan, row)
            images = _images(folders.get(name))
            annotation, moved = _on_images(annotation, images)
        except (ValueError, CameraError) as error:
            summary.skip(name, str(error))
            continue
        summary.remark(name, *moved, *annotation.remarks(), *remark_on(subject, images))
        if images.stray:
            summary.remark(name, f"stray files left out ({', '.join(images.stray)})")
        clips[name] = LabelledClip(
            plan.dataset, plan.dataset, subject, name, images.folder, plan.rate,
            images.numbers[0], (annotation,), coded,
        )  # fmt: skip
    for name in sorted(folders.keys() - {name for name, _, _ in rows}):
        summary.skip(name, "has no label")
    summary.clips, summary.subjects = len(clips), len({c.subject for c in clips.values()})
    return LabelledSet(tuple(clips.values()), summary)


def _annotation(plan: Trimmed, row: Row) -> Annotation:
    units = units_in(row, plan.units)
    if not units.certain and not units.undecided:
        raise ValueError(f"has no action units ({row.place(plan.units)})")
    onset, offset = row.whole(plan.onset), row.whole(plan.offset)
    annotation = Annotation(onset, row.frame(plan.apex), offset, units)
    try:
        _ = annotation.extent
    except ValueError as error:
        raise ValueError(f"{error} ({row.file.name}, row {row.number})") from error
    return annotation


def _images(folder: Path | None) -> NumberedImages:
    if folder is None:
        raise ValueError("has no folder of images")
    return numbered_images(folder)


def _on_images(
    annotation: Annotation, images: NumberedImages
) -> tuple[Annotation, tuple[str, ...]]:
    """The annotation in the numbers of the images, with a remark if they are others.

    :raises ValueError: if images of the movement are missing.
    """
    first, _, last = annotation.extent
    labelled, numbers = last - first + 1, images.numbers
    present = sum(first <= number <= last for number in numbers)
    if present == labelled:
        return annotation, ()
    in_a_row = numbers[-1] - numbers[0] + 1 == len(numbers)
    if in_a_row and len(numbers) == labelled:
        by = numbers[0] - first
        moved = Annotation(
            first + by,
            None if annotation.apex is None else annotation.apex + by,
            last + by,
            annotation.units,
        )
        return moved, (f"images are numbered from {numbers[0]}, the label from {first}",)
    raise ValueError(
        f"has images of {present} of its {labelled} labelled frames {first} to {last} "
        f"(numbers {numbers[0]} to {numbers[-1]})"
    )
