"""The stages in a row, without ROS: what a run, the evaluation and the benchmarks share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2

from emopulse_ros.ahead import Ahead
from emopulse_ros.detection.best_engine import BestEngine
from emopulse_ros.detection.detector import Detector
from emopulse_ros.detection.engine import Engine
from emopulse_ros.detection.events import EventFinder
from emopulse_ros.detection.model import model_at
from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.face.beside import Beside
from emopulse_ros.face.look import Look, Seen
from emopulse_ros.face.stage import FaceStage
from emopulse_ros.flow.recipe import FlowRecipe
from emopulse_ros.flow.stage import FlowStage
from emopulse_ros.stream import Activation, FaceCrop, FlowStep, Frame, MicroExpression


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What one frame came to; ``status`` says in words how it stands with the face."""

    crop: FaceCrop | None
    step: FlowStep | None
    activation: Activation | None
    event: MicroExpression | None
    status: str


class Pipeline:
    """Face, flow, detection and events of one face, one after the other.

    Close it, or use it as a context manager: a thread looks for faces beside the stream.
    """

    def __init__(
        self, face: FaceStage, flow: FlowStage, detector: Detector, events: EventFinder
    ) -> None:
        self.face = face
        self.flow = flow
        self.detector = detector
        self.events = events

    def __call__(self, frame: Frame) -> Outcome:
        """Run one frame through all stages."""
        crop = self.face.one(frame)
        if crop is None:
            return Outcome(None, None, None, None, self.face.status)
        step = self.flow(crop)
        activation = self.detector(step)
        return Outcome(crop, step, activation, self.events(activation), self.face.status)

    def outcomes(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Outcome]]:
        """Run a whole stream through, as fast as it goes: what :meth:`__call__` says of each frame.

        While action units are read from one frame, the flow of the next one is measured and the
        one after it fetched, in threads of their own. The order stays, so what comes out is the
        same. OpenCV's own threads, which would halve the speed, are switched off for the process.
        """
        cv2.setNumThreads(1)
        with closing(Ahead(frames)) as fetched, closing(Ahead(self._measured(fetched))) as measured:
            for frame, crop, step, status in measured:
                activation = None if step is None else self.detector(step)
                event = None if activation is None else self.events(activation)
                yield frame, Outcome(crop, step, activation, event, status)

    def _measured(
        self, frames: Iterable[Frame]
    ) -> Iterator[tuple[Frame, FaceCrop | None, FlowStep | None, str]]:
        for frame in frames:
            crop = self.face.one(frame)
            yield frame, crop, None if crop is None else self.flow(crop), self.face.status

    @property
    def late(self) -> int:
        """Looks for the face whose answer came too late to be used; never in a replay."""
        return self.face.beside.late

    def close(self) -> None:
        """Let the thread beside the stream go, and the GPU."""
        self.face.beside.close()
        if isinstance(self.detector.engine, BestEngine):
            self.detector.engine.close()

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_engine(model: Path | None = None, engine: str = "onnx") -> Engine:
    """The engine for a model, by default the one that comes with the package.

    ``int8`` names that one in 8 bits. ``engine`` is onnx, tensorrt, or auto for the better one
    there is: a plan that has to be built is waited for.

    :raises ModelError: if the file is missing or not ours.
    :raises EngineError: if that engine cannot be had.
    """
    if engine == "onnx":
        return OnnxEngine(model_at(model))
    return BestEngine(model_at(model), engine, wait=True, faces=1)


def open_live_engine(
    model: Path | None,
    engine: str,
    *,
    inform: Callable[[str], None],
    warn: Callable[[str], None],
    over: threading.Event | None = None,
    faces: int = 1,
) -> BestEngine:
    """As :func:`open_engine`, for a stream that waits for nothing; close it when that is over.

    With auto a plan that has to be built is built beside the stream. ``inform`` hears which engine
    serves, ``warn`` what is wrong with TensorRT. With tensorrt it is waited for, until ``over``.
    ``faces`` is how many a step may read at once.

    :raises ModelError: if the file is missing or not ours.
    :raises EngineError: if that engine cannot be had.
    """
    return BestEngine(model_at(model), engine, inform=inform, warn=warn, over=over, faces=faces)


def face_stage(recipe: FlowRecipe, *, live: bool, most: int = 1) -> FaceStage:
    """A face stage for up to ``most`` faces, whose crops fit a recipe.

    ``live`` never waits for the face mesh: an answer that is not there in time is counted.
    :raises FaceModelError: if the face models are not installed.
    """
    beside: Beside[Seen] = Beside(wait=not live)
    return FaceStage(Look(), beside, size=2 * recipe.grid, most=most)


def event_finder(engine: Engine) -> EventFinder:
    """An event finder with the thresholds of the engine's model."""
    return EventFinder(engine.card.levels)


def build(model: Path | None = None, *, live: bool = False, engine: str = "onnx") -> Pipeline:
    """The whole row of stages for a model; ``engine`` as in :func:`open_engine`.

    :raises ModelError: if the model is missing or not ours.
    :raises EngineError: if that engine cannot be had.
    :raises FaceModelError: if the face models are not installed.
    """
    opened = open_engine(model, engine)
    recipe = opened.card.recipe
    return Pipeline(
        face_stage(recipe, live=live), FlowStage(recipe), Detector(opened), event_finder(opened)
    )
