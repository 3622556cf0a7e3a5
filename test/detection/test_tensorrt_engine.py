"""What the engine on TensorRT does with a GPU's memory, on a double of both."""

from __future__ import annotations

import gc
from threading import Event
from typing import Any

import numpy as np
import pytest
from gpu_double import GpuDouble, TensorRTDouble, build
from hypothesis import given, settings
from hypothesis import strategies as st

from emopulse_ros.detection.device_memory import DeviceError
from emopulse_ros.detection.model import Card, ModelError, shipped_model
from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.detection.state_pool import WAITING, ZEROS, Layout
from emopulse_ros.detection.tensorrt_engine import TensorRTEngine
from emopulse_ros.detection.tensorrt_plan import TensorRTError

FLOW = np.zeros((9, 64, 64), np.float32)
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


def load(
    trt: TensorRTDouble, plan: bytes | None = None, faces: int = 2, *, graphs: bool = True
) -> TensorRTEngine:
    plan = build(shipped_model(), 16, Event()) if plan is None else plan
    card = OnnxEngine(shipped_model()).card
    return TensorRTEngine(trt, plan, trt.open_device(), card, "0" * 64, faces=faces, graphs=graphs)


def flows(seed: int, *shape: int) -> Any:
    random = np.random.default_rng(seed)
    return random.normal(0.0, 0.5, (*shape, *FLOW.shape)).astype(np.float32)


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


def test_a_step_is_one_graph_where_that_can_be(trt: TensorRTDouble) -> None:
    engine = load(trt)
    (gpu,) = trt.gpus
    assert engine.describe().endswith(", as CUDA graphs")
    # One for each size of batch and each of the two blocks.
    assert len(gpu.graphs) == 4
    for context in trt.contexts:
        context.execute_async_v3 = None  # type: ignore[assignment, method-assign]
    engine.step_all([FLOW, FLOW], [engine.first_state()] * 2)
    engine.close()
    engine = load(trt, graphs=False)
    assert not trt.gpus[-1].graphs
    assert "graphs" not in engine.describe()
    engine.close()


