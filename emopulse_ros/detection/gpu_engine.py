"""The network on a GPU, its state in the GPU's memory from step to step.

Which library runs it there is another matter: see :class:`~emopulse_ros.detection.lanes.Network`. A
step of several faces is one batch, and one CUDA graph where that can be.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.detection.device_memory import Device, DeviceError
from emopulse_ros.detection.engine import Reading
from emopulse_ros.detection.lanes import Lanes, Network, sizes
from emopulse_ros.detection.model import Card, ModelError
from emopulse_ros.detection.state_pool import DeviceState, StatePool

WARM_UP = 10
"""Steps run at load: the first ones load kernels, and would be late."""


class GpuEngine:
    """The step form of a model on a GPU, which the engine takes over.

    ``load`` gives what runs the network there, and ``about`` is how people are told of it.
    ``faces`` is how many one step may read. Everything is allocated here; a step allocates nothing
    on the GPU. Without ``graphs`` each step is queued piece by piece, and without ``locked`` memory
    copied by a detour: both cost time.

    :raises DeviceError: if the GPU has no memory for it, or fails; and whatever ``load`` raises.
    """

    library: ClassVar[str]
    """What runs the network there, for people."""

    def __init__(
        self,
        load: Callable[[], Network],
        device: Device,
        card: Card,
        model_hash: str,
        about: str,
        *,
        faces: int,
        graphs: bool = True,
        locked: bool = True,
    ) -> None:
        self.card = card
        self.model_hash = model_hash
        self.at_once = faces
        self.bytes_moved = 0
        self.is_captured = False
        """Whether each step is one CUDA graph."""
        self._device = device
        self._about = about if locked else f"{about}, without page-locked memory"
        recipe = card.recipe
        self._flow_shape = (len(recipe.channels), recipe.grid, recipe.grid)
        # One place for what goes in and out: steps come one at a time.
        self._lock = threading.Lock()
        with ExitStack() as undo:
            undo.callback(device.close)
            network = load()
            undo.callback(network.close)
            shapes = network.shapes
            states = {name: shapes[name] for name in shapes if f"next_{name}" in shapes}
            self._pool: StatePool | None = StatePool(device, states, faces)
            undo.callback(self._pool.close)
            self._lanes = Lanes(device, self._pool, network, faces, locked=locked)
            undo.callback(self._lanes.close)
            self._warm_up()
            if graphs and device.can_capture:
                self._capture()
            self._taken = undo.pop_all()

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
        except RuntimeError:
            # Some layers wait for the GPU in mid-step; those cannot be captured, but they run.
            self._lanes.forget_graphs()
        else:
            self.is_captured = True
            self._about += ", as CUDA graphs"

    @property
    def _open_pool(self) -> StatePool:
        pool = self._pool
        if pool is None:
            raise DeviceError("the engine on the GPU is closed")
        return pool

    def first_state(self) -> DeviceState:
        """The state that knows nothing."""
        return self._open_pool.first

    def step(self, flow: NDArray[np.float32], state: DeviceState) -> tuple[Reading, DeviceState]:
        """One time step: ``(C, H, W) float32`` and a state to a reading and the next state.

        :raises ModelError: if the flow has another shape.
        :raises DeviceError: if the GPU fails; and what the network raises when it is queued.
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
        pool, count = self._open_pool, len(flows)
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
            self._pool = None
            self._taken.close()
