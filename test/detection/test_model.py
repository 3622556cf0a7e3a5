"""Model files: ours are read, others are refused with a sentence."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest

from emopulse_ros.detection.model import Card, ModelError, hash_of, shipped_model
from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.facs import CODES

# An ONNX file of one Identity node, as any exporter may write it: no model of ours.
FOREIGN = base64.b64decode(
    "CAg6NQoQCgF4EgF5IghJZGVudGl0eRIBZ1oPCgF4EgoKCAgBEgQKAggBYg0KAXkSCAoGCAESAgoAQgQKABAR"
)


@pytest.fixture
def card() -> Card:
    return Card("test", "step")


def test_a_card_survives_the_file(card: Card) -> None:
    assert Card.from_text(card.as_text(), Path("m.onnx")) == card


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"emopulse_format": "99"}, "has model format 99"),
        ({"action_units": "[1, 999]"}, "AU999"),
        ({"action_units": "[1]"}, "do not fit the list"),
        ({"tick_ms": "soon"}, "cannot be read"),
        ({"flow_method": "magic"}, "'magic'"),
    ],
)
def test_a_card_that_cannot_be_followed(card: Card, change: dict[str, str], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence) as caught:
        Card.from_text(card.as_text() | change, Path("m.onnx"))
    assert "m.onnx" in str(caught.value)


def test_probabilities_follow_scale_and_shift() -> None:
    ones = np.ones(len(CODES), np.float32)
    card = Card("test", "step", scale=(2.0,) * len(CODES), shift=(-2.0,) * len(CODES))
    np.testing.assert_allclose(card.probability(ones), 0.5)
    assert (card.probability(1000.0 * ones) <= 1.0).all()


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no model at"):
        OnnxEngine(tmp_path / "nothing.onnx")
    with pytest.raises(ModelError, match="there is no model at"):
        OnnxEngine(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x00" * 5000], ids=str)
def test_no_onnx(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.onnx"):
        OnnxEngine(path)


def test_a_truncated_model(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    whole = shipped_model().read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="cannot be read as an ONNX model"):
        OnnxEngine(path)


def test_somebody_elses_model(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(FOREIGN)
    with pytest.raises(ModelError, match="no EmoPulse model"):
        OnnxEngine(path)


def test_the_clip_form_does_not_stream() -> None:
    with pytest.raises(ModelError, match="the clip form"):
        OnnxEngine(shipped_model("clip"))


def test_the_hash_is_of_the_file() -> None:
    assert OnnxEngine(shipped_model()).model_hash == hash_of(shipped_model())
    assert len(hash_of(shipped_model())) == 64
