"""How a data set is laid out, and what bringing its table and its images together has in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from emopulse_ros.camera.numbered import NumberedImages, numbered_images
from emopulse_ros.evaluation.datasets.clip import Annotation, LabelledClip, LabelledSet, Summary
from emopulse_ros.evaluation.datasets.coding import Row


@dataclass(frozen=True, slots=True)
class Layout:
    """A data set's name, the one of the set whose people it shows, its frame rate, and the columns
    of a movement."""

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

    def clip(
        self,
        subject: str,
        name: str,
        images: NumberedImages,
        annotations: Iterable[Annotation],
        coded: tuple[int, ...],
    ) -> LabelledClip:
        """A clip of this data set."""
        return LabelledClip(
            self.dataset, self.people, subject, name, images.folder, self.rate,
            images.numbers[0], tuple(annotations), coded,
        )  # fmt: skip


def checked(annotation: Annotation, row: Row) -> Annotation:
    """An annotation that says from when to when it goes.

    :raises ValueError: if it does not; it says which row that is.
    """
    try:
        _ = annotation.extent
    except ValueError as error:
        raise ValueError(f"{error} ({row.file.name}, row {row.number})") from error
    return annotation


def images_of(folders: Mapping[str, Path], name: str) -> NumberedImages:
    """The images of a clip.

    :raises ValueError: if it has no folder.
    :raises CameraError: if there are none in it.
    """
    if name not in folders:
        raise ValueError("has no folder of images")
    return numbered_images(folders[name])


def remark_stray(summary: Summary, name: str, images: NumberedImages) -> None:
    """Tell of files in a clip's folder that are no images of it."""
    if images.stray:
        summary.remark(name, f"stray files left out ({', '.join(images.stray)})")


def together(
    summary: Summary,
    clips: Collection[LabelledClip],
    folders: Mapping[str, Path],
    labelled: Collection[str],
) -> LabelledSet:
    """The set of these clips; folders whose names are not ``labelled`` are skipped, and told."""
    for name in sorted(folders.keys() - set(labelled)):
        summary.skip(name, "has no label")
    summary.clips, summary.subjects = len(clips), len({clip.subject for clip in clips})
    return LabelledSet(tuple(clips), summary)
