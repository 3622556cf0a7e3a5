"""From a model to a TensorRT engine that has shown that it agrees with ONNX Runtime."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emopulse_ros.detection.build_beside import build_beside
from emopulse_ros.detection.device_memory import Device, open_device
from emopulse_ros.detection.engine import Engine
from emopulse_ros.detection.half_precision import holds_half
from emopulse_ros.detection.model import half_of, hash_of
from emopulse_ros.detection.parity import FULL, HALF, Parity, ParityError, compare
from emopulse_ros.detection.plan_cache import CacheError, PlanCache, PlanKey
from emopulse_ros.detection.tensorrt_engine import TensorRTEngine
from emopulse_ros.detection.tensorrt_plan import MOST_FACES, TensorRTError, find_tensorrt, title


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU, the TensorRT that runs on it, and how to open the GPU's memory.

    ``graphs`` and ``locked`` are what is fast, to be measured without: a step as one CUDA graph,
    and page-locked memory for what goes in and out.
    """

    trt: Any
    device: str
    capability: str
    open_device: Callable[[], Device]
    graphs: bool = True
    locked: bool = True

    def key(self, model_hash: str) -> PlanKey:
        """What a model's plan for this GPU is kept under."""
        return PlanKey(title(self.trt), self.capability, self.device, model_hash, MOST_FACES)


def find_gpu() -> Gpu:
    """The first GPU and the TensorRT for it.

    :raises DeviceError: if there is no GPU, no driver, or no library to reach it by.
    :raises TensorRTError: if there is no TensorRT.
    """
    # In this order: without a GPU, which is quickly known, TensorRT need not be loaded.
    device = open_device()
    try:
        return Gpu(find_tensorrt(), device.name, device.capability, open_device)
    finally:
        device.close()


class TensorRTStart:
    """Gets the engine of a model, from the cache or by building its plan.

    ``reference`` runs the same model on ONNX Runtime. Where a file beside the model holds it in 16
    bits, that is the one a plan is made of, if the answers agree well enough. ``faces`` is how many
    one step may read, of the :data:`MOST_FACES` a plan is built for. ``build`` makes a plan of a
    model for so many faces, until an event is set. ``warn`` hears sentences on what went wrong and
    was got over.
    """

    def __init__(
        self,
        gpu: Gpu,
        model: Path,
        reference: Engine,
        *,
        warn: Callable[[str], None],
        faces: int = MOST_FACES,
        cache: PlanCache | None = None,
        build: Callable[[Path, int, threading.Event], bytes] = build_beside,
    ) -> None:
        self.parity: Parity | None = None
        """How well the engine agrees with ONNX Runtime, once there is one."""
        self._gpu = gpu
        self._model = model
        self._reference = reference
        self._warn = warn
        self._faces = faces
        self.cache = PlanCache() if cache is None else cache
        self._build = build
        self._make_of(half_of(model) or model)

    def from_cache(self) -> TensorRTEngine | None:
        """The engine of a plan that was built before; None if one has to be built.

        :raises DeviceError: if the GPU fails or has no memory left.
        :raises ParityError: if it disagrees with ONNX Runtime.
        """
        try:
            plan = self.cache.get(self.key)
            return None if plan is None else self._load(plan)
        except (CacheError, TensorRTError) as error:
            self._warn(f"{error}; it is built anew")
            return None
        except ParityError as error:
            self._use_full(error)
            return self.from_cache()

    def built(self, over: threading.Event) -> TensorRTEngine:
        """The engine of a plan that is built now, and kept; given up when ``over`` is set.

        :raises TensorRTError: if TensorRT refuses the model, or its own plan.
        :raises DeviceError: if the GPU fails or has no memory left.
        :raises ParityError: if it disagrees with ONNX Runtime.
        """
        plan = self._build(self._source, MOST_FACES, over)
        try:
            self.cache.put(self.key, plan)
        except CacheError as error:
            self._warn(f"{error}; it is built anew at every start")
        try:
            return self._load(plan)
        except ParityError as error:
            self._use_full(error)
        return self.built(over)

    def _use_full(self, error: ParityError) -> None:
        """Go on with the model in 32 bits, if it was not that which disagrees.

        :raises ParityError: if it was.
        """
        if self._source == self._model:
            raise error
        self._warn(f"{error}; {self._model.name} in 32 bits is taken instead")
        self._make_of(self._model)

    def _make_of(self, source: Path) -> None:
        self._source = source
        self.key = self._gpu.key(hash_of(source))
        """What the plan is kept under."""

    def _load(self, plan: bytes) -> TensorRTEngine:
        reference, gpu = self._reference, self._gpu
        bits, tolerance = (16, HALF) if holds_half(self._source) else (32, FULL)
        engine = TensorRTEngine(
            gpu.trt,
            plan,
            gpu.open_device(),
            reference.card,
            reference.model_hash,
            bits=bits,
            faces=self._faces,
            graphs=gpu.graphs,
            locked=gpu.locked,
        )
        try:
            self.parity = compare(engine, reference, tolerance=tolerance)
        except BaseException:
            engine.close()
            raise
        return engine
