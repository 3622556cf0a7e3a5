"""The memory of a GPU, reached through whichever library there is.

All that EmoPulse asks of a GPU's memory goes through :class:`Device`: what runs over one of these
runs over any other.
"""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


DRIVER = "libcuda.so.1"
"""NVIDIA's driver, as programs load it."""


class DeviceError(RuntimeError):
    """A GPU is missing, or did not do what it was asked to; the text is a sentence."""


class Device(Protocol):
    """One GPU with one stream of work, which is not the default one.

    Addresses are numbers. Copies are queued in the stream and done when :meth:`synchronise` has
    returned: what they read must stay as it is until then. Any thread may call, one at a time.

    :raises DeviceError: by every method, if the GPU does not do it.
    """

    name: str
    """What its maker calls it."""
    capability: str
    """Compute capability, such as "8.7"."""
    library: str
    """By what it is reached."""
    stream: int
    """Handle of the stream."""
    can_capture: bool
    """Whether queued work can be kept as a CUDA graph, and queued again as one piece."""

    def allocate(self, size: int) -> int:
        """Address of ``size`` bytes of the GPU's memory, 256-aligned."""
        ...

    def free(self, address: int) -> None:
        """Give back what :meth:`allocate` gave."""
        ...

    def page_locked(self, shape: tuple[int, ...]) -> Array:
        """An array ``float32`` in memory the GPU copies from and to without a detour."""
        ...

    def unlock(self, array: Array) -> None:
        """Give back what :meth:`page_locked` gave; nobody may look at it any more."""
        ...

    def copy_in(self, address: int, array: Array) -> None:
        """Queue a copy of a page-locked array, or of its beginning, to the GPU's memory."""
        ...

    def copy_out(self, array: Array, address: int) -> None:
        """Queue a copy from the GPU's memory that fills a page-locked array, or its beginning."""
        ...

    def copy_within(self, address: int, source: int, size: int) -> None:
        """Queue a copy of ``size`` bytes from one place in the GPU's memory to another."""
        ...

    def capture(self, work: Callable[[], None], /) -> int:
        """The work that ``work`` queues, as a graph, its addresses with it; nothing is done yet."""
        ...

    def launch(self, graph: int) -> None:
        """Queue all the work of a graph."""
        ...

    def forget(self, graph: int) -> None:
        """Give back what :meth:`capture` gave."""
        ...

    def synchronise(self) -> None:
        """Wait until all that is queued has been done."""
        ...

    def close(self) -> None:
        """Give the stream back; buffers are freed before."""
        ...


def open_device() -> Device:
    """The first GPU, by ``cuda-bindings`` or else by ``pycuda``.

    :raises DeviceError: if there is no GPU, no driver or neither library.
    """
    try:
        ctypes.CDLL(DRIVER)
    except OSError as error:
        raise DeviceError(f"no GPU can be used: there is no NVIDIA driver ({DRIVER})") from error
    reasons = []
    for name, open_one in BACKENDS:
        try:
            library = importlib.import_module(name)
        except ModuleNotFoundError as error:
            reasons.append(f"{name}: {error}")
            continue
        except Exception as error:  # a library that does not load raises what it likes
            reasons.append(f"{name} does not load: {error}")
            continue
        return open_one(library)
    raise DeviceError(
        f"no GPU can be used: nothing here reaches its memory ({'; '.join(reasons)}): "
        "pip install cuda-bindings"
    )


def _by_cuda(library: Any) -> Device:
    from emopulse_ros.detection.cuda_device import CudaDevice

    return CudaDevice(library)


def _by_pycuda(library: Any) -> Device:
    from emopulse_ros.detection.pycuda_device import PycudaDevice

    return PycudaDevice(library)


BACKENDS: tuple[tuple[str, Callable[[Any], Device]], ...] = (
    ("cuda.bindings.runtime", _by_cuda),
    ("pycuda.driver", _by_pycuda),
)
"""Libraries by their modules, the first that loads is taken, and how each opens the GPU."""
