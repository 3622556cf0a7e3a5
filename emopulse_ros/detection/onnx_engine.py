"""The network on ONNX Runtime, one CPU thread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.detection.engine import OneByOne, Reading
from emopulse_ros.detection.model import Card, ModelError, hash_of

WARM_UP = 3
"""Steps run at start: the first ones allocate, and would be late."""


def open_session(path: Path) -> Any:
    """An ONNX Runtime session for the model at ``path``.

    :raises ModelError: if the file is missing or no ONNX model.
    """
    import onnxruntime

    if not path.is_file():
        raise ModelError(f"there is no model at {path}: give the path of an .onnx file")
    options = onnxruntime.SessionOptions()
    # One thread, and it sleeps between frames: two that spin cost more than they bring at 200 Hz.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions share no class but this one.
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        raise ModelError(f"{path} cannot be read as an ONNX model: {reason}") from error


class OnnxEngine(OneByOne):
    """The step form of a model on ONNX Runtime.

    :raises ModelError: if the file is missing, no model of ours, or not the step form.
    """

    def __init__(self, path: Path) -> None:
        import onnxruntime

        self._value = onnxruntime.OrtValue.ortvalue_from_numpy
        self._version = onnxruntime.__version__
        self._session = open_session(path)
        self.model_hash = hash_of(path)
        self.card = Card.from_text(self._session.get_modelmeta().custom_metadata_map, path)
        if self.card.form != "step":
            raise ModelError(
                f"{path} holds the {self.card.form} form of a model: the stream needs its step form"
            )
        inputs = self._session.get_inputs()
        self._states = {
            entry.name: tuple(1 if isinstance(side, str) else side for side in entry.shape)
            for entry in inputs
            if entry.name != "flow"
        }
        self._answers = ["logits", "intensity", "attention"]
        self._outputs = [*self._answers, *(f"next_{name}" for name in self._states)]
        names = {entry.name for entry in self._session.get_outputs()}
        if "flow" not in {entry.name for entry in inputs} or not names.issuperset(self._outputs):
            raise ModelError(f"{path} lacks the inputs and outputs of a step model")
        recipe = self.card.recipe
        self._warm_up(np.zeros((len(recipe.channels), recipe.grid, recipe.grid), np.float32), path)

    def _warm_up(self, flow: NDArray[np.float32], path: Path) -> None:
        state = self.first_state()
        try:
            for _ in range(WARM_UP):
                _, state = self.step(flow, state)
        except Exception as error:
            raise ModelError(f"{path} does not run on flow of shape {flow.shape}") from error

    def first_state(self) -> dict[str, Any]:
        """The state that knows nothing."""
        return {
            name: self._value(np.zeros(shape, np.float32)) for name, shape in self._states.items()
        }

    def step(
        self, flow: NDArray[np.float32], state: dict[str, Any]
    ) -> tuple[Reading, dict[str, Any]]:
        """One time step: ``(C, H, W) float32`` and a state to a reading and the next state."""
        feeds = {"flow": self._value(flow[None]), **state}
        values = self._session.run_with_ort_values(self._outputs, feeds)
        logits, intensity, attention = (value.numpy() for value in values[:3])
        after = dict(zip(self._states, values[3:], strict=True))
        return Reading(logits[0], intensity[0], float(attention[0])), after

    def describe(self) -> str:
        """Library, version and device, for people."""
        return f"ONNX Runtime {self._version}, one CPU thread"