@pytest.mark.parametrize("trouble", ["is captured", "is launched", "none can be made"])
def test_without_graphs_it_runs_piece_by_piece(
    trt: TensorRTDouble, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> int:
        raise DeviceError("the GPU's work cannot be kept as a graph: not permitted")

    if trouble == "is captured":
        monkeypatch.setattr(GpuDouble, "capture", fails)
    elif trouble == "is launched":
        monkeypatch.setattr(GpuDouble, "launch", fails)
    else:
        monkeypatch.setattr(GpuDouble, "can_capture", False)
    engine = load(trt)
    assert "graphs" not in engine.describe()
    assert not trt.gpus[0].graphs
    steps = trt.steps
    engine.step(FLOW, engine.first_state())
    assert trt.steps == steps + 1
    engine.close()
    assert trt.gpus[0].is_empty


def test_a_plan_that_does_for_one_context_is_refused(trt: TensorRTDouble) -> None:
    trt.shares_profiles = False
    with pytest.raises(TensorRTError, match="the plan does for one context only"):
        load(trt)
    assert trt.gpus[0].is_empty


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


def test_more_faces_than_fit_are_several_batches(trt: TensorRTDouble) -> None:
    engine = load(trt)
    reference = OnnxEngine(shipped_model())
    given = list(flows(1, 5))
    states = [engine.first_state() for _ in given]
    assert engine.step_all([], []) == []
    steps = trt.steps
    done = engine.step_all(given, states)
    assert trt.steps == steps + 3
    for flow, (reading, _) in zip(given, done, strict=True):
        wanted, _ = reference.step(flow, reference.first_state())
        np.testing.assert_allclose(reading.logits, wanted.logits, atol=1e-5)
    engine.close()


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


def test_all_goes_back_to_the_gpu(trt: TensorRTDouble) -> None:
    engine = load(trt)
    state = engine.first_state()
    engine.close()
    assert trt.gpus[0].is_empty
    assert trt.gpus[0].room == trt.room
    engine.close()
    for use in (engine.first_state, lambda: engine.step(FLOW, state)):
        with pytest.raises(TensorRTError, match="is closed"):
            use()


def test_out_of_memory_at_load_is_told_and_leaves_nothing_behind(trt: TensorRTDouble) -> None:
    need = trt.room
    engine = load(trt)
    need -= trt.gpus[0].room
    engine.close()
    for room in (0, FLOW.nbytes, FLOW.nbytes + 512, need - 1):
        trt.room = room
        with pytest.raises(DeviceError, match="cannot be had: out of memory"):
            load(trt)
        assert trt.gpus[-1].is_empty, room
        assert trt.gpus[-1].room == room
    trt.room = need
    load(trt).close()


def test_a_plan_that_is_none_is_refused_with_tensorrts_own_words(trt: TensorRTDouble) -> None:
    with pytest.raises(
        TensorRTError, match=r"TensorRT 10\.3\.0 cannot load the plan: Serialization.*failed: magic"
    ):
        load(trt, b"junk")
    assert trt.gpus[0].is_empty


def test_the_plan_of_another_network_is_refused(trt: TensorRTDouble) -> None:
    with pytest.raises(TensorRTError, match="lacks the inputs and outputs of a step model"):
        load(trt, build(shipped_model("clip"), 16, Event()))
    assert trt.gpus[0].is_empty


def test_a_plan_for_other_units_is_refused(trt: TensorRTDouble) -> None:
    plan, few = build(shipped_model(), 16, Event()), Card("few", "step", codes=(1, 2))
    with pytest.raises(TensorRTError, match=r"logits is \(1, 15\), the model's is \(1, 2\)"):
        TensorRTEngine(trt, plan, trt.open_device(), few, "0" * 64)
    assert trt.gpus[0].is_empty


def test_inputs_in_16_bits_are_refused(trt: TensorRTDouble, monkeypatch: Any) -> None:
    monkeypatch.setattr(TensorRTDouble.DataType, "FLOAT", "other")
    with pytest.raises(TensorRTError, match="is not in 32 bits"):
        load(trt)


def test_a_step_that_is_not_taken_is_told_and_costs_no_buffers(trt: TensorRTDouble) -> None:
    engine = load(trt, graphs=False)
    state = engine.first_state()
    trt.takes_steps = False
    for _ in range(10):
        with pytest.raises(TensorRTError, match="did not take the step"):
            engine.step(FLOW, state)
    trt.takes_steps = True
    engine.step(FLOW, state)
    engine.close()


def test_a_gpu_that_fails_is_told(trt: TensorRTDouble) -> None:
    engine = load(trt)
    trt.gpus[0].fails_with = "an illegal memory access"
    with pytest.raises(DeviceError, match="did not do its work: an illegal memory access"):
        engine.step(FLOW, engine.first_state())
    engine.close()
    assert trt.gpus[0].is_empty


def test_flow_of_another_shape_is_refused_before_the_gpu_hears_of_it(trt: TensorRTDouble) -> None:
    engine = load(trt)
    with pytest.raises(ModelError, match=r"the flow is \(9, 32, 32\), the model reads \(9, 64"):
        engine.step(FLOW[:, ::2, ::2], engine.first_state())
    assert not trt.gpus[0].queue
    engine.close()


def test_steps_from_several_threads_do_not_mix(trt: TensorRTDouble) -> None:
    from concurrent.futures import ThreadPoolExecutor

    engine = load(trt, faces=8)
    random = np.random.default_rng(0)
    faces = [random.normal(0.0, 0.5, FLOW.shape).astype(np.float32) for _ in range(4)]

    def follow(flow: Any) -> Any:
        state = engine.first_state()
        for _ in range(8):
            reading, state = engine.step(flow, state)
        return reading.logits

    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(follow, faces))
    np.testing.assert_allclose(together, [follow(flow) for flow in faces], atol=1e-5)
    engine.close()


def test_tensors_lie_apart_and_aligned() -> None:
    layout = Layout({"one": (1, 3), "two": (64,), "three": (1, 65)})
    assert layout.offsets == {"one": 0, "two": 256, "three": 512}
    assert layout.size == 1024
