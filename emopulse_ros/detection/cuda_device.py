"""A GPU's memory by ``cuda-bindings``, NVIDIA's own."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from emopulse_ros.detection.device_memory import Array, DeviceError


class CudaDevice:
    """The first GPU; ``runtime`` is the module ``cuda.bindings.runtime``.

    :raises DeviceError: if there is none, or its driver does not answer.
    """

    library = "cuda-bindings"
    can_capture = True

    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime
        (count,) = self._ask("no GPU can be used", runtime.cudaGetDeviceCount())
        if count == 0:
            raise DeviceError("no GPU can be used: the driver knows none")
        self._ask("the first GPU cannot be used", runtime.cudaSetDevice(0))
        (about,) = self._ask("the GPU does not say what it is", runtime.cudaGetDeviceProperties(0))
        self.name = bytes(about.name).decode(errors="replace").strip("\0 ")
        self.capability = f"{about.major}.{about.minor}"
        flags = runtime.cudaStreamNonBlocking
        (self._stream,) = self._ask("no stream", runtime.cudaStreamCreateWithFlags(flags))
        self.stream = int(self._stream)
        self._to_device = runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._to_host = runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._inside = runtime.cudaMemcpyKind.cudaMemcpyDeviceToDevice
        # What other threads ask of a GPU meanwhile is no business of a capture.
        self._own = runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._graphs: dict[int, Any] = {}

    def allocate(self, size: int) -> int:
        what = f"{size} bytes of the GPU's memory cannot be had"
        (address,) = self._ask(what, self._runtime.cudaMalloc(size))
        return int(address)

    def free(self, address: int) -> None:
        self._ask("the GPU's memory is not taken back", self._runtime.cudaFree(address))

    def page_locked(self, shape: tuple[int, ...]) -> Array:
        array_type = ctypes.c_float * int(np.prod(shape))
        size, flags = ctypes.sizeof(array_type), self._runtime.cudaHostAllocDefault
        what = f"{size} bytes of page-locked memory cannot be had"
        (address,) = self._ask(what, self._runtime.cudaHostAlloc(size, flags))
        return np.ctypeslib.as_array(array_type.from_address(int(address))).reshape(shape)

    def unlock(self, array: Array) -> None:
        released = self._runtime.cudaFreeHost(array.ctypes.data)
        self._ask("page-locked memory is not taken back", released)

    def copy_in(self, address: int, array: Array) -> None:
        copied = self._runtime.cudaMemcpyAsync(
            address, array.ctypes.data, array.nbytes, self._to_device, self._stream
        )
        self._ask("nothing can be copied to the GPU", copied)

    def copy_out(self, array: Array, address: int) -> None:
        copied = self._runtime.cudaMemcpyAsync(
            array.ctypes.data, address, array.nbytes, self._to_host, self._stream
        )
        self._ask("nothing can be copied from the GPU", copied)

    def copy_within(self, address: int, source: int, size: int) -> None:
        copied = self._runtime.cudaMemcpyAsync(address, source, size, self._inside, self._stream)
        self._ask("nothing can be copied in the GPU's memory", copied)

    def capture(self, work: Callable[[], None]) -> int:
        runtime, what = self._runtime, "the GPU's work cannot be kept as a graph"
        self._ask(what, runtime.cudaStreamBeginCapture(self._stream, self._own))
        try:
            work()
        finally:
            # Whatever happened: a stream that is being captured does nothing else.
            ended = runtime.cudaStreamEndCapture(self._stream)
        (graph,) = self._ask(what, ended)
        try:
            (ready,) = self._ask(what, runtime.cudaGraphInstantiate(graph, 0))
        finally:
            runtime.cudaGraphDestroy(graph)
        self._graphs[int(ready)] = ready
        return int(ready)

    def launch(self, graph: int) -> None:
        queued = self._runtime.cudaGraphLaunch(self._graphs[graph], self._stream)
        self._ask("the GPU does not take its work", queued)

    def forget(self, graph: int) -> None:
        gone = self._runtime.cudaGraphExecDestroy(self._graphs.pop(graph))
        self._ask("a graph is not taken back", gone)

    def synchronise(self) -> None:
        self._ask("the GPU did not do its work", self._runtime.cudaStreamSynchronize(self._stream))

    def close(self) -> None:
        self._ask("the stream is not taken back", self._runtime.cudaStreamDestroy(self._stream))

    def _ask(self, what: str, answer: tuple[Any, ...]) -> tuple[Any, ...]:
        """The values of an answer, whose first part is an error's number."""
        code, *values = answer
        if code:
            told, reason = self._runtime.cudaGetErrorString(code)
            words = f"error {int(code)}" if told else reason.decode(errors="replace")
            raise DeviceError(f"{what}: {words}")
        return tuple(values)
