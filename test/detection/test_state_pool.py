"""States stand where they are read, and each face goes on from its own."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from gpu_double import TensorRTDouble
from hypothesis import given, settings
from hypothesis import strategies as st
from on_double import FLOW, flows, load

from emopulse_ros.detection.device_memory import DeviceError
from emopulse_ros.detection.model import shipped_model
from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.detection.state_pool import WAITING, ZEROS, Layout
from emopulse_ros.detection.tensorrt_engine import TensorRTEngine

STATE = 4 * (32 + 42 + 104) * 16 * 16 + 256
"""Bytes of one state of the shipped model, the last tensor rounded up."""

LOADED: tuple[TensorRTEngine, OnnxEngine]


def setup_module() -> None:
    global LOADED
    LOADED = load(TensorRTDouble(), faces=4), OnnxEngine(shipped_model())


def teardown_module() -> None:
    LOADED[0].close()


@pytest.fixture
def trt() -> TensorRTDouble:
    return TensorRTDouble()


@pytest.mark.parametrize("graphs", [True, False])
@pytest.mark.parametrize("faces", [1, 2, 3])
def test_faces_that_come_again_cost_nothing_but_their_flow(
    trt: TensorRTDouble, faces: int, graphs: bool
) -> None:
    engine = load(trt, faces=3, graphs=graphs)
    (gpu,) = trt.gpus
    pool = engine._pool
    assert pool is not None
    states = [engine.first_state() for _ in range(faces)]
    states = [after for _, after in engine.step_all([FLOW] * faces, states)]
    allocations, copied, moved, steps = (
        gpu.allocations, pool.copied_rows, engine.bytes_moved, trt.steps,
    )  # fmt: skip
    places = []
    for _ in range(6):
        states = [after for _, after in engine.step_all([FLOW] * faces, states)]
        places.append([(state.block, state.row) for state in states])
    assert gpu.allocations == allocations
    assert pool.copied_rows == copied
    assert trt.steps == steps + 6
    # Read here, written there, and the other way round.
    assert places[0] != places[1]
    assert places == places[:2] * 3
    answers = engine._lanes._answers(faces).size
    assert engine.bytes_moved == moved + 6 * (faces * FLOW.nbytes + answers)
    engine.close()


def test_states_wait_for_their_turn_as_long_as_there_is_room(trt: TensorRTDouble) -> None:
    engine = load(trt)
    state = engine.first_state()
    kept = [state]

    def follow() -> None:
        for _ in range(WAITING + 9):
            kept.append(engine.step(FLOW, kept[-1])[1])

    with pytest.raises(DeviceError, match="all 32 places for states that wait are in use"):
        follow()
    assert len(kept) > WAITING
    del kept[:-1]
    gc.collect()
    for _ in range(100):
        engine.step(FLOW, kept[-1])
    engine.close()


@settings(max_examples=40, deadline=None)
@given(
    turns=st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True), max_size=8),
    repeated=st.booleans(),
)
def test_whoever_takes_turns_each_face_goes_on_from_its_own_state(
    turns: list[list[int]], repeated: bool
) -> None:
    """Any faces, in any order, any number at once, a step of them repeated or not."""
    engine, reference = LOADED
    states = [engine.first_state() for _ in range(4)]
    wanted = [reference.first_state() for _ in range(4)]
    for number, faces in enumerate(turns):
        given = list(flows(number, len(faces)))
        before = [states[face] for face in faces]
        if repeated:
            engine.step_all(given, before)
        done = engine.step_all(given, before)
        for face, flow, (reading, after) in zip(faces, given, done, strict=True):
            other, wanted[face] = reference.step(flow, wanted[face])
            np.testing.assert_allclose(reading.logits, other.logits, atol=1e-5)
            states[face] = after


def test_two_faces_may_go_on_from_one_state(trt: TensorRTDouble) -> None:
    engine = load(trt)
    one, other, third = flows(2, 3)
    _, state = engine.step(one, engine.first_state())
    together = engine.step_all([other, third], [state, state])
    apart = [engine.step(flow, state)[0] for flow in (other, third)]
    for (reading, _), alone in zip(together, apart, strict=True):
        np.testing.assert_allclose(reading.logits, alone.logits, atol=1e-5)
    engine.close()


def test_the_state_that_knows_nothing_is_never_written_to(trt: TensorRTDouble) -> None:
    engine = load(trt)
    first = engine.first_state()
    state = first
    for number in range(5):
        _, state = engine.step(FLOW + number, state)
    assert engine._pool is not None
    start = min(engine._pool.addresses(ZEROS).values())
    assert not trt.gpus[0].view(start, (STATE // 4,)).any()
    assert engine.first_state() is first
    engine.close()


def test_tensors_lie_apart_and_aligned() -> None:
    layout = Layout({"one": (1, 3), "two": (64,), "three": (1, 65)})
    assert layout.offsets == {"one": 0, "two": 256, "three": 512}
    assert layout.size == 1024
