"""What every engine does, whichever library it runs on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from cuda_provider_double import SessionDouble
from gpu_double import GpuDouble, TensorRTDouble, build
from numpy.typing import NDArray

from emopulse_ros.detection.cuda_engine import CudaEngine, start_cuda
from emopulse_ros.detection.detector import Detector
from emopulse_ros.detection.device_memory import DeviceError
from emopulse_ros.detection.engine import Engine
from emopulse_ros.detection.gpu_engine import GpuEngine
from emopulse_ros.detection.model import shipped_model
from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.detection.tensorrt_engine import TensorRTEngine
from emopulse_ros.detection.tensorrt_plan import TensorRTError
from emopulse_ros.detection.tensorrt_start import Gpu, TensorRTStart, find_gpu
from emopulse_ros.stream import FlowStep

Flow = NDArray[np.float32]


def on_onnx(_: Path) -> Engine:
    return OnnxEngine(shipped_model())


def on_the_double(_: Path) -> Engine:
    trt, model = TensorRTDouble(), shipped_model()
    card = OnnxEngine(model).card
    return TensorRTEngine(trt, build(model, 16, Event()), trt.open_device(), card, "0" * 64)


def on_a_gpu(folder: Path) -> Engine:
    from emopulse_ros.detection.plan_cache import PlanCache

    try:
        gpu: Gpu = find_gpu()
    except (DeviceError, TensorRTError) as error:
        pytest.skip(f"needs a GPU and TensorRT: {error}")
    # By itself: in 32 bits it says the very same as ONNX Runtime.
    model = Path(shutil.copy(shipped_model(), folder))
    cache = PlanCache(folder / "plans")
    return TensorRTStart(gpu, model, OnnxEngine(model), warn=pytest.fail, cache=cache).built(
        Event()
    )


def by_cuda_on_the_double(_: Path) -> Engine:
    return CudaEngine(
        shipped_model(), GpuDouble(), OnnxEngine(shipped_model()), open_session=SessionDouble
    )


def by_cuda_on_a_gpu(_: Path) -> Engine:
    try:
        return start_cuda(shipped_model(), OnnxEngine(shipped_model()))
    except DeviceError as error:
        pytest.skip(f"needs a GPU and ONNX Runtime's CUDA provider: {error}")


KINDS: dict[str, Callable[[Path], Engine]] = {
    "ONNX Runtime": on_onnx,
    "TensorRT on a double": on_the_double,
    "TensorRT on a GPU": on_a_gpu,
    "CUDA on a double": by_cuda_on_the_double,
    "CUDA on a GPU": by_cuda_on_a_gpu,
}


@pytest.fixture(scope="module", params=KINDS)
def engine(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = KINDS[request.param](tmp_path_factory.mktemp("engine"))
    yield made
    if isinstance(made, GpuEngine):
        made.close()


@pytest.fixture(scope="module")
def reference() -> Engine:
    return OnnxEngine(shipped_model())


def flows(seed: int, count: int) -> list[Flow]:
    random = np.random.default_rng(seed)
    return [random.normal(0.0, 0.5, (9, 64, 64)).astype(np.float32) for _ in range(count)]


def run(engine: Engine, steps: list[Flow]) -> list[Flow]:
    state, logits = engine.first_state(), []
    for flow in steps:
        reading, state = engine.step(flow, state)
        logits.append(reading.logits)
    return logits


def close(one: list[Flow], other: list[Flow]) -> bool:
    return bool(np.abs(np.stack(one) - np.stack(other)).max() < 1e-3)


def test_it_agrees_with_onnx_runtime_step_by_step(engine: Engine, reference: Engine) -> None:
    steps = flows(1, 40)
    assert close(run(engine, steps), run(reference, steps))
    # And the state counts: the same flow says something else without what went before.
    assert not close(run(engine, steps[-1:]), run(reference, steps)[-1:])


def test_all_of_a_reading_agrees(engine: Engine, reference: Engine) -> None:
    (flow,) = flows(2, 1)
    (mine, _), (other, _) = (one.step(flow, one.first_state()) for one in (engine, reference))
    np.testing.assert_allclose(mine.intensity, other.intensity, atol=1e-3)
    assert mine.attention == pytest.approx(other.attention, abs=1e-3)
    assert mine.logits.shape == mine.intensity.shape == (len(engine.card.codes),)
    assert mine.logits.dtype == mine.intensity.dtype == np.float32


def test_a_step_can_be_repeated(engine: Engine) -> None:
    state = engine.first_state()
    for flow in flows(3, 5):
        _, state = engine.step(flow, state)
    one, other = flows(4, 2)
    first, after = engine.step(one, state)
    engine.step(other, state)
    engine.step(other, after)
    again, _ = engine.step(one, state)
    np.testing.assert_array_equal(first.logits, again.logits)


def test_a_reading_stays_as_it_was(engine: Engine) -> None:
    one, other = flows(5, 2)
    reading, state = engine.step(one, engine.first_state())
    kept = reading.logits.copy(), reading.intensity.copy()
    engine.step(other, state)
    np.testing.assert_array_equal(reading.logits, kept[0])
    np.testing.assert_array_equal(reading.intensity, kept[1])


def test_sixteen_faces_in_turn_do_not_mix(engine: Engine) -> None:
    each = [flows(10 + face, 6) for face in range(16)]
    states = [engine.first_state() for _ in each]
    last = []
    for number in range(6):
        for face, steps in enumerate(each):
            reading, states[face] = engine.step(steps[number], states[face])
            if number == 5:
                last.append(reading.logits)
    alone = [run(engine, steps)[-1] for steps in each]
    np.testing.assert_allclose(np.stack(last), np.stack(alone), atol=1e-5)


@pytest.mark.parametrize("count", [1, 3, 16, 20])
def test_faces_at_once_are_read_as_each_alone(engine: Engine, count: int) -> None:
    each = [flows(40 + face, 4) for face in range(count)]
    states = [engine.first_state() for _ in each]
    for number in range(4):
        done = engine.step_all([steps[number] for steps in each], states)
        states = [after for _, after in done]
    alone = [run(engine, steps)[-1] for steps in each]
    together = [reading.logits for reading, _ in done]
    np.testing.assert_allclose(np.stack(together), np.stack(alone), atol=1e-3)
    assert np.ptp(np.stack(alone), axis=0).min() > 1e-3 or count == 1


def test_a_flow_that_is_not_writable_is_taken(engine: Engine) -> None:
    (flow,) = flows(6, 1)
    flow.flags.writeable = False
    engine.step(flow, engine.first_state())


def test_a_flow_of_another_shape_is_refused_and_the_next_is_not(engine: Engine) -> None:
    with pytest.raises(Exception, match=r"(?i)flow"):
        engine.step(np.zeros((9, 32, 32), np.float32), engine.first_state())
    engine.step(np.zeros((9, 64, 64), np.float32), engine.first_state())


def test_a_detector_runs_on_it(engine: Engine) -> None:
    detector, channels = Detector(engine), engine.card.recipe.channels
    for number, flow in enumerate(flows(7, 5)):
        # A gap in the middle: a step that is held.
        stamp = 5_000_000 * (number if number < 3 else number + 4)
        step = FlowStep(stamp, number, 1, flow, channels, np.eye(2, 3), number == 0)
        answer = detector(step)
        assert ((answer.probability > 0.0) & (answer.probability < 1.0)).all()


def test_it_says_what_it_is(engine: Engine) -> None:
    assert engine.describe().startswith(("ONNX Runtime 1.", "TensorRT"))
