"""The ways through a TensorRT plan: one for each size of batch and each block states are read from.

Where the library that reaches the GPU can, a lane is one CUDA graph. A captured graph holds on to
its addresses, which is why there are two lanes for each size: states are read and written in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.detection.device_memory import Array, Device, DeviceError
from emopulse_ros.detection.engine import Reading
from emopulse_ros.detection.state_pool import TURNS, Layout, Shape, StatePool
from emopulse_ros.detection.tensorrt_plan import TensorRTError

ANSWERS = ("logits", "intensity", "attention")


# No repr: after the end, what the arrays show is nobody's memory.
@dataclass(slots=True, eq=False, repr=False)
class Lane:
    """One way: ``states`` are the addresses of the states' tensors, read and written; ``flow`` is
    copied in, ``out`` is copied out, and the answers ``(faces, …)`` are views of it."""

    context: Any
    states: dict[str, int]
    flow: Array
    out: Array
    logits: Array
    intensity: Array
    attention: Array
    graph: int | None = None

    def readings(self, count: int) -> list[Reading]:
        """What the last step said of its first faces."""
        return [
            Reading(self.logits[row].copy(), self.intensity[row].copy(), float(self.attention[row]))
            for row in range(count)
        ]


class Lanes:
    """Lanes for 1 to ``faces`` faces, and the memory for what goes in and out, taken here.

    ``open_context`` gives what runs the plan for so many faces, ``shapes`` are those of every
    tensor for one, ``log`` hears TensorRT. Without ``locked`` what goes in and out is copied by a
    detour.

    :raises TensorRTError: if TensorRT does not take an address.
    :raises DeviceError: if there is no memory for it.
    """

    def __init__(
        self,
        device: Device,
        pool: StatePool,
        open_context: Callable[[int], Any],
        shapes: Mapping[str, Shape],
        faces: int,
        log: Any,
        *,
        locked: bool,
    ) -> None:
        self._device = device
        self._log = log
        self._answer_shapes = {name: shapes[name] for name in ANSWERS}
        with ExitStack() as undo:
            self._flow = self._host((faces, *shapes["flow"][1:]), locked, undo)
            self._out = self._host((self._answers(faces).size // 4,), locked, undo)
            self._flow_at = self._allocated(self._flow.nbytes, undo)
            self._out_at = self._allocated(self._out.nbytes, undo)
            self._lanes: dict[int, tuple[Lane, ...]] = {}
            for size in sizes(faces):
                context = open_context(size)
                self._lanes[size] = tuple(self._lane(context, size, block, pool) for block in TURNS)
            self._taken = undo.pop_all()

    @property
    def every(self) -> list[Lane]:
        """All of them."""
        return [lane for pair in self._lanes.values() for lane in pair]

    def size_for(self, faces: int) -> int:
        """The smallest batch that so many faces fit in."""
        return next(size for size in self._lanes if size >= faces)

    def run(self, flows: Sequence[NDArray[np.float32]], size: int, block: int) -> Lane:
        """A step of some faces whose states stand in a block; done when this returns.

        :raises TensorRTError, DeviceError: if TensorRT or the GPU fails.
        """
        lane = self._lanes[size][block]
        for row, flow in enumerate(flows):
            lane.flow[row] = flow
        if lane.graph is None:
            self._queue(lane)
        else:
            self._device.launch(lane.graph)
        self._device.synchronise()
        return lane

    def capture(self) -> None:
        """Make each lane a graph, once all of them have run; :meth:`forget_graphs` if one fails.

        :raises TensorRTError, DeviceError: if one cannot be.
        """
        for lane in self.every:
            lane.graph = self._device.capture(lambda lane=lane: self._queue(lane))  # type: ignore[misc]

    def forget_graphs(self) -> None:
        """Queue each step piece by piece from now on."""
        for lane in self.every:
            graph, lane.graph = lane.graph, None
            if graph is not None:
                with suppress(DeviceError):
                    self._device.forget(graph)

    def close(self) -> None:
        """Give the memory back, TensorRT's hold on it first."""
        self.forget_graphs()
        self._lanes = {}
        self._taken.close()

    def _host(self, shape: Shape, locked: bool, undo: ExitStack) -> Array:
        """Memory of the computer that the GPU copies from and to."""
        if not locked:
            return np.empty(shape, np.float32)
        array = self._device.page_locked(shape)
        undo.callback(self._device.unlock, array)
        return array

    def _allocated(self, size: int, undo: ExitStack) -> int:
        address = self._device.allocate(size)
        undo.callback(self._device.free, address)
        return address

    def _answers(self, faces: int) -> Layout:
        """How the answers for so many faces lie in memory."""
        return Layout({name: (faces, *rest[1:]) for name, rest in self._answer_shapes.items()})

    def _lane(self, context: Any, size: int, block: int, pool: StatePool) -> Lane:
        answers = self._answers(size)
        places = {name: self._out_at + offset for name, offset in answers.offsets.items()}
        self._bind(context, {"flow": self._flow_at, **places})
        written = pool.addresses(1 - block)
        states = {f"next_{name}": address for name, address in written.items()}
        out = self._out[: answers.size // 4]

        def view(name: str) -> Array:
            start, shape = answers.offsets[name] // 4, (size, *self._answer_shapes[name][1:])
            return out[start : start + int(np.prod(shape))].reshape(shape)

        states |= pool.addresses(block)
        logits, intensity, attention = (view(name) for name in ANSWERS)
        return Lane(context, states, self._flow[:size], out, logits, intensity, attention)

    def _queue(self, lane: Lane) -> None:
        """Queue a step: flow in, the network, answers out."""
        self._bind(lane.context, lane.states)
        self._device.copy_in(self._flow_at, lane.flow)
        if not lane.context.execute_async_v3(self._device.stream):
            raise TensorRTError(f"TensorRT did not take the step: {self._log.reason}")
        self._device.copy_out(lane.out, self._out_at)

    def _bind(self, context: Any, addresses: Mapping[str, int]) -> None:
        for name, address in addresses.items():
            if not context.set_tensor_address(name, address):
                raise TensorRTError(f"TensorRT takes no address for {name}: {self._log.reason}")


def sizes(most: int) -> list[int]:
    """Sizes of batches up to ``most`` faces: 1, 2, 4 and so on, the smallest that fits is taken."""
    doubled = [1 << power for power in range((most - 1).bit_length())]
    return [*doubled, most]
