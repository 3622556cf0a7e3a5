"""Pictures in memory that two processes share: a ring of slots without a name.

The memory has a file descriptor and no place in the file system, so that it goes when the last
process that holds it goes, however that one ends.
"""

from __future__ import annotations

import mmap
import os

import numpy as np
from numpy.typing import NDArray

_HEADER = 4096
"""Bytes before the first slot: a page, so that slots are aligned."""


class PictureRing:
    """``slots`` pictures of ``size`` (width, height) in the memory behind ``descriptor``.

    It says where pictures lie, not whose turn it is: writer and reader agree on that by other
    means. ``cpu_seconds`` is a number the writer leaves for the reader.
    """

    def __init__(self, descriptor: int, slots: int, size: tuple[int, int]) -> None:
        width, height = size
        memory = mmap.mmap(descriptor, _length(slots, size))
        self._pictures: NDArray[np.uint8] = np.frombuffer(
            memory, np.uint8, slots * height * width, _HEADER
        ).reshape(slots, height, width)
        self._cpu: NDArray[np.float64] = np.frombuffer(memory, np.float64, 1)

    def slot(self, index: int) -> NDArray[np.uint8]:
        """The ``(H, W) uint8`` picture of frame ``index``, writeable, in place."""
        picture: NDArray[np.uint8] = self._pictures[index % len(self._pictures)]
        return picture

    @property
    def cpu_seconds(self) -> float:
        """Processor time the writer has used, as it last said."""
        return float(self._cpu[0])

    @cpu_seconds.setter
    def cpu_seconds(self, value: float) -> None:
        self._cpu[0] = value


def reserve(slots: int, size: tuple[int, int]) -> int:
    """Return the descriptor of new, zeroed memory for a :class:`PictureRing`; close it after."""
    descriptor = os.memfd_create("emopulse-pictures")
    os.ftruncate(descriptor, _length(slots, size))
    return descriptor


def _length(slots: int, size: tuple[int, int]) -> int:
    width, height = size
    return _HEADER + slots * width * height
