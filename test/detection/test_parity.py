"""Two engines are compared, and what is in 16 bits is told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emopulse_ros.detection.engine import OneByOne, Reading
from emopulse_ros.detection.half_precision import holds_half
from emopulse_ros.detection.model import half_of, shipped_model
from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.detection.parity import FULL, HALF, ParityError, compare


class Off(OneByOne):
    """An engine that is wrong by so much, from some step on, in one of its outputs."""

    def __init__(self, engine: OnnxEngine, by: float, output: str, begin: int = 0) -> None:
        self.card, self.model_hash = engine.card, engine.model_hash
        self._engine, self._by, self._output, self._begin = engine, by, output, begin

    def first_state(self) -> Any:
        return 0, self._engine.first_state()

    def step(self, flow: Any, state: Any) -> tuple[Reading, Any]:
        number, inner = state
        right, inner = self._engine.step(flow, inner)
        parts = {"logits": right.logits, "intensity": right.intensity, "attention": right.attention}
        if number >= self._begin:
            parts[self._output] = parts[self._output] + np.float32(self._by)
        return Reading(**parts), (number + 1, inner)  # type: ignore[arg-type]

    def describe(self) -> str:
        return "the other"


@pytest.fixture(scope="module")
def engine() -> OnnxEngine:
    return OnnxEngine(shipped_model())


def test_an_engine_agrees_with_itself(engine: OnnxEngine) -> None:
    assert compare(engine, engine, tolerance=0.0).worst == 0.0
    assert 0.0 < compare(Off(engine, 5e-4, "logits"), engine, tolerance=FULL).worst < FULL


@pytest.mark.parametrize("output", ["logits", "intensity", "attention"])
@pytest.mark.parametrize("by", [2e-3, -2e-3, float("nan")])
def test_one_that_is_off_is_found(engine: OnnxEngine, output: str, by: float) -> None:
    with pytest.raises(
        ParityError, match=r"the other and ONNX Runtime .* at step 41 of 1 face, more"
    ):
        compare(Off(engine, by, output, 40), engine, tolerance=FULL)


def test_one_that_forgets_its_state_is_found(engine: OnnxEngine) -> None:
    class Forgets(Off):
        def step(self, flow: Any, _: Any) -> tuple[Reading, Any]:
            return super().step(flow, self.first_state())

    with pytest.raises(ParityError):
        compare(Forgets(engine, 0.0, "logits"), engine, tolerance=HALF)


def test_weights_in_16_bits_are_told_apart_and_stay_within_their_tolerance(
    engine: OnnxEngine, tmp_path: Path
) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    from onnxruntime.transformers.float16 import convert_float_to_float16

    half = tmp_path / "half.onnx"
    onnx.save(convert_float_to_float16(onnx.load(shipped_model()), keep_io_types=True), half)
    assert holds_half(half)
    parity = compare(OnnxEngine(half), engine, tolerance=HALF)
    assert parity.worst > FULL


@pytest.mark.parametrize("form", ["step", "clip", "int8"])
def test_the_shipped_models_are_not_in_16_bits(form: str) -> None:
    assert not holds_half(shipped_model(form))


@pytest.mark.parametrize("content", [b"not a network", b"\xff" * 40, b"\x3a\x80\x80\x40a"])
def test_what_is_no_onnx_file_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "noise.onnx"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"noise\.onnx cannot be read as an ONNX model"):
        holds_half(file)


class Mixed(Off):
    """Reads several faces at once, and mixes up two of them."""

    at_once = 3

    def step_all(self, flows: Any, states: Any) -> Any:
        done = super().step_all(flows, states)
        return [done[1], done[0], *done[2:]] if len(done) > 1 else done


def test_one_that_mixes_faces_up_is_found(engine: OnnxEngine) -> None:
    right = Off(engine, 0.0, "logits")
    with pytest.raises(ParityError, match="of 3 faces"):
        compare(Mixed(engine, 0.0, "logits"), right, tolerance=FULL)


def test_the_shipped_16_bits_are_those_of_the_shipped_model(engine: OnnxEngine) -> None:
    file = half_of(shipped_model())
    assert file is not None
    assert holds_half(file)
    half = OnnxEngine(file)
    assert half.card == engine.card
    assert 1e-4 < compare(half, engine, tolerance=HALF).worst < HALF / 2
