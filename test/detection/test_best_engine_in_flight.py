"""What the best engine does in mid-stream: TensorRT takes over, or fails."""

from __future__ import annotations

import numpy as np
import pytest
from best_engine_world import FLOWS, World, follow

from emopulse_ros.detection.detector import Detector
from emopulse_ros.detection.model import ModelError
from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.stream import FlowStep


@pytest.mark.parametrize("how", ["stream", "graph", "step", "crash", "CUDA"])
def test_a_failure_in_flight_is_answered_by_onnx_runtime(
    world: World, onnx: OnnxEngine, how: str
) -> None:
    world.graphs = how in ("stream", "graph")
    world.has_cuda = how == "CUDA"
    engine = world.engine("cuda") if world.has_cuda else world.engine(wait=True)
    states = [engine.first_state() for _ in range(3)]
    for face, state in enumerate(states):
        _, states[face] = follow(engine, state, 5)
    if how in ("stream", "CUDA"):
        world.trt.gpus[-1].fails_with = "unspecified launch failure"
    elif how == "graph":
        world.trt.gpus[-1].takes_graphs = False
    elif how == "step":
        world.trt.takes_steps = False
    else:
        for context in world.trt.contexts:
            context.execute_async_v3 = None  # type: ignore[assignment, method-assign]
    for face, state in enumerate(states):
        reading, states[face] = follow(engine, state, 1, begin=5)
        wanted, inner = follow(onnx, onnx.first_state(), 1, begin=5)
        np.testing.assert_array_equal(reading.logits, wanted.logits)
        reading, _ = follow(engine, states[face], 4, begin=6)
        wanted, _ = follow(onnx, inner, 4, begin=6)
        np.testing.assert_array_equal(reading.logits, wanted.logits)
    assert engine.failures == 1
    assert engine.trouble.startswith(f"{'CUDA' if world.has_cuda else 'TensorRT'} failed: ")
    assert engine.describe() == onnx.describe()
    assert world.warned == [f"{engine.trouble}; the network runs on {onnx.describe()} from here on"]


def test_what_is_wrong_with_the_flow_is_not_laid_to_tensorrt(world: World) -> None:
    engine = world.engine(wait=True)
    with pytest.raises(ModelError, match="the flow is"):
        engine.step(FLOWS[0, :, ::2], engine.first_state())
    assert engine.failures == 0
    assert engine.describe().startswith("TensorRT")


@pytest.mark.parametrize("ticks", [1, 4])
def test_each_face_begins_clean_with_the_swap(world: World, onnx: OnnxEngine, ticks: int) -> None:
    """Two detectors, as two faces have them; at the swap a step stands for so many ticks."""

    def step(number: int, late: int = 0) -> FlowStep:
        channels = onnx.card.recipe.channels
        stamp = 5_000_000 * (number + late)
        return FlowStep(stamp, number, 1, FLOWS[number], channels, np.eye(2, 3), number == 0)

    world.may_build.clear()
    engine = world.engine()
    faces = [Detector(engine), Detector(engine)]
    for number in range(10):
        for face in faces:
            face(step(number))
    world.may_build.set()
    assert engine.wait(30.0)
    state = onnx.first_state()
    for _ in range(ticks):
        wanted, state = onnx.step(FLOWS[10], state)
    expected = onnx.card.probability(wanted.logits)
    for face in faces:
        np.testing.assert_allclose(face(step(10, ticks - 1)).probability, expected, atol=1e-3)
    wanted, _ = onnx.step(FLOWS[11], state)
    expected = onnx.card.probability(wanted.logits)
    for face in faces:
        np.testing.assert_allclose(face(step(11, ticks - 1)).probability, expected, atol=1e-3)


def test_a_step_can_be_repeated_across_the_swap_and_a_failure(world: World) -> None:
    world.may_build.clear()
    engine = world.engine()
    _, before = follow(engine, engine.first_state(), 5)
    world.may_build.set()
    engine.wait(30.0)
    one, after = follow(engine, before, 1, begin=5)
    again, _ = follow(engine, before, 1, begin=5)
    np.testing.assert_array_equal(one.logits, again.logits)
    world.trt.gpus[-1].takes_graphs = False
    one, _ = follow(engine, after, 1, begin=6)
    again, _ = follow(engine, after, 1, begin=6)
    np.testing.assert_array_equal(one.logits, again.logits)


def test_a_face_that_comes_after_the_swap_does_not_disturb_those_before(world: World) -> None:
    engine = world.engine(wait=True)
    _, state = follow(engine, engine.first_state(), 5)
    alone, _ = follow(engine, state, 1, begin=5)
    follow(engine, engine.first_state(), 9)
    beside, _ = follow(engine, state, 1, begin=5)
    np.testing.assert_array_equal(alone.logits, beside.logits)
