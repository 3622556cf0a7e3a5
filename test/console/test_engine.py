"""``emopulse engine``: on a machine that has nothing, and on a double of a GPU."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from emopulse_ros.bench import engines
from emopulse_ros.cli import main
from emopulse_ros.detection import build_beside, device_memory, tensorrt_start
from emopulse_ros.detection.plan_cache import PlanCache, PlanKey
from emopulse_ros.detection.tensorrt_start import Gpu

sys.path.append(str(Path(__file__).parent.parent / "detection"))

import gpu_double


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlanCache:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return PlanCache()


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a driver."""
    monkeypatch.setattr(device_memory, "DRIVER", "libcuda_that_is_not_there.so.1")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Any:
    trt = gpu_double.TensorRTDouble()
    monkeypatch.setattr(
        tensorrt_start, "find_gpu", lambda: Gpu(trt, "Double", "8.7", trt.open_device)
    )
    monkeypatch.setattr(build_beside, "build_beside", gpu_double.build)
    yield trt
    assert all(one.is_empty for one in trt.gpus)


NO_GPU = "no GPU can be used: there is no NVIDIA driver"


@pytest.mark.usefixtures("nothing")
@pytest.mark.parametrize("action", [["build"], ["inspect"], ["bench", "--engine", "tensorrt"]])
def test_without_a_gpu_it_ends_with_a_sentence(
    action: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["engine", *action]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith("emopulse: TensorRT cannot run the network")
    assert NO_GPU in told


@pytest.mark.usefixtures("nothing")
def test_without_cuda_it_ends_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["engine", "bench", "--engine", "cuda"]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith("emopulse: CUDA cannot run the network: ")


@pytest.mark.usefixtures("nothing")
def test_without_a_gpu_onnx_runtime_alone_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "WARM_UP_S", 0.1)
    file = tmp_path / "rows.json"
    assert main(["engine", "bench", "--seconds", "0.3", "--json", str(file)]) == 0
    rows = json.loads(file.read_text())
    assert [row["faces"] for row in rows] == [1, 4, 16]
    for row in rows:
        assert row["engine"].startswith("ONNX Runtime")
        assert 0.0 < row["median_ms"] <= row["p99_ms"]
        # Paced: no more than there are frames, however fast the network is.
        assert 1 <= row["ticks"] <= 61
        assert 0 <= row["late"] <= row["ticks"]
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 6
    assert f"{rows[0]['median_ms']:.3f}" in out[1]
    assert out[-2].startswith("Not measured. TensorRT cannot run the network: ")
    assert out[-1].startswith("Not measured. CUDA cannot run the network: ")


def test_a_plan_is_built_kept_and_found(
    gpu: Any, cache: PlanCache, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["engine", "inspect"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "TensorRT 10.3.0 on Double, compute capability 8.7",
        f"no plan is kept in {cache.folder}",
    ]
    assert main(["engine", "build"]) == 0
    out = capsys.readouterr().out
    (kept,) = cache.folder.iterdir()
    assert "building a plan of tiny-i3d" in out
    assert (
        "TensorRT 10.3.0 on Double, reached by nothing, in 16 bits, as CUDA graphs is ready" in out
    )
    assert "it agrees with ONNX Runtime" in out
    assert f"kept as {kept}" in out

    monkeypatch.setattr(build_beside, "build_beside", pytest.fail)
    assert main(["engine", "build"]) == 0
    assert "building" not in capsys.readouterr().out

    cache.put(PlanKey("TensorRT 8.6.1", "8.7", "Double", "ab" * 32, 1), b"older")
    (cache.folder / "broken.plan").write_text("broken")
    assert main(["engine", "inspect"]) == 0
    told = capsys.readouterr().out
    assert "this model, TensorRT 10.3.0 on Double (8.7): valid here" in told
    assert "model abababab, TensorRT 8.6.1 on Double (8.7): not for this machine" in told
    assert "broken.plan  cannot be used: the plan" in told
    assert len(gpu.gpus) == 2


def test_both_engines_are_measured(
    gpu: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rows.json"
    monkeypatch.setattr(engines, "WARM_UP_S", 0.1)
    use_the_double(monkeypatch, gpu)
    assert main(["engine", "bench", "--seconds", "0.2", "--json", str(file)]) == 0
    names = [row["engine"].partition(" ")[0] for row in json.loads(file.read_text())]
    assert names == ["ONNX"] * 3 + ["TensorRT"] * 3


def test_figures_of_onnx_runtime_are_not_told_as_tensorrts(
    gpu: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It fails on the way: what ONNX Runtime then does is nobody's figure."""
    use_the_double(monkeypatch, gpu)
    run_engine = engines.run_engine

    def failing(*given: Any, **options: Any) -> Any:
        gpu.gpus[-1].takes_graphs = False
        return run_engine(*given, **options)

    monkeypatch.setattr(engines, "run_engine", failing)
    file = tmp_path / "rows.json"
    asked = ["engine", "bench", "--engine", "tensorrt", "--seconds", "0.1", "--json", str(file)]
    assert main(asked) == 1
    assert "TensorRT failed: the GPU does not take its work" in capsys.readouterr().err
    assert not file.exists()


def use_the_double(monkeypatch: pytest.MonkeyPatch, trt: Any) -> None:
    """Let the best engine find the double as well."""
    from functools import partial

    from emopulse_ros.detection import best_engine
    from emopulse_ros.detection.tensorrt_start import TensorRTStart

    found = partial(
        best_engine.BestEngine,
        find=lambda: Gpu(trt, "Double", "8.7", trt.open_device),
        start=partial(TensorRTStart, build=gpu_double.build),
    )
    monkeypatch.setattr(best_engine, "BestEngine", found)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["build", "--model", "gone.onnx"], "there is no model at gone.onnx"),
        (["inspect", "--model", "gone.onnx"], "gone.onnx cannot be read"),
        (["bench", "--model", "gone.onnx"], "there is no model at gone.onnx"),
        (["bench", "--seconds", "0"], "the duration is 0.0 s"),
        (["bench", "--json", "gone/rows.json"], "no folder for the report"),
    ],
)
@pytest.mark.usefixtures("nothing")
def test_bad_input_is_told_in_a_sentence(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["engine", *arguments]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.usefixtures("nothing")
def test_a_cache_that_others_may_write_to_is_told(
    cache: PlanCache, capsys: pytest.CaptureFixture[str]
) -> None:
    cache.put(PlanKey("TensorRT 8.6.1", "8.7", "Double", "ab" * 32, 1), b"plan")
    cache.folder.chmod(0o777)
    assert main(["engine", "inspect"]) == 2
    assert "others may write to the folder" in capsys.readouterr().err


@pytest.mark.usefixtures("nothing")
def test_a_run_without_ros_takes_the_engine_that_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    asked = ["run", "--no-ros", "--camera", "synthetic:5", "--duration", "0.2", "--engine"]
    assert main([*asked, "tensorrt"]) == 2
    assert NO_GPU in capsys.readouterr().err
    assert main([*asked, "auto"]) == 0
    with pytest.raises(SystemExit):
        main([*asked, "gpu"])


def test_the_options_are_those_of_the_detection() -> None:
    from emopulse_ros.console.options import ENGINES
    from emopulse_ros.detection import best_engine

    assert ENGINES == best_engine.ENGINES
