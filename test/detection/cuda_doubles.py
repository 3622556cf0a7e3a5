"""Doubles of the two libraries that reach a GPU's memory, on this process's own."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np


class Cuda(ModuleType):
    """``cuda.bindings.runtime`` on this process's memory; ``broken`` are the calls that fail."""

    cudaMemcpyKind = SimpleNamespace(  # noqa: N815
        cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2, cudaMemcpyDeviceToDevice=3
    )
    cudaStreamCaptureMode = SimpleNamespace(cudaStreamCaptureModeThreadLocal=1)  # noqa: N815
    cudaStreamNonBlocking = 1  # noqa: N815
    cudaHostAllocDefault = 0  # noqa: N815

    def __init__(self) -> None:
        super().__init__("cuda.bindings.runtime")
        self.broken: set[str] = set()
        self.memory: dict[int, Any] = {}
        self.gpus = 1
        self.captured: list[Callable[[], object]] | None = None
        """What is queued while a graph is captured."""
        self.graphs: dict[int, list[Callable[[], object]]] = {}
        self.answers = {
            "cudaGetDeviceCount": lambda: (self.gpus,),
            "cudaSetDevice": lambda _: (),
            "cudaGetDeviceProperties": lambda _: (
                SimpleNamespace(name=b"Orin\0\0", major=8, minor=7),
            ),
            "cudaStreamCreateWithFlags": lambda _: (99,),
            "cudaStreamDestroy": lambda _: (),
            "cudaStreamSynchronize": lambda _: (),
            "cudaMalloc": self._new,
            "cudaHostAlloc": lambda size, _: self._new(size),
            "cudaFree": self._free,
            "cudaFreeHost": self._free,
            "cudaMemcpyAsync": self._copy,
            "cudaStreamBeginCapture": lambda stream, mode: self._begin(stream, mode),
            "cudaStreamEndCapture": lambda _: self._end(),
            "cudaGraphInstantiate": lambda graph, _: self._ready(graph),
            "cudaGraphDestroy": lambda _: (),
            "cudaGraphLaunch": lambda graph, _: self._launch(graph),
            "cudaGraphExecDestroy": self._forget,
        }

    def __getattr__(self, name: str) -> Any:
        answers = self.__dict__.get("answers", {})
        if name not in answers:
            raise AttributeError(name)
        return lambda *given: (2,) if name in self.broken else (0, *answers[name](*given))

    def cudaGetErrorString(self, code: int) -> tuple[int, bytes]:  # noqa: N802
        return 0, b"out of memory" if code == 2 else b"no error"

    def _new(self, size: int) -> tuple[int]:
        memory = (ctypes.c_char * size)()
        self.memory[ctypes.addressof(memory)] = memory
        return (ctypes.addressof(memory),)

    def _free(self, address: int) -> tuple[()]:
        del self.memory[address]
        return ()

    def _copy(self, to: int, source: int, size: int, kind: int, stream: int) -> tuple[()]:
        assert stream == 99
        assert kind in (1, 2, 3)
        if self.captured is None:
            ctypes.memmove(to, source, size)
        else:
            self.captured.append(lambda: ctypes.memmove(to, source, size))
        return ()

    def _begin(self, stream: int, mode: int) -> tuple[()]:
        assert (stream, mode) == (99, 1)
        self.captured = []
        return ()

    def _end(self) -> tuple[list[Any]]:
        captured, self.captured = self.captured, None
        assert captured is not None
        return (captured,)

    def _ready(self, graph: list[Any]) -> tuple[int]:
        self.graphs[5] = graph
        return (5,)

    def _launch(self, graph: int) -> tuple[()]:
        for work in self.graphs[graph]:
            work()
        return ()

    def _forget(self, graph: int) -> tuple[()]:
        del self.graphs[graph]
        return ()


class Pycuda(ModuleType):
    """``pycuda.driver`` on this process's memory; every call wants the context to be current."""

    class Error(Exception):
        pass

    def __init__(self) -> None:
        super().__init__("pycuda.driver")
        self.broken: set[str] = set()
        self.depth = 0
        self.memory: dict[int, Any] = {}
        cuda = self

        class Context:
            def push(self) -> None:
                cuda.depth += 1

            @staticmethod
            def pop() -> None:
                cuda.depth -= 1

        class Gpu:
            def __init__(self, number: int) -> None:
                assert number == 0

            @staticmethod
            def count() -> int:
                return 1

            def name(self) -> str:
                return "Orin"

            def compute_capability(self) -> tuple[int, int]:
                return 8, 7

            def retain_primary_context(self) -> Context:
                return Context()

        class Stream:
            def __init__(self) -> None:
                cuda.call("Stream")
                self.handle = 99

            def synchronize(self) -> None:
                cuda.call("synchronize")

        self.Device, self.Stream = Gpu, Stream

    def call(self, name: str) -> None:
        assert self.depth == 1
        if name in self.broken:
            raise self.Error(f"cu{name} failed: out of memory")

    def init(self) -> None:
        if "init" in self.broken:
            raise self.Error("cuInit failed: no CUDA-capable device is detected")

    def mem_alloc(self, size: int) -> Any:
        self.call("mem_alloc")
        memory = (ctypes.c_char * size)()
        cuda, address = self, ctypes.addressof(memory)
        self.memory[address] = memory

        class Allocation:
            def __int__(self) -> int:
                return address

            def free(self) -> None:
                cuda.call("free")
                del cuda.memory[address]

        return Allocation()

    def pagelocked_empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        self.call("pagelocked_empty")
        cuda = self

        class Locked(np.ndarray):
            base = SimpleNamespace(free=lambda: cuda.call("free"))

        return np.zeros(shape, dtype).view(Locked)

    def memcpy_htod_async(self, to: int, source: Any, stream: Any) -> None:
        assert stream.handle == 99
        self.call("memcpy_htod_async")
        ctypes.memmove(to, source.ctypes.data, source.nbytes)

    def memcpy_dtoh_async(self, to: Any, source: int, stream: Any) -> None:
        assert stream.handle == 99
        self.call("memcpy_dtoh_async")
        ctypes.memmove(to.ctypes.data, source, to.nbytes)

    def memcpy_dtod_async(self, to: int, source: int, size: int, stream: Any) -> None:
        assert stream.handle == 99
        self.call("memcpy_dtod_async")
        ctypes.memmove(to, source, size)
