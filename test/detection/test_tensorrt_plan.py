"""The shipped model as a TensorRT plan, built by a real TensorRT, with or without a GPU."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

from emopulse_ros.detection import tensorrt_plan
from emopulse_ros.detection.model import half_of, shipped_model
from emopulse_ros.detection.tensorrt_plan import TensorRTError, build_plan, find_tensorrt


@pytest.fixture(scope="module")
def trt() -> Any:
    try:
        return find_tensorrt()
    except TensorRTError as error:
        pytest.skip(f"needs TensorRT: {error}")


@pytest.mark.parametrize("faces", [1, 16])
def test_the_shipped_model_builds(trt: Any, faces: int) -> None:
    plan = build_plan(trt, shipped_model(), faces=faces)
    # The weights alone are this much: a plan without them would be a shell.
    assert len(plan) > shipped_model().stat().st_size / 2


def test_weights_decide_what_a_plan_holds(trt: Any, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(shipped_model())
    largest = max(model.graph.initializer, key=lambda entry: len(entry.raw_data))
    changed = bytes(reversed(largest.raw_data[:4096])) + largest.raw_data[4096:]
    largest.raw_data = changed
    other = tmp_path / "other.onnx"
    onnx.save(model, other)
    assert build_plan(trt, other) != build_plan(trt, shipped_model())


def test_half_precision_in_the_file_builds(trt: Any) -> None:
    half = half_of(shipped_model())
    assert half is not None
    assert half.stat().st_size < 0.7 * shipped_model().stat().st_size
    assert len(build_plan(trt, half)) < len(build_plan(trt, shipped_model()))


def test_a_file_that_is_no_network_is_refused_with_its_name(trt: Any, tmp_path: Path) -> None:
    file = tmp_path / "noise.onnx"
    file.write_bytes(b"not a network")
    with pytest.raises(TensorRTError, match=r"^TensorRT.* refuses the model .*noise\.onnx: "):
        build_plan(trt, file)


def test_the_model_in_8_bits_is_for_processors(trt: Any) -> None:
    """Its quantised biases are what TensorRT refuses, each version in words of its own."""
    refused = r"refuses the model .*tiny_i3d_int8\.onnx: .*(Int32|DequantizeLinear)"
    with pytest.raises(TensorRTError, match=refused):
        build_plan(trt, shipped_model("int8"))


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(TensorRTError, match=r"missing\.onnx cannot be read: No such file"):
        build_plan(None, tmp_path / "missing.onnx")


def test_without_tensorrt_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tensorrt_plan.LIBRARIES:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(TensorRTError, match=r"TensorRT cannot be loaded .*JetPack"):
        find_tensorrt()


def test_a_tensorrt_that_does_not_load_gives_way_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tensorrt.py").write_text("raise OSError('libnvinfer.so.10: cannot open')")
    (tmp_path / "tensorrt_rtx.py").write_text("__version__ = '1.0'")
    monkeypatch.syspath_prepend(tmp_path)
    for name in tensorrt_plan.LIBRARIES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert find_tensorrt().__name__ == "tensorrt_rtx"
    # Not by monkeypatch, which would put it back for the tests that follow.
    del sys.modules["tensorrt_rtx"]


OWNERS = {
    "tensorrt_plan": {
        "trt": "",
        "builder": "Builder",
        "network": "INetworkDefinition",
        "parser": "OnnxParser",
        "config": "IBuilderConfig",
        "profile": "IOptimizationProfile",
        "tensor": "ITensor",
    },
    "tensorrt_engine": {
        "trt": "",
        "_runtime": "Runtime",
        "_engine": "ICudaEngine",
        "engine": "ICudaEngine",
        "context": "IExecutionContext",
    },
}
"""By module, what its variables are of TensorRT."""

GONE = {"trt.BuilderFlag.FP16", "trt.PreviewFeature.PROFILE_SHARING_0806"}
"""Used up to 8.6 alone."""


@pytest.mark.parametrize("module", OWNERS)
def test_every_attribute_used_is_in_the_bindings(trt: Any, module: str) -> None:
    """The names of TensorRT in the source, each looked up where it is used."""
    tree = ast.parse(Path(tensorrt_plan.__file__).with_name(f"{module}.py").read_text("utf-8"))
    owners = OWNERS[module]
    used: set[tuple[str, str, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            parts = ast.unparse(node).removeprefix("self.").split(".")
            if parts[0] in owners and len(parts) > 1 and all(part.isidentifier() for part in parts):
                used.add((parts[0], parts[1], ".".join(parts[2:])))
    assert {owner for owner, *_ in used} == set(owners)
    for owner, name, rest in sorted(used):
        if f"{owner}.{name}.{rest}" in GONE and hasattr(
            trt.NetworkDefinitionCreationFlag, tensorrt_plan.STRONG
        ):
            continue
        kind = getattr(trt, owners[owner]) if owners[owner] else trt
        assert hasattr(kind, name), f"{owner}.{name}"
        # Members of what TensorRT's module holds itself, such as DataType.FLOAT.
        if rest and not owners[owner]:
            assert hasattr(getattr(trt, name), rest), f"{owner}.{name}.{rest}"


def test_what_decides_the_plan_is_that_32_bits_are_32_bits(
    trt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = []

    class Builder(trt.Builder):  # type: ignore[misc]
        def build_serialized_network(self, network: Any, config: Any) -> Any:
            flags.append(config.get_flag(trt.BuilderFlag.TF32))
            return super().build_serialized_network(network, config)

    monkeypatch.setattr(trt, "Builder", Builder)
    build_plan(trt, shipped_model(), faces=1)
    assert flags == [False]
