"""The best engine: it starts at once, and takes TensorRT when that is ready and right."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from best_engine_world import NO_CUDA, SERVES, World, follow

from emopulse_ros.detection.best_engine import EngineError
from emopulse_ros.detection.device_memory import DeviceError
from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.detection.tensorrt_plan import TensorRTError
from emopulse_ros.detection.tensorrt_start import Gpu, TensorRTStart


def test_a_plan_that_is_waited_for_is_given_up(world: World) -> None:
    world.may_build.clear()
    over = threading.Event()
    threading.Timer(0.2, over.set).start()
    with pytest.raises(EngineError, match="TensorRT cannot run the network: given up"):
        world.engine("tensorrt", over=over)
    assert world.builds == 0


def test_onnx_serves_while_a_plan_is_built_and_then_tensorrt_does(
    world: World, onnx: OnnxEngine
) -> None:
    world.may_build.clear()
    engine = world.engine()
    assert engine.is_building
    assert engine.describe().startswith("ONNX Runtime")
    assert engine.describe().endswith("while a TensorRT plan is built")
    reading, state = follow(engine, engine.first_state(), 20)
    wanted, _ = follow(onnx, onnx.first_state(), 20)
    np.testing.assert_array_equal(reading.logits, wanted.logits)
    assert not world.trt.contexts

    world.may_build.set()
    assert engine.wait(30.0)
    steps = world.trt.steps
    reading, state = follow(engine, state, 3, begin=20)
    assert world.trt.steps == steps + 3
    # What ONNX Runtime had in mind is gone: as if the face had just come.
    wanted, _ = follow(onnx, onnx.first_state(), 3, begin=20)
    np.testing.assert_allclose(reading.logits, wanted.logits, atol=1e-3)
    assert engine.describe() == SERVES
    assert world.told == [
        f"the network runs on {onnx.describe()} while a TensorRT plan is built for Double",
        f"the network runs on {SERVES}",
    ]
    assert (world.warned, engine.trouble, engine.failures) == ([], "", 0)


def test_a_kept_plan_serves_from_the_first_step(world: World) -> None:
    world.engine(wait=True).close()
    engine = world.engine()
    assert not engine.is_building
    assert engine.describe().startswith("TensorRT")
    assert world.builds == 1
    assert world.warned == []


def test_a_spoilt_plan_is_built_anew_and_said_so(world: World) -> None:
    world.engine(wait=True).close()
    (path,) = world.cache.folder.iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    assert world.engine(wait=True).describe().startswith("TensorRT")
    assert world.builds == 2
    assert world.warned[0].endswith("is not whole; it is built anew")


def test_a_plan_that_tensorrt_refuses_is_built_anew(world: World, onnx: OnnxEngine) -> None:
    world.cache.put(world.find().key(onnx.model_hash), b"of a version before")
    assert world.engine(wait=True).describe().startswith("TensorRT")
    assert world.builds == 1
    assert "cannot load the plan" in world.warned[0]
    assert all(gpu.is_empty for gpu in world.trt.gpus[:-1])


def test_a_cache_that_others_may_write_to_costs_a_warning_and_no_more(world: World) -> None:
    world.cache.folder.mkdir(parents=True)
    world.cache.folder.chmod(0o777)
    assert world.engine(wait=True).describe().startswith("TensorRT")
    assert world.warned[0].startswith("others may write to the folder")
    assert world.warned[1].endswith("it is built anew at every start")
    assert list(world.cache.folder.iterdir()) == []


def test_an_engine_that_disagrees_is_not_used(world: World, onnx: OnnxEngine) -> None:
    world.trt.error = 2e-3
    engine = world.engine()
    assert engine.wait(30.0)
    assert engine.describe() == onnx.describe()
    assert "TensorRT is not used: TensorRT 10.3.0 on Double" in engine.trouble
    assert "disagree by 0.002 at step 1 of 16 faces, more than 0.001" in engine.trouble
    assert world.warned == [f"{engine.trouble}; the network runs on {onnx.describe()}"]
    assert world.trt.gpus[-1].is_empty
    # Nor is it when its plan comes out of the cache.
    assert "disagree" in world.engine().trouble
    with pytest.raises(EngineError, match="disagree"):
        world.engine("tensorrt")


def test_a_gpu_without_room_is_not_used(world: World, onnx: OnnxEngine) -> None:
    world.trt.room = 1 << 16
    engine = world.engine(wait=True)
    assert "out of memory" in engine.trouble
    assert engine.describe() == onnx.describe()
    follow(engine, engine.first_state())


@pytest.mark.parametrize(
    "error",
    [DeviceError("no GPU can be used: no driver"), TensorRTError("TensorRT cannot be loaded")],
)
def test_without_a_gpu_one_line_says_which_engine_and_why(
    world: World, onnx: OnnxEngine, error: Exception
) -> None:
    def find() -> Gpu:
        raise error

    engine = world.engine(find=find)
    # Where there is no GPU, nobody asks for CUDA either.
    reasons = str(error) if isinstance(error, DeviceError) else f"{error}; {NO_CUDA}"
    assert world.told == [f"the network runs on {onnx.describe()}: {reasons}"]
    assert (world.warned, engine.trouble, engine.is_building) == ([], "", False)
    follow(engine, engine.first_state())
    with pytest.raises(EngineError, match=f"TensorRT cannot run the network: {error}"):
        world.engine("tensorrt", find=find)


def test_cuda_serves_where_there_is_no_tensorrt(world: World, onnx: OnnxEngine) -> None:
    def find() -> Gpu:
        raise TensorRTError("TensorRT cannot be loaded")

    world.has_cuda = True
    engine = world.engine(find=find)
    assert world.told == [f"the network runs on {engine.describe()}"]
    assert "by CUDA on Double" in engine.describe()
    assert (world.warned, engine.trouble, engine.at_once) == ([], "", 16)
    reading, _ = follow(engine, engine.first_state(), 9)
    wanted, _ = follow(onnx, onnx.first_state(), 9)
    np.testing.assert_allclose(reading.logits, wanted.logits, atol=1e-5)
    engine.close()
    assert world.trt.gpus[-1].is_empty


def test_cuda_serves_where_tensorrt_refuses(world: World) -> None:
    world.has_cuda = True
    world.trt.error = 2e-3
    engine = world.engine()
    assert engine.wait(30.0)
    assert "by CUDA on Double" in engine.describe()
    assert engine.trouble.startswith("TensorRT is not used: ")
    assert world.warned == [f"{engine.trouble}; the network runs on {engine.describe()}"]


def test_cuda_is_cuda_or_nothing(world: World) -> None:
    with pytest.raises(EngineError, match=f"CUDA cannot run the network: {NO_CUDA}"):
        world.engine("cuda")
    world.has_cuda = True
    assert "by CUDA on Double" in world.engine("cuda").describe()
    assert not world.trt.contexts


def test_onnx_is_onnx_whatever_there_is(world: World, onnx: OnnxEngine) -> None:
    assert world.engine("onnx").describe() == onnx.describe()
    assert world.told == [f"the network runs on {onnx.describe()}, as was asked for"]
    assert not world.trt.gpus


def test_tensorrt_is_waited_for_where_it_is_asked_for(world: World) -> None:
    assert world.engine("tensorrt").describe().startswith("TensorRT")
    assert not world.trt.gpus[-1].is_empty


def test_an_engine_nobody_knows_is_told_with_the_right_ones(world: World) -> None:
    with pytest.raises(EngineError, match="no engine 'gpu': it is auto, onnx, cuda or tensorrt"):
        world.engine("gpu")


def test_the_end_does_not_wait_for_a_plan(world: World) -> None:
    world.may_build.clear()
    engine = world.engine()
    _, state = follow(engine, engine.first_state())
    engine.close()
    assert not engine.is_building
    assert world.builds == 0
    assert world.warned == []
    follow(engine, state)


def test_what_is_ready_after_the_end_goes_back_to_the_gpu(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan is being loaded when all ends: nobody would close it."""
    loading, may_load = threading.Event(), threading.Event()
    built = TensorRTStart.built

    def slowly(self: Any, over: threading.Event) -> Any:
        engine = built(self, over)
        loading.set()
        may_load.wait(30.0)
        return engine

    monkeypatch.setattr(TensorRTStart, "built", slowly)
    engine = world.engine()
    assert loading.wait(30.0)
    ending = threading.Thread(target=engine.close)
    ending.start()
    assert engine._over.wait(30.0)
    may_load.set()
    ending.join(30.0)
    assert engine.describe().startswith("ONNX Runtime")
    assert world.trt.gpus[-1].is_empty


def test_a_builder_that_breaks_is_told(world: World) -> None:
    def broken(*_: Any) -> bytes:
        raise MemoryError

    build: Callable[..., bytes] = broken
    world.build = build  # type: ignore[method-assign]
    engine = world.engine()
    assert engine.wait(30.0)
    assert engine.trouble == "TensorRT is not used: MemoryError"
