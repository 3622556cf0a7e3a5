"""How a GPU's memory is reached: by doubles of the two libraries, and the names of the real one."""

from __future__ import annotations

import ast
import ctypes
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from emopulse_ros.detection import cuda_device, device_memory
from emopulse_ros.detection.device_memory import Device, DeviceError, open_device


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


BROKEN = {
    "cuda.bindings.runtime": {
        "allocate": "cudaMalloc",
        "page_locked": "cudaHostAlloc",
        "copy_in": "cudaMemcpyAsync",
        "copy_out": "cudaMemcpyAsync",
        "copy_within": "cudaMemcpyAsync",
        "synchronise": "cudaStreamSynchronize",
    },
    "pycuda.driver": {
        "allocate": "mem_alloc",
        "page_locked": "pagelocked_empty",
        "copy_in": "memcpy_htod_async",
        "copy_out": "memcpy_dtoh_async",
        "synchronise": "synchronize",
    },
}


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that every machine has, in place of the driver."""
    monkeypatch.setattr(device_memory, "DRIVER", "libc.so.6")


@pytest.fixture(params=[Cuda, Pycuda])
def library(request: Any, monkeypatch: pytest.MonkeyPatch, driver: None) -> Any:
    """The double of one of the libraries, the only one that is there."""
    assert driver is None
    for name, _ in device_memory.BACKENDS:
        monkeypatch.setitem(sys.modules, name, None)
    made = request.param()
    package = made.__name__.partition(".")[0]
    monkeypatch.setitem(sys.modules, package, ModuleType(package))
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


@pytest.fixture
def device(library: ModuleType) -> Device:
    assert library.__name__ in sys.modules
    return open_device()


def test_it_says_what_it_is(device: Device) -> None:
    assert (device.name, device.capability, device.stream) == ("Orin", "8.7", 99)
    assert device.library in ("cuda-bindings", "PyCUDA")


def test_what_goes_in_comes_out(device: Device, library: Any) -> None:
    address, source, target = device.allocate(24), *(device.page_locked((2, 3)) for _ in range(2))
    assert source.shape == (2, 3)
    assert source.dtype == np.float32
    source[:] = [[1, 2, 3], [4, 5, 6]]
    device.copy_in(address, source)
    device.copy_out(target, address)
    device.synchronise()
    np.testing.assert_array_equal(target, source)
    device.unlock(source)
    device.unlock(target)
    device.free(address)
    device.close()
    assert not library.memory


@pytest.mark.parametrize("method", BROKEN["pycuda.driver"])
def test_what_fails_is_told_in_a_sentence(device: Device, library: Any, method: str) -> None:
    address, array = device.allocate(16), device.page_locked((4,))
    library.broken = {BROKEN[library.__name__][method]}
    given = {
        "allocate": (16,),
        "page_locked": ((4,),),
        "copy_in": (address, array),
        "copy_out": (array, address),
        "synchronise": (),
    }[method]
    with pytest.raises(DeviceError, match=r"(GPU|memory).*: .*out of memory"):
        getattr(device, method)(*given)
    library.broken = set()
    getattr(device, method)(*given)


def test_pycuda_leaves_no_context_behind() -> None:
    from emopulse_ros.detection.pycuda_device import PycudaDevice

    library = Pycuda()
    device = PycudaDevice(library)
    library.broken = {"mem_alloc"}
    with pytest.raises(DeviceError):
        device.allocate(1)
    assert library.depth == 0
    library.broken = {"init"}
    with pytest.raises(DeviceError, match="no GPU can be used: cuInit failed"):
        PycudaDevice(library)


def test_a_machine_without_a_gpu_is_told() -> None:
    library = Cuda()
    library.gpus = 0
    with pytest.raises(DeviceError, match="no GPU can be used: the driver knows none"):
        cuda_device.CudaDevice(library)
    library.broken = {"cudaGetDeviceCount"}
    with pytest.raises(DeviceError, match="no GPU can be used: out of memory"):
        cuda_device.CudaDevice(library)


def test_without_a_driver_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_memory, "DRIVER", "libcuda_that_is_not_there.so.1")
    with pytest.raises(DeviceError, match="there is no NVIDIA driver"):
        open_device()


@pytest.mark.usefixtures("driver")
def test_without_a_library_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, _ in device_memory.BACKENDS:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        DeviceError, match=r"nothing here reaches its memory .*pip install cuda-bindings"
    ):
        open_device()


@pytest.mark.usefixtures("driver")
def test_a_library_that_breaks_gives_way_to_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "broken_one.py").write_text("raise RuntimeError('libcudart is missing')")
    (tmp_path / "broken_two.py").write_text("raise ImportError('libcuda.so.1: cannot open')")
    monkeypatch.syspath_prepend(tmp_path)
    backends = [("broken_one", Cuda), ("broken_two", Cuda)]
    monkeypatch.setattr(device_memory, "BACKENDS", backends)
    with pytest.raises(
        DeviceError,
        match=r"broken_one does not load: libcudart.*broken_two does not load: libcuda\.so",
    ):
        open_device()
    library = Cuda()
    monkeypatch.setitem(sys.modules, "whole", library)
    backends.append(("whole", cuda_device.CudaDevice))  # type: ignore[arg-type]
    assert open_device().name == "Orin"


def test_every_name_used_of_cuda_bindings_is_there() -> None:
    runtime = pytest.importorskip("cuda.bindings.runtime", reason="cuda-bindings is not installed")
    tree = ast.parse(Path(cuda_device.__file__).read_text())
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr.startswith("cuda")
    }
    assert {"cudaMalloc", "cudaMemcpyHostToDevice", "cudaStreamNonBlocking"} <= used
    for name in used:
        kinds = (runtime, runtime.cudaMemcpyKind, runtime.cudaStreamCaptureMode)
        assert any(hasattr(one, name) for one in kinds), name
    for name in ("name", "major", "minor"):
        assert hasattr(runtime.cudaDeviceProp(), name)


@pytest.mark.usefixtures("driver")
def test_the_real_library_without_a_driver_is_told_in_a_sentence() -> None:
    runtime = pytest.importorskip("cuda.bindings.runtime", reason="cuda-bindings is not installed")
    if runtime.cudaGetDeviceCount()[0] == 0:
        pytest.skip("there is a GPU")
    with pytest.raises(DeviceError, match=r"^no GPU can be used: \w+"):
        open_device()


def test_memory_of_a_real_gpu() -> None:
    try:
        device = open_device()
    except DeviceError as error:
        pytest.skip(f"needs a GPU: {error}")
    address, source, target = device.allocate(4096), *(device.page_locked((4, 256)) for _ in "ab")
    source[:] = np.arange(1024, dtype=np.float32).reshape(4, 256)
    device.copy_in(address, source)
    device.copy_out(target, address)
    device.synchronise()
    np.testing.assert_array_equal(target, source)
    assert address % 256 == 0
    assert device.stream != 0
    with pytest.raises(DeviceError, match="cannot be had"):
        device.allocate(1 << 50)
    device.unlock(source)
    device.unlock(target)
    device.free(address)
    device.close()
