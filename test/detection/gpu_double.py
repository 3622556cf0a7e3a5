"""A GPU and a TensorRT that are none: memory is this process's own, ONNX Runtime does the work.

What is queued is done when the stream is waited for, and not before; an address that nobody has
allocated ends the stream, as it does on a GPU.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime

from emopulse_ros.detection.device_memory import Array, DeviceError

MARK = b"plan of the double 1\n"
STREAM = 7


class GpuDouble:
    """The memory of a GPU; ``room`` bytes of it."""

    name = "Double"
    capability = "8.7"
    library = "nothing"
    stream = STREAM
    can_capture = True

    def __init__(self, room: int = 1 << 26) -> None:
        self.room = room
        self.buffers: dict[int, Any] = {}
        self.locked: dict[int, Array] = {}
        self.queue: list[Callable[[], None]] = []
        self.graphs: dict[int, list[Callable[[], None]]] = {}
        self.is_open = True
        self.is_capturing = False
        self.allocations = 0
        self.fails_with = ""
        """What goes wrong when the stream is waited for next, and ever after."""
        self.takes_graphs = True

    def allocate(self, size: int) -> int:
        self.allocations += 1
        if size > self.room:
            raise DeviceError(f"{size} bytes of the GPU's memory cannot be had: out of memory")
        self.room -= size
        memory = (ctypes.c_char * (size + 256))()
        # Whatever was there before: not zeros.
        ctypes.memset(memory, 0x7F, len(memory))
        address = -(-ctypes.addressof(memory) // 256) * 256
        self.buffers[address] = (memory, size)
        return address

    def free(self, address: int) -> None:
        self.room += self.buffers.pop(address)[1]

    def page_locked(self, shape: tuple[int, ...]) -> Array:
        self.allocations += 1
        array = np.full(shape, np.nan, np.float32)
        self.locked[array.ctypes.data] = array
        return array

    def unlock(self, array: Array) -> None:
        del self.locked[array.ctypes.data]

    def copy_in(self, address: int, array: Array) -> None:
        assert array.ctypes.data in self.locked
        self.queue.append(lambda: self.view(address, array.shape).__setitem__(..., array))

    def copy_out(self, array: Array, address: int) -> None:
        assert array.ctypes.data in self.locked
        self.queue.append(lambda: array.__setitem__(..., self.view(address, array.shape)))

    def copy_within(self, address: int, source: int, size: int) -> None:
        shape = (size // 4,)
        self.queue.append(
            lambda: self.view(address, shape).__setitem__(..., self.view(source, shape))
        )

    def capture(self, work: Callable[[], None]) -> int:
        before, self.queue = self.queue, []
        self.is_capturing = True
        try:
            work()
        finally:
            self.is_capturing = False
            captured, self.queue = self.queue, before
        self.graphs[len(self.graphs) + 1] = captured
        return len(self.graphs)

    def launch(self, graph: int) -> None:
        if not self.takes_graphs:
            raise DeviceError("the GPU does not take its work: out of luck")
        self.queue += self.graphs[graph]

    def forget(self, graph: int) -> None:
        del self.graphs[graph]

    def synchronise(self) -> None:
        queue, self.queue = self.queue, []
        if self.fails_with:
            raise DeviceError(f"the GPU did not do its work: {self.fails_with}")
        for work in queue:
            work()

    def close(self) -> None:
        assert self.is_open
        self.is_open = False

    @property
    def is_empty(self) -> bool:
        """Whether everything was given back."""
        return not (self.is_open or self.buffers or self.locked or self.graphs)

    def view(self, address: int, shape: tuple[int, ...]) -> Array:
        """What lies at an address."""
        size = 4 * int(np.prod(shape))
        if not any(
            start <= address and address + size <= start + room
            for start, (_, room) in self.buffers.items()
        ):
            raise DeviceError("the GPU did not do its work: an illegal memory access")
        floats = (ctypes.c_float * (size // 4)).from_address(address)
        return np.ctypeslib.as_array(floats).reshape(shape)


class TensorRTDouble:
    """Looks like the module ``tensorrt``, and runs its plans on the GPUs it is told of."""

    __name__ = "tensorrt"
    __version__ = "10.3.0"
    DataType = SimpleNamespace(FLOAT="float", HALF="half")
    TensorIOMode = SimpleNamespace(INPUT="input", OUTPUT="output")

    class ILogger:
        ERROR, INTERNAL_ERROR = "error", "internal error"

    def __init__(self) -> None:
        self.gpus: list[GpuDouble] = []
        self.room = 1 << 26
        self.error = 0.0
        """Added to every logit."""
        self.contexts: list[Context] = []
        self.steps = 0
        """Steps done by all contexts."""
        self.takes_steps = True
        self.shares_profiles = True

    def open_device(self) -> GpuDouble:
        self.gpus.append(GpuDouble(self.room))
        return self.gpus[-1]

    def Runtime(self, log: Any) -> Any:  # noqa: N802
        return SimpleNamespace(deserialize_cuda_engine=lambda plan: self._engine(plan, log))

    def _engine(self, plan: bytes, log: Any) -> Engine | None:
        if not plan.startswith(MARK):
            log.log("error", "Serialization assertion failed:\n  magicTag")
            return None
        return Engine(self, onnxruntime.InferenceSession(plan.removeprefix(MARK)))


def build(model: Path, faces: int, over: Any) -> bytes:
    """A plan for the double."""
    assert faces == 16
    assert not over.is_set()
    return MARK + model.read_bytes()


class Engine:
    def __init__(self, trt: TensorRTDouble, session: Any) -> None:
        self.trt, self.session = trt, session
        self.inputs = {entry.name: entry for entry in session.get_inputs()}
        self.outputs = {entry.name: entry for entry in session.get_outputs()}
        # Outputs first, as no one promises an order.
        self.tensors = {**self.outputs, **self.inputs}
        self.num_io_tensors = len(self.tensors)

    def get_tensor_name(self, index: int) -> str:
        return list(self.tensors)[index]

    def get_tensor_mode(self, name: str) -> str:
        return "input" if name in self.inputs else "output"

    def get_tensor_dtype(self, name: str) -> str:
        return self.tensors[name].type.removeprefix("tensor(").removesuffix(")")

    def get_tensor_shape(self, name: str) -> list[int]:
        return [-1 if isinstance(side, str) else side for side in self.tensors[name].shape]

    def create_execution_context(self) -> Context:
        self.trt.contexts.append(Context(self))
        return self.trt.contexts[-1]


class Context:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.addresses: dict[str, int] = {}
        # As up to 8.6.
        self.active_optimization_profile = 0 if not engine.trt.contexts else -1

    def set_optimization_profile_async(self, number: int, stream: int) -> bool:
        assert stream == STREAM
        self.active_optimization_profile = number
        return self.engine.trt.shares_profiles

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self.shapes[name] = shape
        return 1 <= shape[0] <= 16

    def get_tensor_shape(self, name: str) -> list[int]:
        # The batch is known once that of the inputs is.
        known = len(self.shapes) == len(self.engine.inputs)
        batch = {shape[0] for shape in self.shapes.values()} if known else {-1}
        assert len(batch) == 1
        return [*batch, *self.engine.get_tensor_shape(name)[1:]]

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.addresses[name] = address
        return address % 256 == 0

    def execute_async_v3(self, stream: int) -> bool:
        assert stream == STREAM
        assert self.active_optimization_profile == 0
        assert self.addresses.keys() == self.engine.tensors.keys()
        gpu, at = self.engine.trt.gpus[-1], dict(self.addresses)
        takes = self.engine.trt.takes_steps
        if takes:
            gpu.queue.append(lambda: self._run(gpu, at))
        return takes

    def _run(self, gpu: GpuDouble, at: dict[str, int]) -> None:
        self.engine.trt.steps += 1
        shapes = {name: tuple(self.get_tensor_shape(name)) for name in self.engine.tensors}
        feeds = {name: gpu.view(at[name], shapes[name]).copy() for name in self.engine.inputs}
        values = self.engine.session.run(list(self.engine.outputs), feeds)
        for name, value in zip(self.engine.outputs, values, strict=True):
            error = self.engine.trt.error if name == "logits" else 0.0
            gpu.view(at[name], shapes[name])[...] = value + error
