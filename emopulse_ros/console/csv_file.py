"""Activations as a table in a file.

One row per activation: ``stamp_ns`` (capture), ``sequence`` (of the frame), ``face_id``, for each
action unit ``AU01_p`` (probability) and ``AU01_i`` (intensity), both 0 to 1, then ``attention``
and ``latency_ms`` (capture to answer; empty where it was not measured).
"""

from __future__ import annotations

import math
from pathlib import Path

from emopulse_ros.camera.source import Closing
from emopulse_ros.facs import CODES
from emopulse_ros.stream import Activation


class CsvFile(Closing):
    """Writes activations to a file as they come.

    :raises OSError: if the file cannot be opened for writing, or a row cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("w", encoding="ascii", newline="\n")
        except OSError as error:
            raise OSError(f"'{path}' cannot be written: {error.strerror}.") from error
        self._codes: tuple[int, ...] = ()

    def __call__(self, activation: Activation, latency_ms: float) -> None:
        """Write one row; the first one is preceded by the names of the columns.

        :raises ValueError: if the action units change midway.
        """
        if activation.codes != self._codes:
            if self._codes:
                raise ValueError("the model's action units changed, but a CSV file has one header")
            self._head(activation.codes)
        values = [
            f"{value:.6f}"
            for pair in zip(
                activation.probability.tolist(), activation.intensity.tolist(), strict=True
            )
            for value in pair
        ]
        latency = "" if math.isnan(latency_ms) else f"{latency_ms:.3f}"
        start = f"{activation.stamp},{activation.sequence},{activation.face_id}"
        self._file.write(f"{start},{','.join(values)},{activation.attention:.6f},{latency}\n")

    def _head(self, codes: tuple[int, ...]) -> None:
        self._codes = codes
        units = ",".join(f"AU{code:02d}_p,AU{code:02d}_i" for code in codes)
        self._file.write(f"stamp_ns,sequence,face_id,{units},attention,latency_ms\n")

    def close(self) -> None:
        """Finish the file; one without a row still has its header."""
        if self._file.closed:
            return
        if not self._codes:
            self._head(CODES)
        self._file.close()
