"""The network on ONNX Runtime, one CPU thread."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.detection.engine import ANSWERS, OneByOne, Reading, Shape
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
        raise ModelError(f"{path} cannot be read as an ONNX model: {reason_of(error)}") from error


def reason_of(error: Exception) -> str:
    """The first line of what ONNX Runtime says of an error."""
    return next(iter(str(error).strip().splitlines()), "no reason given")


class _Block:
    """Memory for what one step leaves behind, and says, bound once for each block it may read.

    So a step makes no memory anew, and spends less time with the interpreter's lock: it took 0.67
    ms with outputs of its own, and takes 0.57.
    """

    def __init__(
        self, shapes: Mapping[str, Shape], answers: Mapping[str, Shape], value: Any
    ) -> None:
        self.states = {name: value(np.zeros(shape, np.float32)) for name, shape in shapes.items()}
        self.answers = [np.zeros(shape, np.float32) for shape in answers.values()]
        # ONNX Runtime writes into these arrays themselves: on a CPU it takes no copy.
        self._answers = dict(zip(answers, map(value, self.answers), strict=True))
        self._bound: dict[_Block, Any] = {}

    def bound_to(self, before: _Block, session: Any) -> Any:
        """A step of ``session`` from the block ``before`` into this one, but for its flow."""
        binding = self._bound.get(before)
        if binding is None:
            binding = self._bound[before] = session.io_binding()
            for name, state in before.states.items():
                binding.bind_ortvalue_input(name, state)
            for name, answer in self._answers.items():
                binding.bind_ortvalue_output(name, answer)
            for name, state in self.states.items():
                binding.bind_ortvalue_output(f"next_{name}", state)
        return binding


class _State:
    """What earlier steps left behind. Its block is free again when nobody refers to it any more."""

    __slots__ = ("_free", "block")

    def __init__(self, block: _Block, free: list[_Block] | None = None) -> None:
        self.block = block
        self._free = free

    def __del__(self) -> None:
        if self._free is not None:
            self._free.append(self.block)


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
        self._states = {entry.name: _sides(entry) for entry in inputs if entry.name != "flow"}
        shapes = {entry.name: _sides(entry) for entry in self._session.get_outputs()}
        wanted = {*ANSWERS, *(f"next_{name}" for name in self._states)}
        if "flow" not in {entry.name for entry in inputs} or not wanted.issubset(shapes):
            raise ModelError(f"{path} lacks the inputs and outputs of a step model")
        self._answers = {name: shapes[name] for name in ANSWERS}
        self.shapes = {entry.name: _sides(entry) for entry in inputs} | shapes
        """Every tensor that goes in or comes out, with its shape for one face."""
        self._nothing = self._new_block()
        self._free: list[_Block] = []
        recipe = self.card.recipe
        self._warm_up(np.zeros((len(recipe.channels), recipe.grid, recipe.grid), np.float32), path)

    def _warm_up(self, flow: NDArray[np.float32], path: Path) -> None:
        state = self.first_state()
        try:
            for _ in range(WARM_UP):
                _, state = self.step(flow, state)
        except Exception as error:
            raise ModelError(f"{path} does not run on flow of shape {flow.shape}") from error

    def _new_block(self) -> _Block:
        return _Block(self._states, self._answers, self._value)

    def first_state(self) -> _State:
        """The state that knows nothing."""
        return _State(self._nothing)

    def step(self, flow: NDArray[np.float32], state: _State) -> tuple[Reading, _State]:
        """One time step: ``(C, H, W) float32`` and a state to a reading and the next state."""
        try:
            block = self._free.pop()
        except IndexError:
            block = self._new_block()
        after = _State(block, self._free)
        binding = block.bound_to(state.block, self._session)
        binding.bind_cpu_input("flow", flow[None])
        self._session.run_with_iobinding(binding)
        logits, intensity, attention = block.answers
        return Reading(logits[0].copy(), intensity[0].copy(), float(attention[0])), after

    def describe(self) -> str:
        """Library, version and device, for people."""
        return f"ONNX Runtime {self._version}, one CPU thread"


def _sides(entry: Any) -> Shape:
    """Shape of an input or output for one face."""
    return tuple(1 if isinstance(side, str) else side for side in entry.shape)
