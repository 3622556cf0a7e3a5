"""The network in whole numbers."""

from __future__ import annotations

import numpy as np
import pytest

from emopulse_ros.detection.model import shipped_model

onnx = pytest.importorskip("onnx", reason="onnx is not installed")


def test_two_products_of_the_shipped_weights_fit_16_bits() -> None:
    # As processors without VNNI add them: what overflows there is another answer than elsewhere.
    weights = [
        onnx.numpy_helper.to_array(entry).astype(int)
        for entry in onnx.load(shipped_model("int8")).graph.initializer
        if entry.data_type == onnx.TensorProto.INT8
    ]
    largest = max(np.abs(weight).max() for weight in weights)
    assert largest > 32
    assert 2 * 255 * largest < 2**15
