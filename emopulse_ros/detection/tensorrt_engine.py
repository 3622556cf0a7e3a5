"""The network on TensorRT, its state in the GPU's memory from step to step.

CUDA graphs are left out: a captured graph holds on to its addresses, while the states of several
faces change places here.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.detection.device_memory import Array, Device
from emopulse_ros.detection.engine import Reading
from emopulse_ros.detection.model import Card, ModelError
from emopulse_ros.detection.state_pool import DeviceState, Layout, Shape, StatePool
from emopulse_ros.detection.tensorrt_plan import MOST_FACES, TensorRTError, quiet_log, title

WARM_UP = 10
"""Steps run at load: the first ones load kernels, and would be late."""

ANSWERS = ("logits", "intensity", "attention")


class TensorRTEngine:
    """The step form of a model as a TensorRT plan, one face a step.

    ``trt`` is the module of TensorRT, ``device`` the GPU, which the engine takes over. ``faces``
    is how many it has room for: two sets of state each, one to read and one to write. Everything
    is allocated here; a step allocates nothing on the GPU.

    :raises TensorRTError: if this TensorRT cannot load the plan, or it is that of another network.
    :raises DeviceError: if the GPU has no memory for it, or fails.
    """

    def __init__(
        self,
        trt: Any,
        plan: bytes,
        device: Device,
        card: Card,
        model_hash: str,
        *,
        faces: int = MOST_FACES,
    ) -> None:
        self.card = card
        self.model_hash = model_hash
        self._device = device
        self._about = f"{title(trt)} on {device.name}, reached by {device.library}"
        # One context and one place for what goes in and out: steps come one at a time.
        self._lock = threading.Lock()
        self._log = quiet_log(trt)
        with ExitStack() as undo:
            undo.callback(device.close)
            self._load(trt, plan)
            shapes = self._shapes(trt)
            undo.pop_all()
            undo.callback(self.close)
            self._allocate(shapes, faces)
            self._warm_up()
            undo.pop_all()

    def _load(self, trt: Any, plan: bytes) -> None:
        self._runtime = trt.Runtime(self._log)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise TensorRTError(f"{title(trt)} cannot load the plan: {self._log.reason}")
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise TensorRTError(f"{title(trt)} cannot run the plan: {self._log.reason}")

    def _shapes(self, trt: Any) -> dict[str, Shape]:
        """Every tensor with its shape for one face; they must be those of a step model."""
        engine, context = self._engine, self._context
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        given = [n for n in names if engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT]
        self._states = [name for name in given if name != "flow"]
        recipe = self.card.recipe
        self._flow_shape = (len(recipe.channels), recipe.grid, recipe.grid)
        wanted = {"flow", *self._states, *ANSWERS, *(f"next_{name}" for name in self._states)}
        if not self._states or "flow" not in given or set(names) != wanted:
            raise TensorRTError("the plan lacks the inputs and outputs of a step model")
        for name in given:
            shape = tuple(1 if side < 0 else side for side in engine.get_tensor_shape(name))
            if not context.set_input_shape(name, shape):
                raise TensorRTError(f"the plan takes no {name} of shape {shape}")
        shapes = {name: tuple(context.get_tensor_shape(name)) for name in names}
        for name in names:
            if engine.get_tensor_dtype(name) != trt.DataType.FLOAT:
                raise TensorRTError(
                    f"the plan's {name} is not in 32 bits: inputs and outputs of a model must be"
                )
        units = (1, len(self.card.codes))
        expected = {"flow": (1, *self._flow_shape), "logits": units, "intensity": units}
        expected |= {f"next_{name}": shapes[name] for name in self._states}
        for name, shape in expected.items():
            if shapes[name] != shape:
                raise TensorRTError(f"the plan's {name} is {shapes[name]}, the model's is {shape}")
        return shapes

    def _allocate(self, shapes: dict[str, Shape], faces: int) -> None:
        device = self._device
        self._flow_in: Array | None = None
        self._out: Array | None = None
        self._pool: StatePool | None = None
        self._addresses: list[int] = []
        answers = Layout({name: shapes[name] for name in ANSWERS})
        self._flow_in = device.page_locked(shapes["flow"])
        self._out = device.page_locked((answers.size // 4,))
        self._flow_at, self._out_at = (
            self._allocated(array.nbytes) for array in (self._flow_in, self._out)
        )
        logits, intensity, attention = (answers.offsets[name] // 4 for name in ANSWERS)
        units = len(self.card.codes)
        self._logits = self._out[logits : logits + units]
        self._intensity = self._out[intensity : intensity + units]
        self._attention = self._out[attention : attention + 1]
        self._set_address("flow", self._flow_at)
        for name in ANSWERS:
            self._set_address(name, self._out_at + answers.offsets[name])
        states = Layout({name: shapes[name] for name in self._states})
        self._offsets = [(name, f"next_{name}", states.offsets[name]) for name in self._states]
        self._pool = StatePool(device, states, 2 * faces)
        self._write_zeros(self._pool.first.address, states.size)

    def _allocated(self, size: int) -> int:
        address = self._device.allocate(size)
        self._addresses.append(address)
        return address

    def _set_address(self, name: str, address: int) -> None:
        if not self._context.set_tensor_address(name, address):
            raise TensorRTError(f"TensorRT takes no address for {name}: {self._log.reason}")

    def _write_zeros(self, address: int, size: int) -> None:
        zeros = self._device.page_locked((size // 4,))
        zeros[:] = 0.0
        self._device.copy_in(address, zeros)
        self._device.synchronise()
        self._device.unlock(zeros)

    def _warm_up(self) -> None:
        flow = np.zeros(self._flow_shape, np.float32)
        state = self.first_state()
        for _ in range(WARM_UP):
            _, state = self.step(flow, state)
        # What goes wrong from now on is not to be laid to the loading.
        self._log.first = ""

    def first_state(self) -> DeviceState:
        """The state that knows nothing."""
        pool = self._pool
        if pool is None:
            raise TensorRTError("the TensorRT engine is closed")
        return pool.first

    def step(self, flow: NDArray[np.float32], state: DeviceState) -> tuple[Reading, DeviceState]:
        """One time step: ``(C, H, W) float32`` and a state to a reading and the next state.

        :raises ModelError: if the flow has another shape.
        :raises TensorRTError, DeviceError: if TensorRT or the GPU fails.
        """
        if flow.shape != self._flow_shape:
            raise ModelError(f"the flow is {flow.shape}, the model reads {self._flow_shape}")
        with self._lock:
            if self._pool is None or self._flow_in is None or self._out is None:
                raise TensorRTError("the TensorRT engine is closed")
            device = self._device
            after = self._pool.take()
            for name, following, offset in self._offsets:
                self._set_address(name, state.address + offset)
                self._set_address(following, after.address + offset)
            self._flow_in[0] = flow
            device.copy_in(self._flow_at, self._flow_in)
            if not self._context.execute_async_v3(device.stream):
                raise TensorRTError(f"TensorRT did not take the step: {self._log.reason}")
            device.copy_out(self._out, self._out_at)
            device.synchronise()
            reading = Reading(
                self._logits.copy(), self._intensity.copy(), float(self._attention[0])
            )
        return reading, after

    def describe(self) -> str:
        """Library, version and device, for people."""
        return self._about

    def close(self) -> None:
        """Give all of it back to the GPU; a second time does nothing."""
        with self._lock:
            pool, self._pool = self._pool, None
            if self._context is None:
                return
            # In this order: TensorRT lets go of what it was told of before that is freed.
            self._context = self._engine = self._runtime = None
            with ExitStack() as undo:
                undo.callback(self._device.close)
                for address in self._addresses:
                    undo.callback(self._device.free, address)
                for array in (self._flow_in, self._out):
                    if array is not None:
                        undo.callback(self._device.unlock, array)
                if pool is not None:
                    undo.callback(pool.close)
            self._flow_in = self._out = None
