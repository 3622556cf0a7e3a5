"""The best engine: it starts at once, takes TensorRT when it is ready, and survives its failure."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gpu_double
import numpy as np
import pytest
from gpu_double import TensorRTDouble

from emopulse_ros.detection.best_engine import BestEngine, EngineError
from emopulse_ros.detection.detector import Detector
from emopulse_ros.detection.device_memory import DeviceError
from emopulse_ros.detection.model import ModelError, shipped_model
from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.detection.plan_cache import PlanCache
from emopulse_ros.detection.tensorrt_plan import TensorRTError
from emopulse_ros.detection.tensorrt_start import Gpu, TensorRTStart
from emopulse_ros.stream import FlowStep

SERVES = "TensorRT 10.3.0 on Double, reached by nothing, in 32 bits, as CUDA graphs"
FLOWS = np.random.default_rng(5).normal(0.0, 0.5, (40, 9, 64, 64)).astype(np.float32)


class World:
    """A machine with a double of a GPU, what is told there, and how long a plan takes."""

    def __init__(self, folder: Path) -> None:
        self.trt = TensorRTDouble()
        # By itself: in 32 bits the double says the very same as ONNX Runtime.
        self.model = Path(shutil.copy(shipped_model(), folder))
        self.cache = PlanCache(folder / "engines")
        self.told: list[str] = []
        self.warned: list[str] = []
        self.may_build = threading.Event()
        self.may_build.set()
        self.builds = 0
        self.graphs = True
        self.open: list[BestEngine] = []

    def engine(self, wanted: str = "auto", **options: Any) -> BestEngine:
        found = {"find": self.find, "start": self.start, **options}
        engine = BestEngine(
            self.model, wanted, inform=self.told.append, warn=self.warned.append, **found
        )
        self.open.append(engine)
        return engine

    def find(self) -> Gpu:
        return Gpu(self.trt, "Double", "8.7", self.trt.open_device, self.graphs)

    def start(self, *given: Any, **options: Any) -> TensorRTStart:
        return TensorRTStart(*given, **options, cache=self.cache, build=self.build)

    def build(self, model: Path, faces: int, over: threading.Event) -> bytes:
        while not self.may_build.wait(0.01):
            if over.is_set():
                raise TensorRTError("given up")
        self.builds += 1
        return gpu_double.build(model, faces, over)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    for engine in made.open:
        engine.close()
    assert all(gpu.is_empty for gpu in made.trt.gpus)


def follow(engine: Any, state: Any, count: int = 1, begin: int = 0) -> tuple[Any, Any]:
    for flow in FLOWS[begin : begin + count]:
        reading, state = engine.step(flow, state)
    return reading, state


@pytest.fixture(scope="module")
def onnx() -> OnnxEngine:
    return OnnxEngine(shipped_model())


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


@pytest.mark.parametrize("how", ["stream", "graph", "step", "crash"])
def test_a_failure_in_flight_is_answered_by_onnx_runtime(
    world: World, onnx: OnnxEngine, how: str
) -> None:
    world.graphs = how in ("stream", "graph")
    engine = world.engine(wait=True)
    states = [engine.first_state() for _ in range(3)]
    for face, state in enumerate(states):
        _, states[face] = follow(engine, state, 5)
    if how == "stream":
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
    assert engine.trouble.startswith("TensorRT failed: ")
    assert engine.describe() == onnx.describe()
    assert world.warned == [f"{engine.trouble}; the network runs on {onnx.describe()} from here on"]


def test_what_is_wrong_with_the_flow_is_not_laid_to_tensorrt(world: World) -> None:
    engine = world.engine(wait=True)
    with pytest.raises(ModelError, match="the flow is"):
        engine.step(FLOWS[0, :, ::2], engine.first_state())
    assert engine.failures == 0
    assert engine.describe().startswith("TensorRT")


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
    assert world.told == [f"the network runs on {onnx.describe()}: {error}"]
    assert (world.warned, engine.trouble, engine.is_building) == ([], "", False)
    follow(engine, engine.first_state())
    with pytest.raises(EngineError, match=f"TensorRT cannot run the network: {error}"):
        world.engine("tensorrt", find=find)


def test_onnx_is_onnx_whatever_there_is(world: World, onnx: OnnxEngine) -> None:
    assert world.engine("onnx").describe() == onnx.describe()
    assert world.told == [f"the network runs on {onnx.describe()}, as was asked for"]
    assert not world.trt.gpus


def test_tensorrt_is_waited_for_where_it_is_asked_for(world: World) -> None:
    assert world.engine("tensorrt").describe().startswith("TensorRT")
    assert not world.trt.gpus[-1].is_empty


def test_an_engine_nobody_knows_is_told_with_the_right_ones(world: World) -> None:
    with pytest.raises(EngineError, match="no engine 'cuda': it is auto, onnx or tensorrt"):
        world.engine("cuda")


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


def test_a_builder_that_breaks_is_told(world: World) -> None:
    def broken(*_: Any) -> bytes:
        raise MemoryError

    build: Callable[..., bytes] = broken
    world.build = build  # type: ignore[method-assign]
    engine = world.engine()
    assert engine.wait(30.0)
    assert engine.trouble == "TensorRT is not used: MemoryError"
