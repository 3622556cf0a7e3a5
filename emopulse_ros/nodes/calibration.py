"""What is known of a camera's lens: the file that ``camera_calibration`` writes."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any

import yaml
from sensor_msgs.msg import CameraInfo

from emopulse_ros.nodes.stamps import to_header
from emopulse_ros.stream import Frame

MATRICES = {
    "camera_matrix": ("k", 9),
    "rectification_matrix": ("r", 9),
    "projection_matrix": ("p", 12),
    "distortion_coefficients": ("d", None),
}
"""By their names in the file: the field of ``CameraInfo``, and how many numbers it has."""


class Calibration:
    """Makes ``CameraInfo`` for frames; of a camera nobody has calibrated its size is known alone.

    Then, and for frames of another size than the calibration's, K is zero, as REP 104 says.
    """

    def __init__(self, url: str = "") -> None:
        """``url`` is a path, or the same after ``file://``; empty without a calibration.

        :raises ValueError: if there is no such file, or it holds no calibration.
        """
        self._known = _read(Path(url.removeprefix("file://")).expanduser()) if url else None

    def fits(self, size: tuple[int, int]) -> bool:
        """Whether pictures of this (width, height) are those that were calibrated."""
        return self._known is None or size == (self._known.width, self._known.height)

    @property
    def size(self) -> tuple[int, int] | None:
        """The (width, height) that was calibrated, if any was."""
        return None if self._known is None else (self._known.width, self._known.height)

    def __call__(self, frame: Frame) -> Any:
        """The message that belongs to a frame's image."""
        height, width = frame.image.shape
        known = self._known
        if known is None or (known.width, known.height) != (width, height):
            return CameraInfo(
                header=to_header(frame.stamp, frame.frame_id), height=height, width=width
            )
        # What was published is no longer ours; all but the header can be shared.
        info = copy(known)
        info.header = to_header(frame.stamp, frame.frame_id)
        return info


def _read(path: Path) -> Any:
    try:
        text = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(
            f"the calibration {path} cannot be read: {error.strerror}; camera_info_url is the path "
            "of a file that camera_calibration has written"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"the calibration {path} is no YAML: {error}") from error
    try:
        info = CameraInfo(
            width=text["image_width"],
            height=text["image_height"],
            distortion_model=text["distortion_model"],
        )
        for name, (field, count) in MATRICES.items():
            setattr(info, field, _numbers(text[name], name, count))
    except (KeyError, TypeError, ValueError, AssertionError) as error:
        raise ValueError(
            f"{path} holds no calibration as camera_calibration writes it ({_words(error)})"
        ) from error
    return info


def _numbers(matrix: Any, name: str, count: int | None) -> Sequence[float]:
    values = [float(value) for value in matrix["data"]]
    if count is not None and len(values) != count:
        raise ValueError(f"{name} has {len(values)} numbers, not {count}")
    return values


def _words(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return str(error) or type(error).__name__
