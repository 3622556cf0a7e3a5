"""What the engine on TensorRT does with a GPU's memory, on a double of both."""

from __future__ import annotations

import gc
from threading import Event
from typing import Any

import numpy as np
import pytest
from gpu_double import TensorRTDouble, build

from emopulse_ros.detection.device_memory import DeviceError
from emopulse_ros.detection.model import Card, ModelError, shipped_model
from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.detection.state_pool import Layout
from emopulse_ros.detection.tensorrt_engine import TensorRTEngine
from emopulse_ros.detection.tensorrt_plan import TensorRTError

FLOW = np.zeros((9, 64, 64), np.float32)
STATE = 4 * (32 + 42 + 104) * 16 * 16 + 256
"""Bytes of one state of the shipped model, the last tensor rounded up."""


@pytest.fixture
def trt() -> TensorRTDouble:
    return TensorRTDouble()


def load(trt: TensorRTDouble, plan: bytes | None = None, faces: int = 2) -> TensorRTEngine:
    plan = build(shipped_model(), 1, Event()) if plan is None else plan
    card = OnnxEngine(shipped_model()).card
    return TensorRTEngine(trt, plan, trt.open_device(), card, "0" * 64, faces=faces)


def test_a_step_allocates_nothing_and_swaps_two_sets(trt: TensorRTDouble) -> None:
    engine = load(trt)
    (gpu,), (context,) = trt.gpus, trt.contexts
    before = gpu.allocations
    state, read, written = engine.first_state(), [], []
    for _ in range(6):
        _, state = engine.step(FLOW, state)
        read.append(context.addresses["state_0"])
        written.append(context.addresses["next_state_0"])
    assert gpu.allocations == before
    assert read[1:] == written[:-1]
    assert all(one != other for one, other in zip(read, written, strict=True))
    engine.close()


def test_states_that_nobody_refers_to_give_their_buffers_back(trt: TensorRTDouble) -> None:
    engine = load(trt)
    kept = []
    state = engine.first_state()
    for _ in range(4):
        _, state = engine.step(FLOW, state)
        kept.append(state)
    with pytest.raises(DeviceError, match="all 4 states the engine has room for are in use"):
        engine.step(FLOW, state)
    kept.pop(0)
    del state
    gc.collect()
    for _ in range(100):
        engine.step(FLOW, kept[-1])
    engine.close()


def test_the_state_that_knows_nothing_is_never_written_to(trt: TensorRTDouble) -> None:
    engine = load(trt)
    first = engine.first_state()
    state = first
    for number in range(5):
        _, state = engine.step(FLOW + number, state)
    assert not trt.gpus[0].view(first.address, (STATE // 4,)).any()
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
        load(trt, build(shipped_model("clip"), 1, Event()))
    assert trt.gpus[0].is_empty


def test_a_plan_for_other_units_is_refused(trt: TensorRTDouble) -> None:
    plan, few = build(shipped_model(), 1, Event()), Card("few", "step", codes=(1, 2))
    with pytest.raises(TensorRTError, match=r"logits is \(1, 15\), the model's is \(1, 2\)"):
        TensorRTEngine(trt, plan, trt.open_device(), few, "0" * 64)
    assert trt.gpus[0].is_empty


def test_inputs_in_16_bits_are_refused(trt: TensorRTDouble, monkeypatch: Any) -> None:
    monkeypatch.setattr(TensorRTDouble.DataType, "FLOAT", "other")
    with pytest.raises(TensorRTError, match="is not in 32 bits"):
        load(trt)


def test_a_step_that_is_not_taken_is_told_and_costs_no_buffers(trt: TensorRTDouble) -> None:
    engine = load(trt)
    state = engine.first_state()
    trt.contexts[0].takes_steps = False
    for _ in range(10):
        with pytest.raises(TensorRTError, match="did not take the step"):
            engine.step(FLOW, state)
    trt.contexts[0].takes_steps = True
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
