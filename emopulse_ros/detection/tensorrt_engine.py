"""The network on TensorRT, its state in the GPU's memory from step to step.

A step of several faces is one batch. Where the library that reaches the GPU can, a step is one CUDA
graph: a captured graph holds on to its addresses, so there is one for each size of batch and each
of the two blocks the states are read from.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.detection.device_memory import Array, Device, DeviceError
from emopulse_ros.detection.engine import Reading
from emopulse_ros.detection.model import Card, ModelError
from emopulse_ros.detection.state_pool import TURNS, DeviceState, Layout, Shape, StatePool
from emopulse_ros.detection.tensorrt_plan import MOST_FACES, TensorRTError, made, quiet_log, title

WARM_UP = 10
"""Steps run at load: the first ones load kernels, and would be late."""

ANSWERS = ("logits", "intensity", "attention")


# No repr: after the end, what the arrays show is nobody's memory.
@dataclass(slots=True, eq=False, repr=False)
class _Lane:
    """One way through the plan: so many faces, their states read from one of the blocks.

    ``states`` are the addresses of the states' tensors, read and written. ``flow`` is copied in,
    ``out`` is copied out, and the answers are views of it.
    """

    context: Any
    states: dict[str, int]
    flow: Array
    out: Array
    logits: Array
    intensity: Array
    attention: Array
    graph: int | None = None


class TensorRTEngine:
    """The step form of a model as a TensorRT plan.

    ``trt`` is the module of TensorRT, ``device`` the GPU, which the engine takes over; in how many
    ``bits`` the plan works is told to people. ``faces`` is how many one step may read, and half of
    how many states there may be at a time. Everything is allocated here; a step allocates nothing
    on the GPU. Without ``graphs`` each step is queued piece by piece, and without ``locked`` memory
    copied by a detour: both cost time.

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
        self._locked = locked
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
            undo.pop_all()
            undo.callback(self.close)
            self._allocate(shapes)
            self._open_lanes()
            self._warm_up()
            if graphs:
                self._capture()
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

    def _allocate(self, shapes: dict[str, Shape]) -> None:
        device, faces = self._device, self.at_once
        self._flow_in: Array | None = None
        self._out: Array | None = None
        self._pool: StatePool | None = None
        self._addresses: list[int] = []
        self._lanes: dict[int, tuple[_Lane, ...]] = {}
        self._answer_shapes = {name: shapes[name] for name in ANSWERS}
        self._flow_in = self._host((faces, *self._flow_shape))
        self._out = self._host((self._answers(faces).size // 4,))
        self._flow_at, self._out_at = (
            self._allocated(array.nbytes) for array in (self._flow_in, self._out)
        )
        self._pool = StatePool(device, {name: shapes[name] for name in self._states}, faces)
        self._write_zeros(*self._pool.zeros)

    def _host(self, shape: Shape) -> Array:
        """Memory of the computer that the GPU copies from and to."""
        return self._device.page_locked(shape) if self._locked else np.empty(shape, np.float32)

    def _answers(self, faces: int) -> Layout:
        """How the answers for so many faces lie in memory."""
        return Layout({name: (faces, *rest[1:]) for name, rest in self._answer_shapes.items()})

    def _allocated(self, size: int) -> int:
        address = self._device.allocate(size)
        self._addresses.append(address)
        return address

    def _write_zeros(self, address: int, size: int) -> None:
        zeros = self._device.page_locked((size // 4,))
        zeros[:] = 0.0
        self._device.copy_in(address, zeros)
        self._device.synchronise()
        self._device.unlock(zeros)

    def _open_lanes(self) -> None:
        """Lanes for each size of batch, one for each block that states are read from."""
        for faces in sizes(self.at_once):
            context, answers = self._context(faces), self._answers(faces)
            self._bind(context, {"flow": self._flow_at})
            places = answers.offsets.items()
            self._bind(context, {name: self._out_at + offset for name, offset in places})
            self._lanes[faces] = tuple(self._lane(context, answers, faces, one) for one in TURNS)

    def _lane(self, context: Any, answers: Layout, faces: int, block: int) -> _Lane:
        assert self._flow_in is not None
        assert self._out is not None
        assert self._pool is not None
        written = self._pool.addresses(1 - block)
        states = {f"next_{name}": address for name, address in written.items()}
        states |= self._pool.addresses(block)
        out, units = self._out[: answers.size // 4], len(self.card.codes)
        logits, intensity, attention = (answers.offsets[name] // 4 for name in ANSWERS)
        return _Lane(
            context,
            states,
            self._flow_in[:faces],
            out,
            out[logits : logits + faces * units].reshape(faces, units),
            out[intensity : intensity + faces * units].reshape(faces, units),
            out[attention : attention + faces],
        )

    def _bind(self, context: Any, addresses: Mapping[str, int]) -> None:
        for name, address in addresses.items():
            if not context.set_tensor_address(name, address):
                raise TensorRTError(f"TensorRT takes no address for {name}: {self._log.reason}")

    def _warm_up(self) -> None:
        flow = np.zeros(self._flow_shape, np.float32)
        for faces in self._lanes:
            states = [self.first_state() for _ in range(faces)]
            for _ in range(WARM_UP):
                states = [after for _, after in self.step_all([flow] * faces, states)]
        # What goes wrong from now on is not to be laid to the loading.
        self._log.first = ""

    def _capture(self) -> None:
        """Keep each lane's work as a graph, all of them or none."""
        device = self._device
        if not device.can_capture:
            return
        lanes = [lane for pair in self._lanes.values() for lane in pair]
        try:
            for lane in lanes:
                lane.graph = device.capture(lambda lane=lane: self._queue(lane))  # type: ignore[misc]
            self._warm_up()
        except (DeviceError, TensorRTError):
            # Some layers wait for the GPU in mid-step; those cannot be captured, but they run.
            self._forget(lanes)
            self._log.first = ""
        else:
            self._about += ", as CUDA graphs"

    def _forget(self, lanes: Sequence[_Lane]) -> None:
        for lane in lanes:
            graph, lane.graph = lane.graph, None
            if graph is not None:
                with suppress(DeviceError):
                    self._device.forget(graph)

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
        pool, device = self._pool, self._device
        if pool is None:
            raise TensorRTError("the TensorRT engine is closed")
        count = len(flows)
        faces = next(size for size in self._lanes if size >= count)
        block = pool.gather(states, faces)
        lane = self._lanes[faces][block]
        for row, flow in enumerate(flows):
            lane.flow[row] = flow
        if lane.graph is None:
            self._queue(lane)
        else:
            device.launch(lane.graph)
        device.synchronise()
        self.bytes_moved += lane.flow.nbytes + lane.out.nbytes
        readings = (
            Reading(lane.logits[row].copy(), lane.intensity[row].copy(), float(lane.attention[row]))
            for row in range(count)
        )
        return zip(readings, pool.written(1 - block, count), strict=True)

    def _queue(self, lane: _Lane) -> None:
        """Queue a step: flow in, the network, answers out."""
        device = self._device
        self._bind(lane.context, lane.states)
        device.copy_in(self._flow_at, lane.flow)
        if not lane.context.execute_async_v3(device.stream):
            raise TensorRTError(f"TensorRT did not take the step: {self._log.reason}")
        device.copy_out(lane.out, self._out_at)

    def describe(self) -> str:
        """Library, version and device, for people."""
        return self._about

    def close(self) -> None:
        """Give all of it back to the GPU; a second time does nothing."""
        with self._lock:
            if self._engine is None:
                return
            pool, self._pool = self._pool, None
            self._forget([lane for pair in self._lanes.values() for lane in pair])
            # In this order: TensorRT lets go of what it was told of before that is freed.
            self._lanes = {}
            self._engine = self._runtime = None
            with ExitStack() as undo:
                undo.callback(self._device.close)
                for address in self._addresses:
                    undo.callback(self._device.free, address)
                for array in (self._flow_in, self._out):
                    if array is not None and self._locked:
                        undo.callback(self._device.unlock, array)
                if pool is not None:
                    undo.callback(pool.close)
            self._flow_in = self._out = None


def sizes(most: int) -> list[int]:
    """Sizes of batches up to ``most`` faces: 1, 2, 4 and so on, the smallest that fits is taken."""
    doubled = [1 << power for power in range((most - 1).bit_length())]
    return [*doubled, most]
