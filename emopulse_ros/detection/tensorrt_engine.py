"""The network on TensorRT, its state in the GPU's memory from step to step.

A step of several faces is one batch, and one CUDA graph where that can be.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.detection.device_memory import Device, DeviceError
from emopulse_ros.detection.engine import Reading
from emopulse_ros.detection.lanes import ANSWERS, Lanes, sizes
from emopulse_ros.detection.model import Card, ModelError
from emopulse_ros.detection.state_pool import DeviceState, Shape, StatePool
from emopulse_ros.detection.tensorrt_plan import MOST_FACES, TensorRTError, made, quiet_log, title

WARM_UP = 10
"""Steps run at load: the first ones load kernels, and would be late."""


class TensorRTEngine:
    """The step form of a model as a TensorRT plan.

    ``trt`` is the module of TensorRT, ``device`` the GPU, which the engine takes over; in how many
    ``bits`` the plan works is told to people. ``faces`` is how many one step may read. Everything
    is allocated here; a step allocates nothing on the GPU. Without ``graphs`` each step is queued
    piece by piece, and without ``locked`` memory copied by a detour: both cost time.

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
        bits: int = 32,
        faces: int = MOST_FACES,
        graphs: bool = True,
        locked: bool = True,
    ) -> None:
        self.card = card
        self.model_hash = model_hash
        self.at_once = faces
        self.bytes_moved = 0
        self._device = device
        self._about = f"{title(trt)} on {device.name}, reached by {device.library}, in {bits} bits"
        if not locked:
            self._about += ", without page-locked memory"
        # One place for what goes in and out: steps come one at a time.
        self._lock = threading.Lock()
        self._log = quiet_log(trt)
        with ExitStack() as undo:
            undo.callback(device.close)
            self._load(trt, plan)
            shapes = self._shapes(trt)
            states = {name: shapes[name] for name in self._states}
            self._pool: StatePool | None = StatePool(device, states, faces)
            undo.callback(self._pool.close)
            self._lanes = Lanes(
                device, self._pool, self._context, shapes, faces, self._log, locked=locked
            )
            undo.callback(self._lanes.close)
            self._warm_up()
            if graphs and device.can_capture:
                self._capture()
            # What goes wrong from now on is not to be laid to the loading.
            self._log.first = ""
            undo.pop_all()

    def _load(self, trt: Any, plan: bytes) -> None:
        self._runtime = made(trt, "Runtime", self._log)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise TensorRTError(f"{title(trt)} cannot load the plan: {self._log.reason}")

    def _context(self, faces: int) -> Any:
        """What runs the plan for so many faces."""
        context = self._engine.create_execution_context()
        if context is None:
            raise TensorRTError(f"TensorRT cannot run the plan: {self._log.reason}")
        # Up to 8.6 the first context alone has a profile by itself.
        if context.active_optimization_profile < 0:
            if not context.set_optimization_profile_async(0, self._device.stream):
                raise TensorRTError(f"the plan does for one context only: {self._log.reason}")
            self._device.synchronise()
        for name in ("flow", *self._states):
            shape = (faces, *tuple(self._engine.get_tensor_shape(name))[1:])
            if not context.set_input_shape(name, shape):
                raise TensorRTError(f"the plan takes no {name} of shape {shape}")
        return context

    def _shapes(self, trt: Any) -> dict[str, Shape]:
        """Every tensor with its shape for one face; they must be those of a step model."""
        engine = self._engine
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        given = [n for n in names if engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT]
        self._states = [name for name in given if name != "flow"]
        recipe = self.card.recipe
        self._flow_shape = (len(recipe.channels), recipe.grid, recipe.grid)
        wanted = {"flow", *self._states, *ANSWERS, *(f"next_{name}" for name in self._states)}
        if not self._states or "flow" not in given or set(names) != wanted:
            raise TensorRTError("the plan lacks the inputs and outputs of a step model")
        context = self._context(1)
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

    def _warm_up(self) -> None:
        flow = np.zeros(self._flow_shape, np.float32)
        for faces in sizes(self.at_once):
            states = [self.first_state() for _ in range(faces)]
            for _ in range(WARM_UP):
                states = [after for _, after in self.step_all([flow] * faces, states)]

    def _capture(self) -> None:
        try:
            self._lanes.capture()
            self._warm_up()
        except (DeviceError, TensorRTError):
            # Some layers wait for the GPU in mid-step; those cannot be captured, but they run.
            self._lanes.forget_graphs()
        else:
            self._about += ", as CUDA graphs"

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
        return self.step_all([flow], [state])[0]

    def step_all(
        self, flows: Sequence[NDArray[np.float32]], states: Sequence[DeviceState]
    ) -> list[tuple[Reading, DeviceState]]:
        """One time step of several faces, as :meth:`step` of each."""
        for flow in flows:
            if flow.shape != self._flow_shape:
                raise ModelError(f"the flow is {flow.shape}, the model reads {self._flow_shape}")
        with self._lock:
            done: list[tuple[Reading, DeviceState]] = []
            for start in range(0, len(flows), self.at_once):
                part = slice(start, start + self.at_once)
                done += self._batch(flows[part], states[part])
        return done

    def _batch(
        self, flows: Sequence[NDArray[np.float32]], states: Sequence[DeviceState]
    ) -> Iterator[tuple[Reading, DeviceState]]:
        pool, count = self._pool, len(flows)
        if pool is None:
            raise TensorRTError("the TensorRT engine is closed")
        size = self._lanes.size_for(count)
        block = pool.gather(states, size)
        lane = self._lanes.run(flows, size, block)
        self.bytes_moved += lane.flow.nbytes + lane.out.nbytes
        return zip(lane.readings(count), pool.written(1 - block, count), strict=True)

    def describe(self) -> str:
        """Library, version and device, for people."""
        return self._about

    def close(self) -> None:
        """Give all of it back to the GPU; a second time does nothing."""
        with self._lock:
            pool, self._pool = self._pool, None
            if pool is None:
                return
            with ExitStack() as undo:
                undo.callback(self._device.close)
                undo.callback(pool.close)
                undo.callback(self._lanes.close)
            self._engine = self._runtime = None
