"""The step form in 16 bits, for GPUs: half the memory to move, and what their tensor units want."""

from __future__ import annotations

from pathlib import Path


def halve(step: Path, path: Path) -> Path:
    """Write the step model at ``step`` to ``path`` with weights and sums in 16 bits.

    Inputs and outputs stay in 32 bits, and its card is the same. TensorRT takes the types as they
    stand in the file.
    """
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    onnx.save(convert_float_to_float16(onnx.load(str(step)), keep_io_types=True), str(path))
    return path
