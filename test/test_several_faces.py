"""Several faces in one picture, from pixels to action units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")

from emopulse_ros.camera import open_camera
from emopulse_ros.camera.renderer import RenderOrder
from emopulse_ros.detection.detector import Detector
from emopulse_ros.facs import CODES
from emopulse_ros.flow.recipe import FlowRecipe
from emopulse_ros.flow.stage import FlowStage
from emopulse_ros.pipeline import face_stage, open_engine
from emopulse_ros.stream import Activation, FaceCrop, Frame, read_only
from emopulse_ros.synthesis.row import BETWEEN_SEEDS
from emopulse_ros.synthesis.script import SECOND

SEED, FACES, SECONDS = 7, 3, 4.0
HIDDEN = range(300, 360)
"""Frames in which the middle face is behind something: 300 ms."""


def filmed() -> Iterator[Frame]:
    with open_camera(f"synthetic:{SEED}x{FACES}", duration=SECONDS) as camera:
        for frame in camera:
            if frame.sequence in HIDDEN:
                image = frame.image.copy()
                image[:, 320:640] = 110
                frame = Frame(frame.stamp, frame.sequence, read_only(image))
            yield frame


@pytest.fixture(scope="module")
def crops() -> list[list[FaceCrop]]:
    stage = face_stage(FlowRecipe(), live=False, most=FACES)
    try:
        return [stage(frame) for frame in filmed()]
    finally:
        stage.beside.close()


def place(crop: FaceCrop) -> int:
    """Whose crop it is: 0 is the face on the left."""
    x, _ = crop.to_image @ [63.5, 63.5, 1.0]
    return int(x // 320)


def test_each_keeps_its_id_also_behind_something(crops: list[list[FaceCrop]]) -> None:
    who: dict[int, set[int]] = defaultdict(set)
    for of_frame in crops:
        for crop in of_frame:
            who[place(crop)].add(crop.face_id)
    assert sorted(who) == [0, 1, 2]
    assert all(len(ids) == 1 for ids in who.values())
    assert len(set.union(*who.values())) == FACES
    there = np.array([[any(place(c) == n for c in each) for n in range(FACES)] for each in crops])
    assert there[20:, [0, 2]].all()
    assert not there[HIDDEN.start : HIDDEN.stop, 1].any()
    assert there[20 : HIDDEN.start, 1].all()
    # Found again within a fifth of a second, the gap of the flow included.
    assert there[HIDDEN.stop + 40 :, 1].all()


def test_each_shows_what_its_own_script_says(crops: list[list[FaceCrop]]) -> None:
    engine = open_engine()
    read: dict[int, list[Activation]] = defaultdict(list)
    stages = [(FlowStage(engine.card.recipe), Detector(engine)) for _ in range(FACES)]
    for of_frame in crops:
        for crop in of_frame:
            flow, detector = stages[place(crop)]
            read[place(crop)].append(detector(flow(crop)))
    # Row: the face, column: whose script. Likeness of what is seen to what is true.
    likeness = np.array(
        [[agreement(read[face], script) for script in range(FACES)] for face in range(FACES)]
    )
    assert (likeness.argmax(axis=1) == np.arange(FACES)).all()
    assert likeness.diagonal().min() > 0.5


def agreement(activations: list[Activation], number: int) -> float:
    """Correlation of probabilities with the truth of one script, over units and time."""
    order = RenderOrder(SEED + BETWEEN_SEEDS * number, SECONDS, 200.0, (1, 1), 1)
    script = order.script()
    assert script.duration == SECONDS * SECOND
    known = [activation for activation in activations if activation.codes == CODES]
    seen = np.array([activation.probability for activation in known])
    true = np.array([script.active(activation.stamp) for activation in known])
    return float(np.corrcoef(seen.ravel(), true.ravel())[0, 1])
