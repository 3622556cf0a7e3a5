"""What is found on a machine, and that a plan serves only once it has shown that it is right."""

from __future__ import annotations

import shutil
from pathlib import Path
from threading import Event
from typing import Any

import gpu_double
import pytest

from emopulse_ros.detection import tensorrt_start
from emopulse_ros.detection.device_memory import DeviceError
from emopulse_ros.detection.model import half_of, shipped_model
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


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The shipped model, and beside it that in 16 bits."""
    half = half_of(shipped_model())
    assert half is not None
    shutil.copy(half, tmp_path)
    return Path(shutil.copy(shipped_model(), tmp_path))


def begin(trt: Any, model: Path, warn: Any = pytest.fail) -> TensorRTStart:
    return TensorRTStart(
        Gpu(trt, "Double", "8.7", trt.open_device),
        model,
        OnnxEngine(model),
        warn=warn,
        cache=PlanCache(model.parent / "engines"),
        build=gpu_double.build,
    )


def test_16_bits_beside_the_model_are_taken_and_may_be_off_by_more(trt: Any, model: Path) -> None:
    trt.error = 10 * FULL
    engine = begin(trt, model).built(Event())
    assert ", in 16 bits" in engine.describe()
    engine.close()
    start = begin(trt, model)
    kept = start.from_cache()
    assert kept is not None
    kept.close()
    assert start.parity is not None
    assert 10 * FULL - HALF / 2 < start.parity.worst < HALF
    assert all(gpu.is_empty for gpu in trt.gpus)


@pytest.mark.parametrize("kept", [False, True])
def test_16_bits_that_disagree_give_way_to_32(trt: Any, model: Path, kept: bool) -> None:
    # As the model of another training would, left behind beside this one.
    other = shipped_model("int8")
    shutil.copy(other, model.with_name(f"{model.stem}_fp16.onnx"))
    told: list[str] = []
    if kept:
        begin(trt, model, told.append).built(Event()).close()
        told.clear()
        engine = begin(trt, model, told.append).from_cache()
        assert engine is not None
    else:
        engine = begin(trt, model, told.append).built(Event())
    assert ", in 32 bits" in engine.describe()
    (warning,) = told
    assert "disagree by" in warning
    assert warning.endswith("tiny_i3d.onnx in 32 bits is taken instead")
    engine.close()
    assert all(gpu.is_empty for gpu in trt.gpus)


def test_what_disagrees_in_32_bits_too_is_not_used(trt: Any, model: Path) -> None:
    trt.error = 2 * HALF
    told: list[str] = []
    with pytest.raises(ParityError, match=f"more than {FULL:g}"):
        begin(trt, model, told.append).built(Event())
    assert len(told) == 1
    assert all(gpu.is_empty for gpu in trt.gpus)
