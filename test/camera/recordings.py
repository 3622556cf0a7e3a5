"""Small videos that tests write, whose pictures tell which one each of them is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

COUNT, SIZE = 60, (96, 64)
CONTAINERS = {"mp4": "mp4v", "avi": "MJPG", "mkv": "mp4v"}


def picture(index: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A picture whose brightness tells which one it is, with something in it to code."""
    image = np.full((SIZE[1], SIZE[0], 3), 10 + 4 * index, np.uint8)
    cv2.circle(image, (20 + index, 30), 9, (255, 255, 255), -1)
    return image


def recorded(folder: Path) -> dict[str, Path]:
    """Write a video of 60 pictures at 200 frames per second in each kind of container."""
    found = {}
    for suffix, codec in CONTAINERS.items():
        path = folder / f"made.{suffix}"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 200.0, SIZE)
        if not writer.isOpened():
            pytest.skip(f"this OpenCV cannot write {codec} into .{suffix}")
        for index in range(COUNT):
            writer.write(picture(index))
        writer.release()
        found[suffix] = path
    return found


def brightness(frame: Any) -> float:
    """The brightness of a corner, where the pictures have nothing but their own gray."""
    return float(frame.image[:16, :].mean())
