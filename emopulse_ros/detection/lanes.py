"""The ways through a network on a GPU: one for each size of batch and each block of states.

Where the library that reaches the GPU can, a lane is one CUDA graph. A captured graph holds on to
its addresses, which is why there are two lanes for each size: states are read and written in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.detection.device_memory import Array, Device, DeviceError
from emopulse_ros.detection.engine import ANSWERS, Reading, Shape
from emopulse_ros.detection.state_pool import TURNS, Layout, StatePool

Queue = Callable[[bool], None]
"""Queues a network once, with whether that is being captured: then nobody may wait for the GPU."""


class Network(Protocol):
    """What a library has made of a model, for one GPU and the stream that is used there."""

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """Every tensor that goes in or comes out, with its shape for one face."""
        ...

    def bound(self, faces: int, addresses: Mapping[str, int], /) -> Queue:
        """What queues the network for so many faces, whose tensors lie at these addresses.

        :raises RuntimeError: then or when it is queued, if the library does not take it.
        """
        ...

    def close(self) -> None:
        """Give it back, while the addresses still hold; nothing is queued any more.

        A second time does nothing.
        """
        ...


# No repr: after the end, what the arrays show is nobody's memory.
@dataclass(slots=True, eq=False, repr=False)
class Lane:
    """One way: ``flow`` is copied in, ``network`` queues the network, ``out`` is copied out; the
    answers ``(faces, …)`` are views of it."""

    network: Queue
    flow: Array
    out: Array
    logits: Array
    intensity: Array
    attention: Array
    graph: int | None = None

    def readings(self, count: int) -> list[Reading]:
        """What the last step said of its first faces."""
        logits, intensity = self.logits[:count].copy(), self.intensity[:count].copy()
        # Rows of one copy each: sixteen faces would else take as long to read out as to copy in.
        attention = self.attention[:count].ravel().tolist()
        return [Reading(*each) for each in zip(logits, intensity, attention, strict=True)]


class Lanes:
    """Lanes for 1 to ``faces`` faces, and the memory for what goes in and out, taken here.

    Without ``locked`` what goes in and out is copied by a detour.

    :raises DeviceError: if there is no memory for it; and what the network raises.
    """

    def __init__(
        self,
        device: Device,
        pool: StatePool,
        network: Network,
        faces: int,
        *,
        locked: bool,
    ) -> None:
        self._device = device
        self._network = network
        self._answer_shapes = {name: network.shapes[name] for name in ANSWERS}
        with ExitStack() as undo:
            self._flow = self._host((faces, *network.shapes["flow"][1:]), locked, undo)
            self._out = self._host((self._answers(faces).size // 4,), locked, undo)
            self._flow_at = self._allocated(self._flow.nbytes, undo)
            self._out_at = self._allocated(self._out.nbytes, undo)
            self._lanes: dict[int, tuple[Lane, ...]] = {}
            for size in sizes(faces):
                self._lanes[size] = tuple(self._lane(size, block, pool) for block in TURNS)
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

        :raises DeviceError: if the GPU fails; and what the network raises.
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

        :raises DeviceError: if one cannot be; and what the network raises.
        """
        for lane in self.every:
            lane.graph = self._device.capture(partial(self._queue, lane, True))

    def forget_graphs(self) -> None:
        """Queue each step piece by piece from now on."""
        for lane in self.every:
            graph, lane.graph = lane.graph, None
            if graph is not None:
                with suppress(DeviceError):
                    self._device.forget(graph)

    def close(self) -> None:
        """Give the memory back, and first what holds on to it: graphs and network."""
        self.forget_graphs()
        self._lanes = {}
        self._network.close()
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

    def _lane(self, size: int, block: int, pool: StatePool) -> Lane:
        answers = self._answers(size)
        addresses = {name: self._out_at + offset for name, offset in answers.offsets.items()}
        addresses |= {"flow": self._flow_at, **pool.addresses(block)}
        written = pool.addresses(1 - block)
        addresses |= {f"next_{name}": address for name, address in written.items()}
        out = self._out[: answers.size // 4]

        def view(name: str) -> Array:
            start, shape = answers.offsets[name] // 4, (size, *self._answer_shapes[name][1:])
            return out[start : start + int(np.prod(shape))].reshape(shape)

        network = self._network.bound(size, addresses)
        logits, intensity, attention = (view(name) for name in ANSWERS)
        return Lane(network, self._flow[:size], out, logits, intensity, attention)

    def _queue(self, lane: Lane, captured: bool = False) -> None:
        """Queue a step: flow in, the network, answers out."""
        self._device.copy_in(self._flow_at, lane.flow)
        lane.network(captured)
        self._device.copy_out(lane.out, self._out_at)


def sizes(most: int) -> list[int]:
    """Sizes of batches up to ``most`` faces: 1, 2, 4 and so on, the smallest that fits is taken."""
    doubled = [1 << power for power in range((most - 1).bit_length())]
    return [*doubled, most]
