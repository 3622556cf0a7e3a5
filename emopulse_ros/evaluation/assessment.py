"""One recording, run through the stages and held against its truth."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.bag.writer import BagWriter
from emopulse_ros.camera.source import Camera
from emopulse_ros.detection.engine import Engine
from emopulse_ros.evaluation.recorded import RecordedRun
from emopulse_ros.evaluation.recording import Recorder, Recording
from emopulse_ros.evaluation.report import Report, score
from emopulse_ros.evaluation.timing import gaps
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
        """Frames a second, by the median of the intervals; NaN where there is none, or it is 0."""
        steps = np.diff(self.stamps)
        step = float(np.median(steps)) if steps.size else 0.0
        return 1e9 / step if step else float("nan")

    @property
    def missing(self) -> NDArray[np.int64]:
        """The intervals in which a frame or more is missing: ``(G, 2)``, stamps at either end."""
        wide = gaps(np.diff(self.stamps))
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
    know_truth: KnowTruth | None = None,
    *,
    with_faces: bool = False,
    on_frame: Callable[[int], None] = lambda _: None,
) -> Assessment:
    """Send every frame of a camera through the stages, as fast as it goes, and score what comes.

    ``on_frame`` is told the stamp of each frame. What the camera says of its end in ``shortfall``
    is among the notes.
    """
    recorder, without = Recorder(pack_every=4096), Counter[str]()
    # Arrays, for a recording may be long.
    stamps, head = array("q"), array("f")
    shots = _Shots() if with_faces else None
    for frame, outcome in pipeline.outcomes(camera):
        stamps.append(frame.stamp)
        if outcome.activation is None or outcome.crop is None:
            without[outcome.status] += 1
        else:
            recorder.add(outcome.activation)
            head.extend(_place(outcome.crop))
            if shots is not None:
                shots.see(outcome.crop, outcome.event)
            recorder.add_event(outcome.event)
        on_frame(frame.stamp)
    last = pipeline.events.flush()
    recorder.add_event(last)
    if shots is not None and last is not None:
        shots.keep(last)
    recording, every = recorder.recording(), np.array(stamps, np.int64)
    return _scored(
        Assessment(
            name=camera.name,
            recording=recording,
            head=np.array(head, np.float32).reshape(-1, 4),
            stream=Stream(every, dict(without), _notes(camera)),
            thresholds=pipeline.detector.engine.card.levels,
            faces=() if shots is None else tuple(shots.kept),
        ),
        know_truth,
    )


def assess_recorded(
    camera: Camera, run: RecordedRun, engine: Engine, know_truth: KnowTruth | None = None
) -> Assessment:
    """Score what was said while a bag was recorded; the engine knows the model's thresholds.

    ``run`` hears the messages while the camera's frames are read. Of the head nothing is known.

    :raises BagError: if nothing was said in it, or by several nodes.
    :raises ValueError: if it was another model.
    """
    stamps = np.array([frame.stamp for frame in camera], np.int64)
    recording = run.recording()
    if run.model_hash not in ("", engine.model_hash):
        raise ValueError(
            f"{run.path} was recorded with a model ({run.model_hash[:8]}) whose thresholds are "
            f"not known; this one is {engine.model_hash[:8]}: give the other by --model"
        )
    silent = len(stamps) - len(recording.stamp)
    return _scored(
        Assessment(
            name=camera.name,
            recording=recording,
            head=np.full((len(recording.stamp), 4), np.nan, np.float32),
            stream=Stream(
                stamps, {"nothing was said": silent} if silent > 0 else {}, _notes(camera)
            ),
            thresholds=engine.card.levels,
        ),
        know_truth,
    )


def write_results(path: Path, assessment: Assessment, model: str, model_hash: str) -> None:
    """Write activations, events and truth as a bag, at the stamps of the frames they belong to.

    :raises BagError: if it cannot be written.
    """
    truth = assessment.truth
    recording = assessment.recording
    with BagWriter(path) as bag:
        for activation in recording.activations(model, model_hash):
            bag.activation(activation, activation.stamp)
        for event in recording.events:
            bag.event(event, event.stamp)
        for label in truth.labels if truth else ():
            bag.label(label.kind, label.aus, label.onset, label.apex, label.offset, label.onset)


def _notes(camera: Camera) -> tuple[str, ...]:
    shortfall: str | None = getattr(camera, "shortfall", None)
    return (shortfall,) if shortfall else ()


def _scored(assessment: Assessment, know_truth: KnowTruth | None) -> Assessment:
    truth = None if know_truth is None else know_truth(assessment.stream.stamps)
    if truth is None:
        return assessment
    report = score(assessment.recording, truth, thresholds=assessment.thresholds)
    return replace(assessment, truth=truth, report=report)


def _place(crop: FaceCrop) -> tuple[float, float, float, float]:
    """Middle (x, y), roll in degrees and width of a crop in its picture."""
    size = crop.image.shape[0]
    x, y = crop.to_image @ (size / 2.0, size / 2.0, 1.0)
    across = crop.to_image[:, 0]
    roll = np.degrees(np.arctan2(across[1], across[0]))
    return float(x), float(y), float(roll), float(size * np.hypot(*across))


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
