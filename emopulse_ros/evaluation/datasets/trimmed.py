"""Data sets whose clips are cut to one movement each: a row of the table, a folder of images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from emopulse_ros.camera.numbered import NumberedImages
from emopulse_ros.camera.source import CameraError
from emopulse_ros.evaluation.datasets.clip import Annotation, LabelledClip, LabelledSet, Summary
from emopulse_ros.evaluation.datasets.coding import Row, read_table
from emopulse_ros.evaluation.datasets.layout import (
    Layout,
    checked,
    images_of,
    remark_stray,
    together,
)
from emopulse_ros.evaluation.datasets.row_units import coded_units, units_in
from emopulse_ros.evaluation.datasets.tree import folders

RemarkOn = Callable[[str, NumberedImages], list[str]]
"""What else is odd about the images of a subject, in words."""


def subject_rows(table: Path, plan: Layout, named: str) -> list[tuple[str, str, Row]]:
    """The rows of a table by subject and file name: (name of the clip, subject, row).

    ``named`` is how the folder of a subject is called: a format such as ``sub{:02d}``.
    """
    rows = []
    for row in read_table(table, ("Subject", "Filename", *plan.columns)):
        subject = named.format(row.whole("Subject"))
        rows.append((f"{subject}/{row.text('Filename')}", subject, row))
    return rows


def subject_folders(subjects: Iterable[Path]) -> dict[str, Path]:
    """The folders of clips inside those of the subjects, by name of the clip."""
    return {
        f"{subject.name}/{clip.name}": clip for subject in subjects for clip in folders(subject)
    }


def trimmed_clips(
    plan: Layout,
    rows: Sequence[tuple[str, str, Row]],
    clip_folders: Mapping[str, Path],
    table: Path,
    remark_on: RemarkOn = lambda _, __: [],
) -> LabelledSet:
    """Bring the rows of a table and the folders of images together.

    ``rows`` are (name of the clip, subject, row), ``clip_folders`` are all there are, by name of
    the clip. Whatever does not come together is skipped and told in the summary.
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
            images = images_of(clip_folders, name)
            annotation, moved = _on_images(annotation, images)
        except (ValueError, CameraError) as error:
            summary.skip(name, str(error))
            continue
        summary.remark(name, *moved, *annotation.remarks(), *remark_on(subject, images))
        remark_stray(summary, name, images)
        clips[name] = plan.clip(subject, name, images, [annotation], coded)
    return together(summary, clips.values(), clip_folders, [name for name, _, _ in rows])


def _annotation(plan: Layout, row: Row) -> Annotation:
    units = units_in(row, plan.units)
    if not units.certain and not units.undecided:
        raise ValueError(f"has no action units ({row.place(plan.units)})")
    onset, offset = row.whole(plan.onset), row.whole(plan.offset)
    return checked(Annotation(onset, row.frame(plan.apex), offset, units), row)


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
