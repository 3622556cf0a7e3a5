"""The step form in 16 bits: as good as that in 32, however long it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[train]'")
pytest.importorskip("onnx", reason="onnx is not installed: pip install '.[train]'")

from emopulse_ros.detection.model import Card  # noqa: E402
from emopulse_ros.detection.onnx_engine import open_session  # noqa: E402
from emopulse_ros.training.export import export  # noqa: E402
from emopulse_ros.training.halve import halve  # noqa: E402
from emopulse_ros.training.network import MEMORY, TinyI3D  # noqa: E402


def run(path: Path, flows: list[np.ndarray], steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits of a last step, and what it knows of the face at rest."""
    session = open_session(path)
    names = [entry.name for entry in session.get_outputs()]
    states: dict[str, Any] = {
        entry.name: np.zeros([1, *entry.shape[1:]], np.float32)
        for entry in session.get_inputs()
        if entry.name != "flow"
    }
    after: dict[str, Any] = {}
    for step in range(steps):
        feed = {"flow": flows[step % len(flows)], **states}
        after = dict(zip(names, session.run(names, feed), strict=True))
        states = {name: after[f"next_{name}"] for name in states}
    return after["logits"], states[max(states)]


def test_sums_over_many_frames_are_as_good(tmp_path: Path) -> None:
    torch.manual_seed(4)
    network = TinyI3D()
    torch.nn.init.constant_(network.units.bias, -6.0)
    step, _ = export(network, Card("rests", "step"), tmp_path)
    half = halve(step, tmp_path / "half.onnx")
    assert half.stat().st_size < 0.8 * step.stat().st_size
    random = np.random.default_rng(0)
    flows = [random.normal(0.0, 0.02, (1, 9, 64, 64)).astype(np.float32) for _ in range(10)]
    logits, known = run(step, flows, 1500)
    half_logits, half_known = run(half, flows, 1500)
    # Enough frames that each adds less than 16 bits can tell.
    assert known[0, -1] > MEMORY / 2
    np.testing.assert_allclose(half_known, known, rtol=2e-3, atol=2e-3 * np.abs(known).max())
    np.testing.assert_allclose(half_logits, logits, atol=0.02)
