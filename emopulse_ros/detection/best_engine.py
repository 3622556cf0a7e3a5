"""The best engine there is: ONNX Runtime at once, a GPU where it can be had.

ONNX Runtime on the processor is always ready. Where there is a GPU with TensorRT, that takes over
as soon as its plan is there and agrees with ONNX Runtime; where TensorRT is missing or fails to
start, ONNX Runtime's CUDA provider does, if it is there. If the GPU fails while it serves, the
processor answers from that very step on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.detection.cuda_engine import CudaEngine, start_cuda
from emopulse_ros.detection.device_memory import DeviceError
from emopulse_ros.detection.engine import Engine, Reading
from emopulse_ros.detection.gpu_engine import GpuEngine
from emopulse_ros.detection.model import ModelError
from emopulse_ros.detection.onnx_engine import OnnxEngine
from emopulse_ros.detection.tensorrt_plan import MOST_FACES, TensorRTError
from emopulse_ros.detection.tensorrt_start import Gpu, TensorRTStart, find_gpu

ENGINES = ("auto", "onnx", "cuda", "tensorrt")
"""What can be asked for: the best there is, or one of the three."""

LONGEST_END_S = 10.0
"""Longest wait for what is being loaded beside the stream, when it ends."""

BestState = tuple[Engine, Any]
"""An engine and its own state."""

Tell = Callable[[str], None]


class EngineError(ValueError):
    """The engine that was asked for cannot be had; the text is a sentence."""


def _nobody(_: str) -> None:
    """Hears what nobody wants to know."""


class BestEngine:
    """One engine that is ONNX Runtime, on a processor or a GPU, or TensorRT from step to step.

    With ``auto`` a plan that is not in the cache is built beside the stream, or waited for if
    ``wait`` is set, so that the same engine answers every step. ``tensorrt`` waits as well, and
    wants nothing else to begin with; it is given up when ``over`` is set. ``cuda`` is ONNX Runtime
    on a GPU and nothing else, ``onnx`` on the processor. ``faces`` is how many one step on the GPU
    may read. A state belongs to the engine that made it: with the first step after
    a change each face begins clean. ``inform`` and ``warn`` hear sentences, from a thread of their
    own at times; close it when it is over.

    :raises ModelError: if the model is missing or not ours.
    :raises EngineError: if there is no such engine, or the one on a GPU that is asked for.
    """

    def __init__(
        self,
        model: Path,
        wanted: str = "auto",
        *,
        wait: bool = False,
        inform: Tell = _nobody,
        warn: Tell = _nobody,
        over: threading.Event | None = None,
        faces: int = MOST_FACES,
        find: Callable[[], Gpu] = find_gpu,
        start: Callable[..., TensorRTStart] = TensorRTStart,
        start_cuda: Callable[..., CudaEngine] = start_cuda,
    ) -> None:
        if wanted not in ENGINES:
            known = f"{', '.join(ENGINES[:-1])} or {ENGINES[-1]}"
            raise EngineError(f"there is no engine '{wanted}': it is {known}")
        self._onnx = OnnxEngine(model)
        self.card, self.model_hash = self._onnx.card, self._onnx.model_hash
        self.failures = 0
        """Steps that the GPU failed at: one at most, for it is not asked again."""
        self.trouble = ""
        """Why what should serve does not; empty while all is well."""
        self._inform, self._warn = inform, warn
        self._serving: Engine = self._onnx
        self._fast: GpuEngine | None = None
        self._start_cuda: Callable[[], CudaEngine] = lambda: start_cuda(
            model, self._onnx, faces=faces
        )
        self._change = threading.Lock()
        self._over = threading.Event()
        self._builder: threading.Thread | None = None
        if wanted == "onnx":
            inform(f"the network runs on {self._onnx.describe()}, as was asked for")
            return
        if wanted == "cuda":
            try:
                self._take(self._start_cuda())
            except Exception as error:
                raise EngineError(f"CUDA cannot run the network: {_sentence(error)}") from error
            return
        try:
            gpu = find()
        except (DeviceError, TensorRTError) as error:
            if wanted == "tensorrt":
                raise EngineError(f"TensorRT cannot run the network: {error}") from error
            self._do_without(error)
            return
        begin = start(gpu, model, self._onnx, warn=warn, faces=faces)
        try:
            fast = begin.from_cache()
            if fast is None and (wait or wanted == "tensorrt"):
                inform(f"a TensorRT plan is built for {gpu.device}, which may take minutes")
                fast = begin.built(over or self._over)
        except Exception as error:  # whatever TensorRT does, there is another engine
            if wanted == "tensorrt":
                raise EngineError(f"TensorRT cannot run the network: {error}") from error
            self._not_started(error)
            return
        if fast is not None:
            self._take(fast)
            return
        inform(
            f"the network runs on {self._onnx.describe()} while a TensorRT plan is built for "
            f"{gpu.device}"
        )
        self._builder = threading.Thread(
            target=self._build, args=(begin,), name="tensorrt", daemon=True
        )
        self._builder.start()

    def first_state(self) -> BestState:
        """The state that knows nothing."""
        serving = self._serving
        return serving, serving.first_state()

    @property
    def at_once(self) -> int:
        """Faces of one step that cost hardly more than one, on the engine that serves."""
        return self._serving.at_once

    @property
    def bytes_moved(self) -> int:
        """Bytes copied to a GPU and back since that serves."""
        return 0 if self._fast is None else self._fast.bytes_moved

    def step(self, flow: NDArray[np.float32], state: BestState) -> tuple[Reading, BestState]:
        """One time step: ``(C, H, W) float32`` and a state to a reading and the next state."""
        return self.step_all([flow], [state])[0]

    def step_all(
        self, flows: Sequence[NDArray[np.float32]], states: Sequence[BestState]
    ) -> list[tuple[Reading, BestState]]:
        """One time step of several faces, as :meth:`step` of each."""
        engine = self._serving
        inner = [state if own is engine else engine.first_state() for own, state in states]
        try:
            done = engine.step_all(flows, inner)
        except Exception as error:
            # What is wrong with the flow is wrong for either.
            if engine is self._onnx or isinstance(error, ModelError):
                raise
            self._failed(error)
            engine = self._onnx
            done = engine.step_all(flows, [engine.first_state() for _ in flows])
        return [(reading, (engine, after)) for reading, after in done]

    @property
    def is_building(self) -> bool:
        """Whether TensorRT may still take over."""
        return self._builder is not None and self._builder.is_alive()

    def describe(self) -> str:
        """Library, version and device of the one that serves, for people."""
        told = self._serving.describe()
        return f"{told}, while a TensorRT plan is built" if self.is_building else told

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until nothing is built any more; return whether that is so."""
        if self._builder is not None:
            self._builder.join(seconds)
        return not self.is_building

    def close(self) -> None:
        """Give up what is being built, and give the GPU back; ONNX Runtime serves on."""
        self._over.set()
        self.wait(LONGEST_END_S)
        with self._change:
            self._serving = self._onnx
            fast, self._fast = self._fast, None
        if fast is not None:
            # A GPU that has failed says so again.
            with suppress(DeviceError):
                fast.close()

    def _build(self, begin: TensorRTStart) -> None:
        try:
            fast = begin.built(self._over)
        except Exception as error:  # a thread that ends without a word would help nobody
            if not self._over.is_set():
                self._not_started(error)
            return
        self._take(fast)

    def _take(self, fast: GpuEngine, tell: bool = True) -> None:
        """Let the GPU serve, unless all is over by now."""
        with self._change:
            is_over = self._over.is_set()
            if not is_over:
                self._fast = self._serving = fast
        if is_over:
            fast.close()
        elif tell:
            self._inform(f"the network runs on {fast.describe()}")

    def _do_without(self, error: Exception) -> None:
        """Nobody has TensorRT, or a GPU: nothing is wrong."""
        reasons = str(error)
        if not isinstance(error, DeviceError):
            try:
                self._take(self._start_cuda())
            except Exception as other:  # whatever CUDA does, there is another engine
                reasons = f"{reasons}; {_sentence(other)}"
            else:
                return
        self._inform(f"the network runs on {self._onnx.describe()}: {reasons}")

    def _not_started(self, error: Exception) -> None:
        self.trouble = f"TensorRT is not used: {_sentence(error)}"
        with suppress(Exception):  # whatever CUDA does, there is another engine
            self._take(self._start_cuda(), tell=False)
        self._warn(f"{self.trouble}; the network runs on {self._serving.describe()}")

    def _failed(self, error: Exception) -> None:
        """The processor serves from now on; the GPU's memory is given back at the end."""
        with self._change:
            is_first = self._serving is not self._onnx
            self._serving = self._onnx
            self.failures += 1
            name = "TensorRT" if self._fast is None else self._fast.library
        self.trouble = f"{name} failed: {_sentence(error)}"
        if is_first:
            self._warn(f"{self.trouble}; the network runs on {self._onnx.describe()} from here on")


def _sentence(error: Exception) -> str:
    return str(error) or type(error).__name__
