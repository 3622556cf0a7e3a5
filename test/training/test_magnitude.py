"""The linear baseline as a model file that the stream takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed (make test-training)")
pytest.importorskip("onnx", reason="onnx is not installed (make test-training)")

from emopulse_ros.detection.detector import Detector  # noqa: E402
from emopulse_ros.detection.model import Card  # noqa: E402
from emopulse_ros.detection.onnx_engine import OnnxEngine  # noqa: E402
from emopulse_ros.facs import CODES  # noqa: E402
from emopulse_ros.flow.recipe import FlowRecipe  # noqa: E402
from emopulse_ros.stream import FlowStep  # noqa: E402
from emopulse_ros.training.magnitude import REGIONS, MagnitudeReader, export_magnitude  # noqa: E402


@pytest.mark.parametrize("recipe", [FlowRecipe(), FlowRecipe(baselines_ms=(5.0,), neutral=False)])
def test_the_file_says_what_the_reader_says(tmp_path: Path, recipe: FlowRecipe) -> None:
    torch.manual_seed(0)
    channels = len(recipe.channels)
    features = channels // 3 * REGIONS**2
    reader = MagnitudeReader(torch.randn(features), torch.rand(features) + 0.5, len(CODES))
    path = tmp_path / "linear.onnx"
    export_magnitude(reader, Card("linear", "clip", recipe=recipe), path)
    engine = OnnxEngine(path)
    assert engine.card.form == "step"
    assert engine.card.recipe == recipe
    assert not engine.first_state().block.states

    flow = np.random.default_rng(0).normal(0.0, 0.3, (channels, 64, 64)).astype(np.float32)
    length = np.hypot(flow[0::3], flow[1::3])
    side = 64 // REGIONS
    pooled = length.reshape(-1, REGIONS, side, REGIONS, side).mean(axis=(2, 4)).reshape(1, -1)
    with torch.no_grad():
        wanted = reader(torch.from_numpy(np.log(0.02 + pooled))).numpy()[0]
    reading, state = engine.step(flow, engine.first_state())
    np.testing.assert_allclose(reading.logits, wanted, atol=1e-4)
    assert not state.block.states
    assert reading.attention == 1.0
    assert not reading.intensity.any()

    activation = Detector(engine)(FlowStep(0, 0, 1, flow, recipe.channels, np.eye(2, 3), True))
    assert activation.codes == CODES
