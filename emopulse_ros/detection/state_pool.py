"""The state of the network in a GPU's memory, arranged so that a step moves none of it.

A batch of faces is read from the first rows of one block and written to those of the other, and the
next time the other way round. While the same faces come again their states stand where they are
read; only where faces come, go or take turns are rows copied.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence

import numpy as np

from emopulse_ros.detection.device_memory import Device, DeviceError
from emopulse_ros.detection.engine import Shape

ALIGNMENT = 256
"""Bytes; what TensorRT wants of an address."""

TURNS = (0, 1)
"""The blocks that steps read and write in turn."""
ASIDE, ZEROS = 2, 3
"""The block of states that wait for their turn, and the one that knows nothing."""

WAITING = 32
"""States that may wait for their turn, those of faces that have just gone among them; one of the
shipped network takes 182 kB."""


class Layout:
    """Where each of several ``float32`` tensors begins within one piece of memory; in bytes."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.offsets: dict[str, int] = {}
        self.size = 0
        for name, shape in shapes.items():
            self.offsets[name] = self.size
            self.size += -(-4 * int(np.prod(shape)) // ALIGNMENT) * ALIGNMENT


class DeviceState:
    """What earlier steps left behind, in a row of a block.

    It is never written to again, so that a step can be repeated from it; the pool may put it
    elsewhere. When nobody refers to it any more, its row is free.
    """

    __slots__ = ("__weakref__", "block", "row")

    def __init__(self, block: int, row: int) -> None:
        self.block = block
        self.row = row


class StatePool:
    """States of ``faces`` faces at once and of :data:`WAITING` others.

    ``shapes`` are those of the tensors of one: ``{name: (1, ...)}``. All memory is taken here, in
    one piece.

    :raises DeviceError: if the GPU has no memory for them.
    """

    def __init__(self, device: Device, shapes: Mapping[str, Shape], faces: int) -> None:
        self._device = device
        self._rows = {name: 4 * int(np.prod(shape)) for name, shape in shapes.items()}
        counts = (faces, faces, WAITING, 1)
        layouts = [
            Layout({name: (count, *shape[1:]) for name, shape in shapes.items()})
            for count in counts
        ]
        self._memory = device.allocate(sum(layout.size for layout in layouts))
        self._starts: list[dict[str, int]] = []
        start = self._memory
        for layout in layouts:
            self._starts.append({name: start + at for name, at in layout.offsets.items()})
            start += layout.size
        try:
            self._write_zeros(min(self._starts[ZEROS].values()), layouts[ZEROS].size)
        except BaseException:
            self.close()
            raise
        self._standing: list[list[weakref.ref[DeviceState] | None]] = [
            [None] * count for count in counts
        ]
        self.first = DeviceState(ZEROS, 0)
        """The state that knows nothing."""
        self.copied_rows = 0
        """Rows that had to be copied since the beginning."""

    def addresses(self, block: int) -> Mapping[str, int]:
        """Where the tensors of a block begin."""
        return self._starts[block]

    def gather(self, states: Sequence[DeviceState], rows: int) -> int:
        """Queue the copies that bring states into the first rows of a block; return which.

        The first ``rows`` of the other block may be written to then.

        :raises DeviceError: if there is no room for those that have to make way.
        """
        block = states[0].block
        if block not in TURNS or _in_place(states, block) < len(states):
            block = max(TURNS, key=lambda one: _in_place(states, one))
            self._arrange(states, block)
        for kept in self._standing[1 - block][:rows]:
            standing = None if kept is None else kept()
            if standing is not None:
                self._move(standing, ASIDE, self._room_aside())
        return block

    def written(self, block: int, count: int) -> list[DeviceState]:
        """The states that a step has left in the first rows of a block."""
        states = [DeviceState(block, row) for row in range(count)]
        self._standing[block][:count] = [weakref.ref(state) for state in states]
        return states

    def close(self) -> None:
        """Give the memory back; states that are still referred to are worth nothing then."""
        self._device.free(self._memory)

    def _write_zeros(self, address: int, size: int) -> None:
        zeros = self._device.page_locked((size // 4,))
        try:
            zeros[:] = 0.0
            self._device.copy_in(address, zeros)
            self._device.synchronise()
        finally:
            self._device.unlock(zeros)

    def _arrange(self, states: Sequence[DeviceState], block: int) -> None:
        for row, state in enumerate(states):
            self._clear(block, row, but=state)
        for row, state in enumerate(states):
            if (state.block, state.row) == (block, row):
                continue
            # Two faces may go on from one state: the second gets a copy.
            if state.block == ZEROS or any(state is one for one in states[:row]):
                self._copy(state, block, row)
            else:
                self._move(state, block, row)

    def _clear(self, block: int, row: int, but: DeviceState | None = None) -> None:
        """Let who stands in a row, if it is somebody else, wait aside."""
        standing = self._at(block, row)
        if standing is not but and standing is not None:
            self._move(standing, ASIDE, self._room_aside())

    def _at(self, block: int, row: int) -> DeviceState | None:
        """Who stands in a row, if somebody still refers to it."""
        kept = self._standing[block][row]
        return None if kept is None else kept()

    def _room_aside(self) -> int:
        for row in range(len(self._standing[ASIDE])):
            if self._at(ASIDE, row) is None:
                return row
        raise DeviceError(
            f"all {len(self._standing[ASIDE])} places for states that wait are in use: let go of "
            "those that are over"
        )

    def _move(self, state: DeviceState, block: int, row: int) -> None:
        self._copy(state, block, row)
        self._standing[state.block][state.row] = None
        state.block, state.row = block, row
        self._standing[block][row] = weakref.ref(state)

    def _copy(self, state: DeviceState, block: int, row: int) -> None:
        source, target = self._starts[state.block], self._starts[block]
        for name, size in self._rows.items():
            place = target[name] + row * size
            self._device.copy_within(place, source[name] + state.row * size, size)
        self.copied_rows += 1


def _in_place(states: Sequence[DeviceState], block: int) -> int:
    """How many states stand in the rows of a block that they are read from."""
    return sum(state.block == block and state.row == row for row, state in enumerate(states))
