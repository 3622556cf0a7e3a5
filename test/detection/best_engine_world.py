"""A machine on which the best engine is looked for."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import gpu_double
import numpy as np
from cuda_provider_double import SessionDouble
from gpu_double import TensorRTDouble

from emopulse_ros.detection.best_engine import BestEngine
from emopulse_ros.detection.cuda_engine import CudaEngine
from emopulse_ros.detection.device_memory import DeviceError
from emopulse_ros.detection.model import shipped_model
from emopulse_ros.detection.plan_cache import PlanCache
from emopulse_ros.detection.tensorrt_plan import TensorRTError
from emopulse_ros.detection.tensorrt_start import Gpu, TensorRTStart

SERVES = "TensorRT 10.3.0 on Double, reached by nothing, in 32 bits, as CUDA graphs"
NO_CUDA = "ONNX Runtime has no CUDA provider"
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
        self.has_cuda = False
        self.open: list[BestEngine] = []

    def engine(self, wanted: str = "auto", **options: Any) -> BestEngine:
        found = {
            "find": self.find, "start": self.start, "start_cuda": self.start_cuda, **options
        }  # fmt: skip
        engine = BestEngine(
            self.model, wanted, inform=self.told.append, warn=self.warned.append, **found
        )
        self.open.append(engine)
        return engine

    def find(self) -> Gpu:
        return Gpu(self.trt, "Double", "8.7", self.trt.open_device, self.graphs)

    def start(self, *given: Any, **options: Any) -> TensorRTStart:
        return TensorRTStart(*given, **options, cache=self.cache, build=self.build)

    def start_cuda(self, *given: Any, **options: Any) -> CudaEngine:
        if not self.has_cuda:
            raise DeviceError(NO_CUDA)
        return CudaEngine(
            *given[:1], self.trt.open_device(), *given[1:], **options, open_session=SessionDouble
        )

    def build(self, model: Path, faces: int, over: threading.Event) -> bytes:
        while not self.may_build.wait(0.01):
            if over.is_set():
                raise TensorRTError("given up")
        self.builds += 1
        return gpu_double.build(model, faces, over)


def follow(engine: Any, state: Any, count: int = 1, begin: int = 0) -> tuple[Any, Any]:
    for flow in FLOWS[begin : begin + count]:
        reading, state = engine.step(flow, state)
    return reading, state
