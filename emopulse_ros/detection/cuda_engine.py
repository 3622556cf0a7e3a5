"""The network on a GPU by ONNX Runtime's CUDA provider, for want of TensorRT.

Queued node by node a step takes longer than on a processor, and is late at times; kept as a CUDA
graph it is about as fast as TensorRT's. So the provider serves only where graphs can be had.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from emopulse_ros.detection.device_memory import Device, DeviceError, open_device
from emopulse_ros.detection.engine import Shape
from emopulse_ros.detection.gpu_engine import GpuEngine
from emopulse_ros.detection.lanes import Queue
from emopulse_ros.detection.onnx_engine import OnnxEngine, reason_of
from emopulse_ros.detection.parity import FULL, compare
from emopulse_ros.detection.tensorrt_plan import MOST_FACES

PROVIDER = "CUDAExecutionProvider"

BATCH = "batch"
"""What the number of faces is called in a model, as ``emopulse train`` writes it."""

FATAL = 4
"""ONNX Runtime's level of what ends it: all else it raises as well."""

Open = Callable[[Path, int, Device], Any]
"""Opens a session of a model for so many faces, in the stream of a GPU."""


def open_cuda_session(model: Path, faces: int, device: Device) -> Any:
    """An ONNX Runtime session that runs on the first GPU alone, in the stream of ``device``.

    With the number of faces fixed nothing is left of a network that would run on a processor, whose
    memory a graph would go on reading; a session in which something is left is refused.

    :raises DeviceError: if ONNX Runtime cannot run it there.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = FATAL
    options.add_free_dimension_override_by_name(BATCH, faces)
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    provider = {
        "device_id": "0",
        "user_compute_stream": str(device.stream),
        # 32 bits are 32 bits: by itself it would take 19 of them.
        "use_tf32": "0",
        # Searching the fastest takes seconds, ends differently from start to start, and brings
        # nothing that could be measured.
        "cudnn_conv_algo_search": "HEURISTIC",
    }
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=[(PROVIDER, provider)])
    except Exception as error:  # ONNX Runtime's own share no class but this one
        raise DeviceError(
            f"ONNX Runtime's CUDA provider does not run the network: {reason_of(error)}"
        ) from error


class CudaEngine(GpuEngine):
    """The step form of a model on ONNX Runtime's CUDA provider, in 32 bits, on a GPU.

    ``reference`` is the same model on a processor.

    :raises DeviceError: if ONNX Runtime cannot run it there, or the GPU has no memory, or fails.
    """

    library = "CUDA"

    def __init__(
        self,
        model: Path,
        device: Device,
        reference: OnnxEngine,
        *,
        faces: int = MOST_FACES,
        graphs: bool = True,
        locked: bool = True,
        open_session: Open = open_cuda_session,
    ) -> None:
        import onnxruntime

        super().__init__(
            lambda: CudaNetwork(model, device, reference.shapes, open_session),
            device,
            reference.card,
            reference.model_hash,
            f"ONNX Runtime {onnxruntime.__version__} by CUDA on {device.name}, in 32 bits",
            faces=faces,
            graphs=graphs,
            locked=locked,
        )


class CudaNetwork:
    """A model on the provider, one session for each size of batch; see :class:`~.lanes.Network`.

    ``shapes`` are those of every tensor for one face. What a session copies to the GPU by itself
    it lets go of after a run that is waited for. A captured one is not: a graph goes on reading it.
    """

    def __init__(
        self, model: Path, device: Device, shapes: Mapping[str, Shape], open_session: Open
    ) -> None:
        import onnxruntime

        self.shapes = shapes
        self._device = device
        self._open: Callable[[int], Any] = lambda faces: open_session(model, faces, device)
        self._sessions: dict[int, Any] = {}
        self._holding: dict[int, Any] = {}
        """Bindings of the sessions that hold on to something, by size of batch."""
        self._waiting: Any = onnxruntime.RunOptions()
        self._captured: Any = onnxruntime.RunOptions()
        for options, never in ((self._waiting, "0"), (self._captured, "1")):
            options.add_run_config_entry("disable_synchronize_execution_providers", never)

    def bound(self, faces: int, addresses: Mapping[str, int]) -> Queue:
        """What queues the network for so many faces, whose tensors lie at these addresses."""
        if faces not in self._sessions:
            self._sessions[faces] = self._open(faces)
        session = self._sessions[faces]
        binding = session.io_binding()
        inputs = {entry.name for entry in session.get_inputs()}
        for name, address in addresses.items():
            bind = binding.bind_input if name in inputs else binding.bind_output
            bind(name, "cuda", 0, np.float32, [faces, *self.shapes[name][1:]], address)

        def queue(captured: bool) -> None:
            if captured:
                self._holding[faces] = binding
            try:
                session.run_with_iobinding(binding, self._captured if captured else self._waiting)
            except Exception as error:  # ONNX Runtime's own share no class but this one
                reason = reason_of(error)
                raise DeviceError(f"ONNX Runtime did not take the step: {reason}") from error

        return queue

    def close(self) -> None:
        """Let go of the sessions, while the addresses still hold."""
        for faces, binding in self._holding.items():
            # A session that ends before it has let go may end the process: the GPU frees what is
            # then nobody's, where that is not permitted.
            with suppress(Exception):
                self._sessions[faces].run_with_iobinding(binding, self._waiting)
        if self._holding:
            with suppress(DeviceError):
                self._device.synchronise()
        self._holding.clear()
        self._sessions.clear()


def start_cuda(
    model: Path,
    reference: OnnxEngine,
    *,
    faces: int = MOST_FACES,
    graphs: bool = True,
    locked: bool = True,
    open_gpu: Callable[[], Device] = open_device,
    open_session: Open = open_cuda_session,
) -> CudaEngine:
    """The engine of a model, once it has shown that it agrees with ``reference``.

    :raises DeviceError: if there is no GPU, the provider is not there, or the GPU fails; and where
        ``graphs`` are wanted, if they cannot be had.
    :raises ParityError: if they disagree.
    """
    check_provider()
    device = open_gpu()
    engine = CudaEngine(
        model,
        device,
        reference,
        faces=faces,
        graphs=graphs,
        locked=locked,
        open_session=open_session,
    )
    try:
        if graphs and not engine.is_captured:
            raise DeviceError(
                f"{engine.describe()} does not run as CUDA graphs, without which a processor is "
                "faster: pip install cuda-bindings"
            )
        compare(engine, reference, tolerance=FULL)
    except BaseException:
        engine.close()
        raise
    return engine


def check_provider() -> None:
    """That ONNX Runtime has the provider, and what that needs of CUDA.

    :raises DeviceError: if one is missing.
    """
    import onnxruntime

    if PROVIDER not in onnxruntime.get_available_providers():
        raise DeviceError(
            f"ONNX Runtime {onnxruntime.__version__} has no CUDA provider: "
            "pip install onnxruntime-gpu in its place"
        )
    onnxruntime.set_default_logger_severity(FATAL)
    if hasattr(onnxruntime, "preload_dlls"):
        # What it misses it prints, but it does not say so.
        with redirect_stdout(StringIO()):
            onnxruntime.preload_dlls()
    library = Path(onnxruntime.__file__).with_name("capi") / "libonnxruntime_providers_cuda.so"
    try:
        # A session that cannot load it goes on without a word.
        ctypes.CDLL(str(library))
    except OSError as error:
        raise DeviceError(
            f"ONNX Runtime's CUDA provider does not load ({error}): "
            "pip install onnxruntime-gpu[cuda,cudnn]"
        ) from error
