"""The state of the network in a GPU's memory: a few sets of buffers, allocated once."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np

from emopulse_ros.detection.device_memory import Device, DeviceError

ALIGNMENT = 256
"""Bytes; what TensorRT wants of an address."""

Shape = tuple[int, ...]


class Layout:
    """Where each of several ``float32`` tensors begins within one piece of memory; in bytes."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.offsets: dict[str, int] = {}
        self.size = 0
        for name, shape in shapes.items():
            self.offsets[name] = self.size
            self.size += -(-4 * int(np.prod(shape)) // ALIGNMENT) * ALIGNMENT


class DeviceState:
    """What earlier steps left behind, at ``address``.

    It is never written to again, so that a step can be repeated from it. When nobody refers to it
    any more, its buffers go back to the pool.
    """

    __slots__ = ("_free", "address")

    def __init__(self, address: int, free: deque[int] | None) -> None:
        self.address = address
        self._free = free

    def __del__(self) -> None:
        if self._free is not None:
            self._free.append(self.address)


class StatePool:
    """``sets`` sets of the state's tensors, and one of zeros that every face begins with.

    :raises DeviceError: if the GPU has no memory for them.
    """

    def __init__(self, device: Device, layout: Layout, sets: int) -> None:
        self._device = device
        self._sets = sets
        # All in one piece: the first set is that of zeros.
        self._memory = device.allocate((sets + 1) * layout.size)
        starts = (self._memory + layout.size * number for number in range(sets + 1))
        self.first = DeviceState(next(starts), None)
        """The state that knows nothing."""
        self._free = deque(starts)

    @property
    def free(self) -> int:
        """Sets that nobody uses."""
        return len(self._free)

    def take(self) -> DeviceState:
        """A set to be written to; what it holds is not defined.

        :raises DeviceError: if all of them are in use.
        """
        try:
            return DeviceState(self._free.popleft(), self._free)
        except IndexError:
            raise DeviceError(
                f"all {self._sets} states the engine has room for are in use: let go of those that "
                "are over, or load it for more faces"
            ) from None

    def close(self) -> None:
        """Give the memory back; states that are still referred to are worth nothing then."""
        self._device.free(self._memory)
