"""Data sets of long videos with any number of movements: rows of the table, a folder a video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emopulse_ros.camera.numbered import NumberedImages, numbered_images
from emopulse_ros.camera.source import CameraError
from emopulse_ros.evaluation.datasets.clip import Annotation, LabelledClip, LabelledSet, Summary
from emopulse_ros.evaluation.datasets.coding import Row
from emopulse_ros.evaluation.datasets.row_units import coded_units, units_in


@dataclass(frozen=True, slots=True)
class LongVideos:
    """How a data set of this kind is laid out.

    Its name, the one of the set whose people it shows, its frame rate, and the columns it has.
    """

    dataset: str
    people: str
    rate: float
    onset: str
    apex: str
    offset: str
    units: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of a movement."""
        return self.onset, self.apex, self.offset, self.units


def long_clips(
    plan: LongVideos,
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
            if name not in folders:
                raise ValueError("has no folder of images")
            images = numbered_images(folders[name])
        except (ValueError, CameraError) as error:
            summary.skip(name, str(error))
            continue
        placed = _on_images(as_labelled, images, summary, name)
        if images.stray:
            summary.remark(name, f"stray files left out ({', '.join(images.stray)})")
        clip = LabelledClip(
            plan.dataset, plan.people, people[name], name, images.folder, plan.rate,
            images.numbers[0], placed, coded,
        )  # fmt: skip
        clips.append(clip)
    for name in sorted(folders.keys() - by_video.keys()):
        summary.skip(name, "has no label")
    summary.clips, summary.subjects = len(clips), len({clip.subject for clip in clips})
    return LabelledSet(tuple(clips), summary)


def _annotation(plan: LongVideos, row: Row) -> Annotation:
    """One row, in the numbers of the table, which count from 1: 0 says that it is not known."""
    onset, apex, offset = (
        number if (number := row.frame(column)) is not None and number > 0 else None
        for column in (plan.onset, plan.apex, plan.offset)
    )
    annotation = Annotation(onset, apex, offset, units_in(row, plan.units))
    try:
        _ = annotation.extent
    except ValueError as error:
        raise ValueError(f"{error} ({row.file.name}, row {row.number})") from error
    return annotation


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
