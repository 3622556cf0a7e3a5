"""The detection stage: state, time, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emopulse_ros.detection.detector import Detector, detect
from emopulse_ros.detection.engine import OneByOne, Reading
from emopulse_ros.detection.model import Card, ModelError, shipped_model
from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.facs import CODES
from emopulse_ros.flow.recipe import FlowRecipe
from emopulse_ros.stream import FlowStep

MS = 1_000_000
CHANNELS = FlowRecipe().channels


class Counting(OneByOne):
    """An engine whose state counts its steps, and which says so as its attention."""

    def __init__(self) -> None:
        self.card = Card("counting", "step")
        self.model_hash = "0" * 64

    def first_state(self) -> int:
        return 0

    def step(self, _: NDArray[np.float32], state: int) -> tuple[Reading, int]:
        zeros = np.zeros(len(CODES), np.float32)
        return Reading(zeros, zeros.copy(), float(state + 1)), state + 1

    def describe(self) -> str:
        return "counts"


def step(
    ms: float, face_id: int = 1, restarted: bool = False, channels: tuple[str, ...] = CHANNELS
) -> FlowStep:
    data = np.zeros((9, 64, 64), np.float32)
    return FlowStep(round(ms * MS), round(ms / 5), face_id, data, channels, np.eye(2, 3), restarted)


def steps_taken(times: list[float]) -> list[float]:
    detector = Detector(Counting())
    return [detector(step(ms)).attention for ms in times]


def test_one_tick_a_frame_at_200_fps() -> None:
    assert steps_taken([0.0, 5.0, 10.4, 15.0]) == [1, 2, 3, 4]


def test_a_dropped_frame_is_held() -> None:
    assert steps_taken([0.0, 5.0, 20.0, 25.0]) == [1, 2, 5, 6]


def test_a_slow_camera_is_held_and_a_fast_one_ticks_each_frame() -> None:
    assert steps_taken([0.0, 40.0, 80.0]) == [1, 9, 17]
    assert steps_taken([0.0, 4.17, 8.33]) == [1, 2, 3]


@pytest.mark.parametrize(
    "then", [step(5.0, face_id=2), step(5.0, restarted=True), step(500.0), step(-5.0)]
)
def test_it_forgets(then: FlowStep) -> None:
    detector = Detector(Counting())
    detector(step(0.0))
    assert detector(then).attention == 1


def test_the_answer_carries_the_stamp_and_the_model() -> None:
    answer = Detector(Counting())(step(35.0, face_id=3))
    assert (answer.stamp, answer.sequence, answer.face_id) == (35 * MS, 7, 3)
    assert (answer.model, answer.model_hash) == ("counting", "0" * 64)
    assert answer.codes == CODES
    assert not answer.probability.flags.writeable
    assert not answer.intensity.flags.writeable


def test_flow_made_otherwise_is_refused() -> None:
    with pytest.raises(ModelError, match="u_20"):
        Detector(Counting())(step(0.0, channels=("u_20", *CHANNELS[1:])))


def test_the_shipped_model_answers_in_range() -> None:
    detector = Detector(OnnxEngine(shipped_model()))
    for number in range(40):
        answer = detector(step(5.0 * number))
        assert ((answer.probability >= 0) & (answer.probability <= 1)).all()
        assert ((answer.intensity >= 0) & (answer.intensity <= 1)).all()
        assert 0.0 < answer.attention <= 8.0


def test_several_faces_are_read_as_each_alone() -> None:
    """One comes each tick, one is late and held, one has just come back."""
    times = {1: [0.0, 5.0, 10.0], 2: [0.0, 5.0, 25.0], 3: [0.0, 5.0, 500.0]}
    alone = {
        face: [detector(step(ms, face)) for ms in when]
        for face, when in times.items()
        for detector in [Detector(Counting())]
    }
    engine = Together()
    together = {face: Detector(engine) for face in times}
    for number in range(3):
        done = detect(
            list(together.values()), [step(when[number], face) for face, when in times.items()]
        )
        for face, activation in zip(times, done, strict=True):
            assert activation.face_id == face
            assert activation.attention == alone[face][number].attention
    # Three ticks: all, all, all; and what the second face is held for.
    assert engine.batches == [3, 3, 3, 1, 1, 1]


class Together(Counting):
    """Counts the faces of each batch."""

    at_once = 3

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def step_all(self, flows: Any, states: Any) -> Any:
        self.batches.append(len(flows))
        return super().step_all(flows, states)
