"""ONNX Runtime's CUDA provider: on a double of a GPU, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from cuda_provider_double import SessionDouble
from gpu_double import GpuDouble
from on_double import FLOW, flows

from emopulse_ros.detection import cuda_engine
from emopulse_ros.detection.cuda_engine import PROVIDER, CudaEngine, start_cuda
from emopulse_ros.detection.device_memory import Device, DeviceError
from emopulse_ros.detection.model import shipped_model
from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.detection.parity import ParityError


@pytest.fixture(scope="module")
def onnx() -> OnnxEngine:
    return OnnxEngine(shipped_model())


class World:
    """A machine with a double of a GPU and of the provider."""

    def __init__(self, onnx: OnnxEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.onnx = onnx
        self.gpus: list[GpuDouble] = []
        self.sessions: list[SessionDouble] = []
        self.room = 1 << 26
        monkeypatch.setattr(cuda_engine, "check_provider", lambda: None)

    def open_gpu(self) -> GpuDouble:
        self.gpus.append(GpuDouble(self.room))
        return self.gpus[-1]

    def open_session(self, model: Path, faces: int, device: Device) -> SessionDouble:
        self.sessions.append(SessionDouble(model, faces, device))
        return self.sessions[-1]

    def start(self, model: Path | None = None, **options: Any) -> CudaEngine:
        found = {"open_gpu": self.open_gpu, "open_session": self.open_session, "faces": 4}
        return start_cuda(model or shipped_model(), self.onnx, **{**found, **options})


@pytest.fixture
def world(onnx: OnnxEngine, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(onnx, monkeypatch)


def test_a_step_is_one_graph_for_each_size_of_batch(world: World) -> None:
    engine = world.start()
    (gpu,) = world.gpus
    assert engine.describe() == (
        f"ONNX Runtime {onnxruntime.__version__} by CUDA on Double, in 32 bits, as CUDA graphs"
    )
    assert (engine.at_once, len(world.sessions), len(gpu.graphs)) == (4, 3, 6)
    assert [session.held for session in world.sessions] == [2, 2, 2]
    for session in world.sessions:
        session.takes_steps = False
    allocations, moved = gpu.allocations, engine.bytes_moved
    engine.step(FLOW, engine.first_state())
    assert gpu.allocations == allocations
    assert engine.bytes_moved > moved + FLOW.nbytes
    engine.close()
    assert gpu.is_empty


def test_sessions_let_go_of_what_graphs_have_read_before_they_end(world: World) -> None:
    engine = world.start()
    engine.close()
    assert [session.held for session in world.sessions] == [0, 0, 0]
    # Nor does a GPU that has failed keep the rest from its end.
    engine = world.start()
    world.gpus[-1].fails_with = "unspecified launch failure"
    engine.close()
    assert world.gpus[-1].is_empty
    engine.close()


def test_it_serves_as_graphs_or_not_at_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GpuDouble, "can_capture", False)
    with pytest.raises(DeviceError, match=r"does not run as CUDA graphs, .*install cuda-bindings"):
        world.start()
    assert world.gpus[0].is_empty
    # To be measured it does.
    engine = world.start(graphs=False)
    assert engine.describe().endswith("in 32 bits")
    engine.close()


def test_it_agrees_with_the_processor(world: World) -> None:
    engine = world.start()
    reading, _ = engine.step(flows(3, 1)[0], engine.first_state())
    wanted, _ = world.onnx.step(flows(3, 1)[0], world.onnx.first_state())
    np.testing.assert_allclose(reading.logits, wanted.logits, atol=1e-5)
    engine.close()


def test_one_that_disagrees_is_not_used(world: World) -> None:
    other = shipped_model().with_name("tiny_i3d_int8.onnx")
    if not other.is_file():
        pytest.skip("needs the model in 8 bits")
    with pytest.raises(ParityError, match=r"by CUDA on Double.* disagree by"):
        world.start(other)
    assert world.gpus[0].is_empty


def test_a_step_that_is_not_taken_is_told_in_one_line(world: World) -> None:
    engine = world.start(graphs=False)
    for session in world.sessions:
        session.takes_steps = False
    with pytest.raises(DeviceError, match=r"ONNX Runtime did not take the step: .*failure 5000$"):
        engine.step(FLOW, engine.first_state())
    engine.close()


def test_a_session_that_is_refused_leaves_nothing_behind(world: World) -> None:
    def refused(*_: Any) -> Any:
        raise DeviceError("ONNX Runtime's CUDA provider does not run the network: no kernel")

    with pytest.raises(DeviceError, match="no kernel"):
        world.start(open_session=refused)
    assert world.gpus[0].is_empty


def test_a_gpu_without_room_is_told(world: World) -> None:
    world.room = 1 << 16
    with pytest.raises(DeviceError, match="out of memory"):
        world.start()
    assert world.gpus[0].is_empty


def test_with_the_number_of_faces_fixed_nothing_asks_for_a_shape() -> None:
    """What would run on a processor, and could not be kept in a graph."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.add_free_dimension_override_by_name(cuda_engine.BATCH, 4)
        options.optimized_model_filepath = str(Path(folder, "optimised.onnx"))
        onnxruntime.InferenceSession(str(shipped_model()), options)
        left = {node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node}
    assert not left & {"Shape", "Size", "Range", "NonZero"}


@pytest.mark.skipif(
    PROVIDER in onnxruntime.get_available_providers(), reason="ONNX Runtime has its CUDA provider"
)
def test_without_the_provider_a_sentence_says_what_to_do(onnx: OnnxEngine) -> None:
    with pytest.raises(DeviceError, match="has no CUDA provider: pip install onnxruntime-gpu"):
        start_cuda(shipped_model(), onnx, open_gpu=pytest.fail)  # type: ignore[arg-type]


def test_a_provider_that_does_not_load_is_told(
    onnx: OnnxEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As where CUDA itself is missing: its library is there, and needs others."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [PROVIDER])
    monkeypatch.setattr(onnxruntime, "__file__", str(tmp_path / "__init__.py"))
    library = tmp_path / "capi" / "libonnxruntime_providers_cuda.so"
    library.parent.mkdir()
    library.write_text("no library")
    with pytest.raises(DeviceError, match=r"does not load \(.*pip install onnxruntime-gpu\[cuda"):
        start_cuda(shipped_model(), onnx, open_gpu=pytest.fail)  # type: ignore[arg-type]
