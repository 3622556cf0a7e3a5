"""Sessions of ONNX Runtime that look as if they ran on the double of a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime
from gpu_double import GpuDouble


class SessionDouble:
    """Computes on the processor, in the memory of the double, when its stream is waited for."""

    def __init__(self, model: Path, faces: int, gpu: Any) -> None:
        assert isinstance(gpu, GpuDouble)
        options = onnxruntime.SessionOptions()
        options.add_free_dimension_override_by_name("batch", faces)
        self.session = onnxruntime.InferenceSession(str(model), options)
        self.gpu = gpu
        self.takes_steps = True
        self.held = 0
        """Captured runs it has not let go of."""

    def get_inputs(self) -> Any:
        return self.session.get_inputs()

    def io_binding(self) -> BindingDouble:
        return BindingDouble(self.session.io_binding())

    def run_with_iobinding(self, binding: BindingDouble, options: Any) -> None:
        # What is bound is there as long as something may run.
        assert self.gpu.buffers
        captured = self.gpu.is_capturing
        entry = "disable_synchronize_execution_providers"
        assert (options.get_run_config_entry(entry) == "1") is captured
        self.held = self.held + 1 if captured else 0
        if not self.takes_steps:
            raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : CUDNN failure 5000\n; more")
        self.gpu.queue.append(lambda: self.session.run_with_iobinding(binding.real))


class BindingDouble:
    """An address of the double is one of this process, where the processor computes."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def bind_input(self, name: str, place: str, number: int, *rest: Any) -> None:
        assert (place, number) == ("cuda", 0)
        self.real.bind_input(name, "cpu", 0, *rest)

    def bind_output(self, name: str, place: str, number: int, *rest: Any) -> None:
        assert (place, number) == ("cuda", 0)
        self.real.bind_output(name, "cpu", 0, *rest)
