"""One recording, run through the stages and held against its truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.camera.source import Camera
from emopulse_ros.evaluation.recording import Recorder, Recording
from emopulse_ros.evaluation.report import Report, score
from emopulse_ros.evaluation.truth import Truth
from emopulse_ros.pipeline import Pipeline
from emopulse_ros.stream import FaceCrop, MicroExpression

Stamps = NDArray[np.int64]

KnowTruth = Callable[[Stamps], Truth | None]
"""From the stamps of all frames, in ns, to what was true of them; None where nobody knows."""


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """How the frames came: ``stamps`` ``(F,) int64`` of all of them, in ns.

    ``without`` counts the frames that gave no activation, by the reason in words; ``notes`` are
    sentences on what could not be read.
    """

    stamps: Stamps
    without: Mapping[str, int]
    notes: tuple[str, ...] = ()

    @property
    def rate(self) -> float:
        """Frames a second, by the median of the intervals; NaN with fewer than two frames."""
        steps = np.diff(self.stamps)
        return 1e9 / float(np.median(steps)) if steps.size else float("nan")

    @property
    def missing(self) -> NDArray[np.int64]:
        """The intervals in which a frame or more is missing: ``(G, 2)``, stamps at either end."""
        steps = np.diff(self.stamps)
        wide = steps > 1.5 * np.median(steps) if steps.size else np.zeros(0, np.bool_)
        return np.stack((self.stamps[:-1][wide], self.stamps[1:][wide]), axis=1)

    @property
    def gaps(self) -> NDArray[np.float64]:
        """Lengths in ms of the intervals in which a frame or more is missing."""
        lengths: NDArray[np.float64] = np.diff(self.missing, axis=1)[:, 0] / 1e6
        return lengths


@dataclass(frozen=True, slots=True)
class FaceShot:
    """The face at the apex of an event that was found, as JPEG; kept only if it was asked for."""

    stamp: int
    jpeg: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """What came of one recording.

    ``head`` is ``(N, 4) float32``, a row for each activation of ``recording``: where the middle
    of the face crop is in the picture (x and y in pixels), its roll in degrees, clockwise as seen,
    and its width in pixels. ``thresholds`` are the model's, by code. ``report`` is None where
    there is no truth.
    """

    name: str
    recording: Recording
    head: NDArray[np.float32]
    stream: Stream
    thresholds: Mapping[int, float]
    truth: Truth | None = None
    report: Report | None = None
    faces: tuple[FaceShot, ...] = field(default=(), repr=False)


def assess(
    camera: Camera,
    pipeline: Pipeline,
    know_truth: KnowTruth = lambda _: None,
    *,
    with_faces: bool = False,
    on_frame: Callable[[int], None] = lambda _: None,
) -> Assessment:
    """Send every frame of a camera through the stages, as fast as it goes, and score what comes.

    ``on_frame`` is told the stamp of each frame. What the camera says of its end in ``shortfall``
    is among the notes.
    """
    recorder, without = Recorder(), Counter[str]()
    stamps: list[int] = []
    head: list[NDArray[np.float32]] = []
    shots = _Shots() if with_faces else None
    for frame in camera:
        stamps.append(frame.stamp)
        outcome = pipeline(frame)
        if outcome.activation is None or outcome.crop is None:
            without[outcome.status] += 1
        else:
            recorder.add(outcome.activation)
            head.append(_place(outcome.crop))
            if shots is not None:
                shots.see(outcome.crop, outcome.event)
            recorder.add_event(outcome.event)
        on_frame(frame.stamp)
    last = pipeline.events.flush()
    recorder.add_event(last)
    if shots is not None and last is not None:
        shots.keep(last)
    recording, every = recorder.recording(), np.array(stamps, np.int64)
    card = pipeline.detector.engine.card
    thresholds = dict(zip(card.codes, card.thresholds, strict=True))
    truth = know_truth(every)
    shortfall: str | None = getattr(camera, "shortfall", None)
    return Assessment(
        name=camera.name,
        recording=recording,
        head=np.array(head, np.float32).reshape(-1, 4),
        stream=Stream(every, dict(without), (shortfall,) if shortfall else ()),
        thresholds=thresholds,
        truth=truth,
        report=None if truth is None else score(recording, truth, thresholds=thresholds),
        faces=() if shots is None else tuple(shots.kept),
    )


def _place(crop: FaceCrop) -> NDArray[np.float32]:
    """Middle (x, y), roll in degrees and width of a crop in its picture: ``(4,) float32``."""
    size = crop.image.shape[0]
    x, y = crop.to_image @ (size / 2.0, size / 2.0, 1.0)
    across = crop.to_image[:, 0]
    roll = np.degrees(np.arctan2(across[1], across[0]))
    return np.array((x, y, roll, size * np.hypot(*across)), np.float32)


class _Shots:
    """The last crops, and of them those at the apex of an event."""

    def __init__(self) -> None:
        self.kept: list[FaceShot] = []
        self._recent: dict[int, FaceCrop] = {}

    def see(self, crop: FaceCrop, event: MicroExpression | None) -> None:
        self._recent[crop.stamp] = crop
        # An event is told after its end, and an expression lasts half a second.
        while crop.stamp - next(iter(self._recent)) > 2_000_000_000:
            del self._recent[next(iter(self._recent))]
        if event is not None:
            self.keep(event)

    def keep(self, event: MicroExpression) -> None:
        crop = self._recent.get(event.apex)
        if crop is not None:
            _, jpeg = cv2.imencode(".jpg", crop.image)
            self.kept.append(FaceShot(event.apex, jpeg.tobytes()))
