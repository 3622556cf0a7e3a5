"""Data sets of long videos with any number of movements: rows of the table, a folder a video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from emopulse_ros.camera.numbered import NumberedImages
from emopulse_ros.camera.source import CameraError
from emopulse_ros.evaluation.datasets.clip import Annotation, LabelledSet, Summary
from emopulse_ros.evaluation.datasets.coding import Row
from emopulse_ros.evaluation.datasets.layout import (
    Layout,
    checked,
    images_of,
    remark_stray,
    together,
)
from emopulse_ros.evaluation.datasets.row_units import coded_units, units_in


def long_clips(
    plan: Layout,
    rows: Sequence[tuple[str, str, Row]],
    folders: Mapping[str, Path],
    table: Path,
) -> LabelledSet:
    """Bring the rows of a table and the folders of images together.

    ``rows`` are (name of the video, subject, row), ``folders`` all there are, by name of the video.
    Labels count the frames of a video from 1. A video one of whose rows cannot be read is skipped
    whole, since what is not labelled in it counts as rest. One without a row is skipped, too: it
    is not told whether nothing happens in it or nobody looked.
    """
    summary = Summary(plan.dataset, table)
    coded = coded_units((row for _, _, row in rows), plan.units)
    by_video: dict[str, list[Row]] = {}
    people: dict[str, str] = {}
    for name, subject, row in rows:
        by_video.setdefault(name, []).append(row)
        people[name] = subject
    clips = []
    for name, labels in by_video.items():
        try:
            as_labelled = [_annotation(plan, row) for row in labels]
            images = images_of(folders, name)
        except (ValueError, CameraError) as error:
            summary.skip(name, str(error))
            continue
        placed = _on_images(as_labelled, images, summary, name)
        remark_stray(summary, name, images)
        clips.append(plan.clip(people[name], name, images, placed, coded))
    return together(summary, clips, folders, by_video)


def _annotation(plan: Layout, row: Row) -> Annotation:
    """One row, in the numbers of the table, which count from 1: 0 says that it is not known."""
    onset, apex, offset = (
        number if (number := row.frame(column)) is not None and number > 0 else None
        for column in (plan.onset, plan.apex, plan.offset)
    )
    return checked(Annotation(onset, apex, offset, units_in(row, plan.units)), row)


def _on_images(
    as_labelled: Sequence[Annotation], images: NumberedImages, summary: Summary, name: str
) -> tuple[Annotation, ...]:
    """The annotations in the numbers of the images, cut where these end."""
    # Names that count from 0 are one behind the labels.
    less, end = (1 if images.numbers[0] == 0 else 0), images.numbers[-1]
    placed = []
    for one in as_labelled:
        first, _, last = one.extent
        if first - less > end:
            summary.remark(name, f"label {first} to {last} is after the last image {end}, left out")
            continue
        if last - less > end:
            summary.remark(name, f"label {first} to {last} is cut at the last image {end}")
        if not one.units.certain and not one.units.undecided:
            summary.remark(name, f"label {first} to {last} names no units")
        onset, apex, offset = (
            None if number is None else number - less
            for number in (one.onset, one.apex, one.offset)
        )
        moved = Annotation(
            onset,
            min(apex, end) if apex is not None and offset is None else apex,
            None if offset is None else min(offset, end),
            one.units,
        )
        summary.remark(name, *moved.remarks())
        placed.append(moved)
    return tuple(placed)
