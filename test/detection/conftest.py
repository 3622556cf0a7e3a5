"""What several tests of the engines start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from best_engine_world import World

from emopulse_ros.detection.model import shipped_model
from emopulse_ros.detection.onnx_engine import OnnxEngine


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    for engine in made.open:
        engine.close()
    assert all(gpu.is_empty for gpu in made.trt.gpus)


@pytest.fixture(scope="module")
def onnx() -> OnnxEngine:
    return OnnxEngine(shipped_model())
