"""What is found on a machine, and that a plan serves only once it has shown that it is right."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import gpu_double
import pytest

from emopulse_ros.detection import tensorrt_start
from emopulse_ros.detection.device_memory import DeviceError
from emopulse_ros.detection.model import shipped_model
from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.detection.parity import FULL, HALF, ParityError
from emopulse_ros.detection.plan_cache import PlanCache
from emopulse_ros.detection.tensorrt_plan import TensorRTError
from emopulse_ros.detection.tensorrt_start import Gpu, TensorRTStart, find_gpu


@pytest.fixture
def trt(monkeypatch: pytest.MonkeyPatch) -> Any:
    made = gpu_double.TensorRTDouble()
    monkeypatch.setattr(tensorrt_start, "open_device", made.open_device)
    monkeypatch.setattr(tensorrt_start, "find_tensorrt", lambda: made)
    return made


def test_the_gpu_is_let_go_of_when_it_is_known(trt: Any) -> None:
    gpu = find_gpu()
    assert (gpu.device, gpu.capability, gpu.trt) == ("Double", "8.7", trt)
    assert trt.gpus[0].is_empty
    key = gpu.key("ab" * 32)
    assert (key.tensorrt, key.capability, key.device) == ("TensorRT 10.3.0", "8.7", "Double")
    trt.__name__ = "tensorrt_rtx"
    assert gpu.key("ab" * 32).tensorrt == "TensorRT for RTX 10.3.0"


def test_a_gpu_without_tensorrt_is_let_go_of(trt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Any:
        raise TensorRTError("TensorRT cannot be loaded")

    monkeypatch.setattr(tensorrt_start, "find_tensorrt", missing)
    with pytest.raises(TensorRTError):
        find_gpu()
    assert trt.gpus[0].is_empty


def test_without_a_gpu_tensorrt_is_not_even_loaded(
    trt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> Any:
        raise DeviceError("no GPU can be used")

    monkeypatch.setattr(tensorrt_start, "open_device", none)
    monkeypatch.setattr(tensorrt_start, "find_tensorrt", pytest.fail)
    with pytest.raises(DeviceError):
        find_gpu()
    assert not trt.gpus


@pytest.mark.parametrize(("error", "serves"), [(0.02, True), (2 * HALF, False)])
def test_a_model_in_16_bits_may_be_off_by_more(
    trt: Any, tmp_path: Path, error: float, serves: bool
) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    from onnxruntime.transformers.float16 import convert_float_to_float16

    half = tmp_path / "half.onnx"
    onnx.save(convert_float_to_float16(onnx.load(shipped_model()), keep_io_types=True), half)
    trt.error = error
    for model, tolerance in ((half, HALF), (shipped_model(), FULL)):
        start = TensorRTStart(
            Gpu(trt, "Double", "8.7", trt.open_device),
            model,
            OnnxEngine(model),
            warn=pytest.fail,
            cache=PlanCache(tmp_path / "engines"),
            build=gpu_double.build,
        )
        if model == half and serves:
            start.built(Event()).close()
            assert start.parity is not None
            assert start.parity.worst == pytest.approx(error, abs=1e-3)
        else:
            with pytest.raises(ParityError, match=f"more than {tolerance:g}"):
                start.built(Event())
    assert all(gpu.is_empty for gpu in trt.gpus)
