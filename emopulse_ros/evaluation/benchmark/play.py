"""One clip through the real stages, from pixels to events, for all contenders at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2

from emopulse_ros.detection.detector import Detector
from emopulse_ros.evaluation.benchmark.answer_cache import AnswerCache
from emopulse_ros.evaluation.benchmark.clips import Clip, MakeScene
from emopulse_ros.evaluation.benchmark.conditions import CLEAN, Condition, Showing
from emopulse_ros.evaluation.benchmark.contenders import Contender
from emopulse_ros.evaluation.recording import Recorder, Recording
from emopulse_ros.flow.stage import FlowStage
from emopulse_ros.pipeline import event_finder, face_stage
from emopulse_ros.stream import Frame


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """What one contender said of one clip under one condition, in ``frames`` frames."""

    clip: Clip
    condition: str
    contender: str
    frames: int
    recording: Recording


def play(
    clip: Clip,
    conditions: Sequence[Condition],
    contenders: Sequence[Contender],
    make_scene: MakeScene,
    cache: AnswerCache | None = None,
) -> list[Played]:
    """Show a clip clean and, if it is one of those, under each condition.

    What ``cache`` holds is not shown again, and what it does not hold is kept there.

    :raises FaceModelError: if the face models are not installed.
    """
    cv2.setNumThreads(1)
    showing = Showing(clip, make_scene)
    played = []
    for condition in (None, *(conditions if clip.corrupted else ())):
        name = condition.name if condition else CLEAN
        known = {
            one.name: kept for one in contenders if cache and (kept := cache.get(clip, name, one))
        }
        left = [one for one in contenders if one.name not in known]
        if left:
            frames, recordings = run(showing.frames(condition), left)
            for one, recording in zip(left, recordings, strict=True):
                known[one.name] = frames, recording
                if cache:
                    cache.put(clip, name, one, known[one.name])
        played += [Played(clip, name, one.name, *known[one.name]) for one in contenders]
    return played


def run(frames: Iterable[Frame], contenders: Sequence[Contender]) -> tuple[int, list[Recording]]:
    """Run frames through the stages; return how many there were, and a recording for each.

    Contenders that want the same crop share the face stage, those of one recipe the flow.
    """
    recipes = {contender.engine.card.recipe for contender in contenders}
    faces = {recipe.grid: face_stage(recipe, live=False) for recipe in recipes}
    flows = {recipe: FlowStage(recipe) for recipe in recipes}
    readers = [
        (one.engine.card.recipe, Detector(one.engine), event_finder(one.engine), Recorder())
        for one in contenders
    ]
    count = 0
    try:
        for frame in frames:
            count += 1
            crops = {grid: face.one(frame) for grid, face in faces.items()}
            steps = {
                recipe: flow(crop)
                for recipe, flow in flows.items()
                if (crop := crops[recipe.grid]) is not None
            }
            for recipe, detector, events, recorder in readers:
                if recipe in steps:
                    activation = detector(steps[recipe])
                    recorder.add(activation)
                    recorder.add_event(events(activation))
    finally:
        for face in faces.values():
            face.beside.close()
    for _, _, events, recorder in readers:
        recorder.add_event(events.flush())
    return count, [recorder.recording() for *_, recorder in readers]
