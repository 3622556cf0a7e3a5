"""What the engine on TensorRT does with a GPU's memory, on a double of both."""

from __future__ import annotations

from threading import Event
from typing import Any

import numpy as np
import pytest
from gpu_double import GpuDouble, TensorRTDouble, build
from on_double import FLOW, flows, load

from emopulse_ros.detection.device_memory import DeviceError
from emopulse_ros.detection.model import Card, ModelError, shipped_model
from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.detection.tensorrt_engine import TensorRTEngine
from emopulse_ros.detection.tensorrt_plan import TensorRTError


@pytest.fixture
def trt() -> TensorRTDouble:
    return TensorRTDouble()


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


def test_all_goes_back_to_the_gpu(trt: TensorRTDouble) -> None:
    engine = load(trt)
    state = engine.first_state()
    engine.close()
    assert trt.gpus[0].is_empty
    assert trt.gpus[0].room == trt.room
    engine.close()
    for use in (engine.first_state, lambda: engine.step(FLOW, state)):
        with pytest.raises(DeviceError, match="is closed"):
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
