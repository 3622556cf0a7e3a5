"""An engine on the double of a GPU, and flow for it."""

from __future__ import annotations

from threading import Event
from typing import Any

import numpy as np
from gpu_double import TensorRTDouble, build

from emopulse_ros.detection.model import shipped_model
from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.detection.tensorrt_engine import TensorRTEngine

FLOW = np.zeros((9, 64, 64), np.float32)


def load(
    trt: TensorRTDouble, plan: bytes | None = None, faces: int = 2, *, graphs: bool = True
) -> TensorRTEngine:
    plan = build(shipped_model(), 16, Event()) if plan is None else plan
    card = OnnxEngine(shipped_model()).card
    return TensorRTEngine(trt, plan, trt.open_device(), card, "0" * 64, faces=faces, graphs=graphs)


def flows(seed: int, *shape: int) -> Any:
    random = np.random.default_rng(seed)
    return random.normal(0.0, 0.5, (*shape, *FLOW.shape)).astype(np.float32)
