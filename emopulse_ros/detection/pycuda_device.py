"""A GPU's memory by PyCUDA, for robots that have it and no ``cuda-bindings``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from emopulse_ros.detection.device_memory import Array, DeviceError


class PycudaDevice:
    """The first GPU; ``driver`` is the module ``pycuda.driver``.

    TensorRT works in the GPU's primary context, and so does this. PyCUDA wants a context made
    current in each thread, and left before it ends: it is, for each call.

    :raises DeviceError: if there is none, or its driver does not answer.
    """

    library = "PyCUDA"
    can_capture = False

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._allocations: dict[int, Any] = {}
        try:
            driver.init()
            if driver.Device.count() == 0:
                raise DeviceError("no GPU can be used: the driver knows none")
            device = driver.Device(0)
            self.name = str(device.name())
            self.capability = "{}.{}".format(*device.compute_capability())
            self._context = device.retain_primary_context()
        except driver.Error as error:
            raise DeviceError(f"no GPU can be used: {error}") from error
        with self._current("no stream"):
            self._stream = driver.Stream()
        self.stream = int(self._stream.handle)

    def allocate(self, size: int) -> int:
        with self._current(f"{size} bytes of the GPU's memory cannot be had"):
            allocation = self._driver.mem_alloc(size)
        self._allocations[int(allocation)] = allocation
        return int(allocation)

    def free(self, address: int) -> None:
        with self._current("the GPU's memory is not taken back"):
            self._allocations.pop(address).free()

    def page_locked(self, shape: tuple[int, ...]) -> Array:
        size = 4 * int(np.prod(shape))
        with self._current(f"{size} bytes of page-locked memory cannot be had"):
            array: Array = self._driver.pagelocked_empty(shape, np.float32)
        return array

    def unlock(self, array: Array) -> None:
        with self._current("page-locked memory is not taken back"):
            array.base.free()  # type: ignore[union-attr]

    def copy_in(self, address: int, array: Array) -> None:
        with self._current("nothing can be copied to the GPU"):
            self._driver.memcpy_htod_async(address, array, self._stream)

    def copy_out(self, array: Array, address: int) -> None:
        with self._current("nothing can be copied from the GPU"):
            self._driver.memcpy_dtoh_async(array, address, self._stream)

    def copy_within(self, address: int, source: int, size: int) -> None:
        with self._current("nothing can be copied in the GPU's memory"):
            self._driver.memcpy_dtod_async(address, source, size, self._stream)

    def capture(self, _: Callable[[], None]) -> int:
        raise DeviceError("the GPU's work cannot be kept as a graph: PyCUDA knows none")

    def launch(self, graph: int) -> None:
        raise DeviceError(f"the GPU does not take its work: there is no graph {graph}")

    def forget(self, graph: int) -> None:
        raise DeviceError(f"a graph is not taken back: there is no graph {graph}")

    def synchronise(self) -> None:
        with self._current("the GPU did not do its work"):
            self._stream.synchronize()

    def close(self) -> None:
        with self._current("the stream is not taken back"):
            del self._stream

    @contextmanager
    def _current(self, what: str) -> Iterator[None]:
        try:
            self._context.push()
            try:
                yield
            finally:
                self._context.pop()
        except self._driver.Error as error:
            raise DeviceError(f"{what}: {error}") from error
