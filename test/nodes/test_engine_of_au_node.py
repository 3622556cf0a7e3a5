"""The AU node and its engine: which one it tells of, and that the stream outlives its failure."""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emopulse_ros.flow.recipe import FlowRecipe
from emopulse_ros.stream import read_only

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("emopulse_msgs.msg", reason="emopulse_msgs is not built")

sys.path.append(str(Path(__file__).parent.parent / "detection"))

import gpu_double


@pytest.fixture
def gpu(light: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A double of a GPU under the node's own engine and detector; ``may_build`` holds a plan up."""
    from emopulse_ros import pipeline
    from emopulse_ros.detection.best_engine import BestEngine
    from emopulse_ros.detection.detector import Detector, detect
    from emopulse_ros.detection.plan_cache import PlanCache
    from emopulse_ros.detection.tensorrt_plan import TensorRTError
    from emopulse_ros.detection.tensorrt_start import Gpu, TensorRTStart
    from emopulse_ros.nodes import au_node, flow_node

    light.count = 10**9
    trt = gpu_double.TensorRTDouble()
    trt.may_build = threading.Event()  # type: ignore[attr-defined]
    trt.is_building = threading.Event()  # type: ignore[attr-defined]

    def build(model: Path, faces: int, over: threading.Event) -> bytes:
        trt.is_building.set()  # type: ignore[attr-defined]
        while not trt.may_build.wait(0.01):  # type: ignore[attr-defined]
            if over.is_set():
                raise TensorRTError("it was given up")
        return gpu_double.build(model, faces, over)

    engine = partial(
        BestEngine,
        find=lambda: Gpu(trt, "Double", "8.7", trt.open_device),
        start=partial(TensorRTStart, cache=PlanCache(tmp_path / "engines"), build=build),
    )
    monkeypatch.setattr(pipeline, "BestEngine", engine)
    monkeypatch.setattr(au_node, "open_live_engine", pipeline.open_live_engine)
    monkeypatch.setattr(au_node, "Detector", Detector)
    monkeypatch.setattr(au_node, "detect", detect)
    data, channels = read_only(np.zeros((9, 64, 64), np.float32)), FlowRecipe().channels

    class RealShape(flow_node.FlowStage):  # type: ignore[misc, valid-type]
        def __call__(self, crop: Any) -> Any:
            return replace(super().__call__(crop), data=data, channels=channels)

    monkeypatch.setattr(flow_node, "FlowStage", RealShape)
    return trt


def values(status: Any) -> dict[str, str]:
    return {pair.key: pair.value for pair in status.values}


def test_tensorrt_takes_over_and_its_failure_is_told_and_survived(
    gpu: Any, told: dict[str, Any], unhurried: str, soon: Any
) -> None:
    from emopulse_ros.nodes.container import Container

    with Container(parameters_file=unhurried) as container:
        au = container.au_node

        def engine() -> str:
            return values(told["au_node"])["engine"] if "au_node" in told else ""

        assert soon(lambda: "while a TensorRT plan is built" in engine())
        assert soon(lambda: au.published > 20)
        gpu.may_build.set()
        assert soon(
            lambda: (
                engine()
                == "TensorRT 10.3.0 on Double, reached by nothing, in 16 bits, as CUDA graphs"
            )
        )
        assert ord(told["au_node"].level) == 0
        assert soon(lambda: gpu.steps > 100)
        gpu.gpus[-1].fails_with = "unspecified launch failure"
        assert soon(lambda: engine().startswith("ONNX Runtime"))
        assert ord(told["au_node"].level) == 1
        assert told["au_node"].message == (
            "TensorRT failed: the GPU did not do its work: unspecified launch failure"
        )
        assert values(told["au_node"])["steps at which the GPU failed"] == "1"
        published = au.published
        assert soon(lambda: au.published > published + 50)
        assert au.errors == 0
        assert au.overwritten == 0
    assert all(one.is_empty for one in gpu.gpus)


def test_what_is_asked_for_is_what_runs(gpu: Any, unhurried: str) -> None:
    from emopulse_ros.nodes.container import Container

    gpu.may_build.set()
    with Container(engine="onnx", parameters_file=unhurried) as container:
        assert container.au_node.engine.startswith("ONNX Runtime")
    assert not gpu.gpus
    with Container(engine="tensorrt", parameters_file=unhurried) as container:
        assert container.au_node.engine.startswith("TensorRT")
    assert all(one.is_empty for one in gpu.gpus)


def test_who_interrupts_does_not_wait_for_a_plan(gpu: Any, unhurried: str) -> None:
    from emopulse_ros.nodes.container import Container

    def interrupt() -> None:
        assert gpu.is_building.wait(60.0)
        os.kill(os.getpid(), signal.SIGINT)

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    container = Container(engine="tensorrt", parameters_file=unhurried)
    try:
        with container.interruptible():
            threading.Thread(target=interrupt, daemon=True).start()
            container.start()
            assert container.wait(0.0)
            assert container.au_node.card is None
            container.stop()
    finally:
        gpu.may_build.set()
        container.stop()
        for number, handler in handlers.items():
            signal.signal(number, handler)


def test_who_stops_a_container_does_not_wait_for_a_plan(gpu: Any, unhurried: str) -> None:
    from emopulse_ros.nodes.container import Container

    container = Container(engine="tensorrt", parameters_file=unhurried)
    starting = threading.Thread(target=container.start, daemon=True)
    try:
        starting.start()
        assert gpu.is_building.wait(60.0)
        stopping = threading.Thread(target=container.stop, daemon=True)
        stopping.start()
        for thread in (stopping, starting):
            thread.join(20.0)
            assert not thread.is_alive()
    finally:
        gpu.may_build.set()


def test_an_engine_nobody_knows_is_refused(gpu: Any) -> None:
    from emopulse_ros.nodes.container import Container

    assert gpu.may_build
    with pytest.raises(
        ValueError, match="there is no engine 'gpu': it is auto, onnx, cuda or tensorrt"
    ):
        Container(engine="gpu").start()
