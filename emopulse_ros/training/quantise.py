"""The step form in whole numbers of 8 bits, for processors: half the time, for a little accuracy.

Inputs of the convolutions are rounded to 256 levels over the range that calibration steps show,
weights to 128, per channel (Jacob et al., "Quantization and training of neural networks for
efficient integer-arithmetic-only inference", 2018). All else stays as it was. In ONNX it is a model
with pairs of QuantizeLinear and DequantizeLinear, which ONNX Runtime folds into integer kernels;
TensorRT wants other pairs and takes the model as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from emopulse_ros.detection.onnx_engine import open_session
from emopulse_ros.training.dataset import Clips

CLIPS = 24
"""Clips that calibration looks at, spread over those it is given."""

EVERY = 7
"""Of how many steps one is used: those next to each other say the same."""


def quantise(step: Path, clips: Clips, path: Path) -> Path:
    """Write the 8-bit form of the step model at ``step`` to ``path``; its card is the same.

    ``clips`` show what numbers occur: any that are not for a test.
    """
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    card = {entry.key: entry.value for entry in onnx.load(str(step)).metadata_props}
    with TemporaryDirectory() as folder:
        prepared = str(Path(folder) / "prepared.onnx")
        quant_pre_process(str(step), prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            str(path),
            _Steps(step, clips),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            # Unsigned with signed is what the processors' own instructions multiply. x86 without
            # VNNI adds two such products in 16 bits, which weights of 8 bits may overflow and those
            # of 7 cannot.
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=True,
        )
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, card)
    onnx.save(model, str(path))
    return path


class _Steps:
    """Inputs of the step model as they occur, one after the other; None at the end."""

    def __init__(self, step: Path, clips: Clips) -> None:
        self._session = open_session(step)
        self._clips = clips
        self._feeds = self._read()

    def get_next(self) -> dict[str, Any] | None:
        """The next inputs by name."""
        return next(self._feeds, None)

    def _read(self) -> Iterator[dict[str, Any]]:
        names = [entry.name for entry in self._session.get_outputs()]
        shapes = {entry.name: entry.shape for entry in self._session.get_inputs()}
        for index in np.linspace(0, len(self._clips) - 1, min(CLIPS, len(self._clips))):
            flow = self._clips.whole(round(index)).flow.cpu().numpy()
            states = {
                name: np.zeros([side if isinstance(side, int) else 1 for side in shape], np.float32)
                for name, shape in shapes.items()
                if name != "flow"
            }
            for time in range(flow.shape[2]):
                feed = {"flow": np.ascontiguousarray(flow[:, :, time]), **states}
                if time % EVERY == 0:
                    yield feed
                after = dict(zip(names, self._session.run(names, feed), strict=True))
                states = {name: after[f"next_{name}"] for name in states}
