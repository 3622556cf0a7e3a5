"""How a GPU's memory is reached: by doubles of the two libraries, and the names of the real one."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from cuda_doubles import Cuda, Pycuda

from emopulse_ros.detection import cuda_device, device_memory
from emopulse_ros.detection.device_memory import Device, DeviceError, open_device

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
        "copy_within": "memcpy_dtod_async",
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
        "copy_within": (address, address, 16),
        "synchronise": (),
    }[method]
    with pytest.raises(DeviceError, match=r"(GPU|memory).*: .*out of memory"):
        getattr(device, method)(*given)
    library.broken = set()
    getattr(device, method)(*given)


def test_what_is_copied_within_is_there(device: Device) -> None:
    one, other, array = device.allocate(24), device.allocate(24), device.page_locked((6,))
    array[:] = range(6)
    device.copy_in(one, array)
    device.copy_within(other, one, 24)
    array[:] = 0.0
    device.copy_out(array, other)
    device.synchronise()
    np.testing.assert_array_equal(array, range(6))


def test_a_graph_does_its_work_each_time_it_is_launched_and_not_before() -> None:
    library = Cuda()
    device = cuda_device.CudaDevice(library)
    address, array = device.allocate(8), device.page_locked((2,))
    graph = device.capture(lambda: device.copy_out(array, address))
    for number in (3.0, 5.0):
        array[:] = number
        device.copy_in(address, array)
        array[:] = 0.0
        device.launch(graph)
        device.synchronise()
        np.testing.assert_array_equal(array, [number, number])
    device.forget(graph)
    assert not library.graphs


def test_a_capture_that_fails_is_over() -> None:
    library = Cuda()
    device = cuda_device.CudaDevice(library)

    def fails() -> None:
        raise DeviceError("it did not go")

    with pytest.raises(DeviceError, match="it did not go"):
        device.capture(fails)
    assert library.captured is None
    library.broken = {"cudaGraphInstantiate"}
    with pytest.raises(DeviceError, match=r"cannot be kept as a graph: out of memory"):
        device.capture(lambda: None)
    assert not library.graphs


def test_pycuda_knows_no_graphs() -> None:
    from emopulse_ros.detection.pycuda_device import PycudaDevice

    device = PycudaDevice(Pycuda())
    assert not device.can_capture
    with pytest.raises(DeviceError, match="PyCUDA knows none"):
        device.capture(lambda: None)


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
