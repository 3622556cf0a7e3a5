"""A labelled clip, whichever data set it is from, and what became of those that were skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.camera.folder import FolderCamera
from emopulse_ros.evaluation.au_string import CodedUnits
from emopulse_ros.evaluation.truth import Kind, Label, Truth
from emopulse_ros.facs import BLINK, CODES, in_order


@dataclass(frozen=True, slots=True)
class Annotation:
    """One movement as it was annotated, in the numbers the images have in their names.

    None where the table gives no number. ``units`` keep side and intensity.
    """

    onset: int | None
    apex: int | None
    offset: int | None
    units: CodedUnits

    @property
    def extent(self) -> tuple[int, int, int]:
        """First frame, apex and last frame, with what is unknown filled in.

        A movement without an onset or offset is known at its apex: it begins or ends there. An
        apex that is missing or outside is put in the middle.

        :raises ValueError: if neither end nor apex is known, or it ends before it begins.
        """
        first = self.apex if self.onset is None else self.onset
        last = self.apex if self.offset is None else self.offset
        if first is None or last is None or (self.onset is None and self.offset is None):
            raise ValueError("has no onset and offset")
        if last < first:
            raise ValueError(f"ends at frame {last}, before it begins at {first}")
        if self.apex is None or not first <= self.apex <= last:
            return first, (first + last) // 2, last
        return first, self.apex, last

    def remarks(self) -> list[str]:
        """What had to be filled in, or is odd, in words."""
        first, apex, last = self.extent
        said = []
        if self.onset is None:
            said.append(f"no onset, it begins at its apex {first}")
        if self.offset is None:
            said.append(f"no offset, it ends at its apex {last}")
        if self.apex is None:
            said.append(f"no apex, the middle {apex} is taken")
        elif apex != self.apex:
            said.append(f"apex {self.apex} is outside {first} to {last}, the middle is taken")
        elif self.apex == self.onset and first != last:
            said.append(f"apex and onset are both {first}")
        if self.units.undecided:
            said.append(f"undecided units {_list(self.units.undecided)} are not scored")
        return said


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """A folder of images and what was labelled in it.

    ``name`` is unique in its ``dataset``. ``subject`` is the data set's own name of the person;
    data sets with the same ``people`` filmed the same persons under the same names. ``rate`` is in
    frames per second, ``zero`` the number of the image at stamp 0. ``coded`` are the units this
    data set's coders name anywhere.
    """

    dataset: str
    people: str
    subject: str
    name: str
    folder: Path
    rate: float
    zero: int
    annotations: tuple[Annotation, ...]
    coded: tuple[int, ...]

    def camera(self) -> FolderCamera:
        """The clip as a camera.

        :raises CameraError: if its images have gone.
        """
        return FolderCamera(self.folder, self.rate)

    def stamp(self, number: int) -> int:
        """Of the image with this number, in ns, on the clock of :meth:`camera`."""
        return round((number - self.zero) * 1e9 / self.rate)

    @property
    def truth(self) -> Truth:
        """The labels on the clock of :meth:`camera`; what the coders left undecided is unknown."""
        undecided = {code for a in self.annotations for code in a.units.undecided}
        labels = []
        for annotation in self.annotations:
            first, apex, last = map(self.stamp, annotation.extent)
            codes = in_order(annotation.units.codes)
            kind: Kind = "blink" if codes == (BLINK,) else "expression"
            labels.append(Label(first, apex, last, codes, kind))
        return Truth(
            tuple(sorted(labels, key=lambda label: (label.onset, label.offset))),
            tuple(code for code in self.coded if code not in undecided),
        )

    def known(self, _: NDArray[np.int64]) -> Truth:
        """The truth, whatever frames were read."""
        return self.truth

    def shows(self, codes: Sequence[int] = CODES) -> NDArray[np.bool_]:
        """Which units took part at any time: ``(len(codes),) bool``."""
        seen = {code for annotation in self.annotations for code in annotation.units.codes}
        return np.array([code in seen for code in codes], np.bool_)


@dataclass(slots=True)
class Summary:
    """What was read, what was skipped and why, and what is odd about the rest, by clip."""

    dataset: str
    table: Path
    clips: int = 0
    subjects: int = 0
    skipped: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=dict)

    def skip(self, clip: str, why: str) -> None:
        """Tell that a clip is left out; the first reason stays."""
        self.skipped.setdefault(clip, why)

    def remark(self, clip: str, *said: str) -> None:
        """Tell what is odd about a clip."""
        if said:
            self.remarks.setdefault(clip, []).extend(said)

    def lines(self) -> list[str]:
        """The summary as a person reads it."""
        lines = [
            f"{self.dataset}: {_clips(self.clips)} of {self.subjects} "
            f"{'person' if self.subjects == 1 else 'people'}, by {self.table.name}"
        ]
        if self.skipped:
            alike: dict[str, list[str]] = {}
            for clip, why in self.skipped.items():
                alike.setdefault(why, []).append(clip)
            named = "; ".join(f"{', '.join(clips)} {why}" for why, clips in alike.items())
            lines.append(f"{_clips(len(self.skipped))} skipped: {named}")
        odd = {clip: said for clip, said in self.remarks.items() if clip not in self.skipped}
        if odd:
            named = "; ".join(f"{clip}: {', '.join(said)}" for clip, said in odd.items())
            lines.append(f"{_clips(len(odd))} with a remark: {named}")
        return lines


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """The clips of one data set that can be scored, and the summary of all."""

    clips: tuple[LabelledClip, ...]
    summary: Summary


def _clips(count: int) -> str:
    return f"{count} clip" + ("s" if count != 1 else "")


def _list(codes: Sequence[int]) -> str:
    return " and ".join(f"AU{code}" for code in codes)
