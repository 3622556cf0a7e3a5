"""From a driver's buffer to a gray picture with memory of its own."""

from __future__ import annotations

import mmap
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from emopulse_ros.camera.source import CameraError
from emopulse_ros.camera.v4l2.calls import fourcc
from emopulse_ros.stream import read_only

Picture = NDArray[np.uint8]
Reader = Callable[[int], Picture | None]
"""Reads a buffer that holds so many bytes; None if they are no whole picture."""


def reader(pixels: int, size: tuple[int, int], stride: int, memory: mmap.mmap) -> Reader:
    """What makes ``(H, W) uint8``, read-only, of a buffer's pixels.

    ``stride`` is the length of a row in bytes, 0 where there is no such thing. The reader holds
    the memory, its pictures do not.

    :raises CameraError: if the memory is too small for the size.
    """
    return FORMATS[pixels](size, stride, memory)


def _raw(
    bytes_per_pixel: int, to_gray: Callable[[Picture], Picture]
) -> Callable[[tuple[int, int], int, mmap.mmap], Reader]:
    def make(size: tuple[int, int], stride: int, memory: mmap.mmap) -> Reader:
        width, height = size
        row = width * bytes_per_pixel
        stride = max(stride, row)
        # The last row may end with its last pixel.
        needed = stride * (height - 1) + row
        if len(memory) < needed:
            raise CameraError(
                f"The driver's buffers of {len(memory)} bytes do not hold {width}x{height} pixels "
                f"of {bytes_per_pixel} bytes: ask for another size."
            )
        view: Picture = np.ndarray(
            (height, width, bytes_per_pixel), np.uint8, memory, 0, (stride, bytes_per_pixel, 1)
        )

        def read(used: int) -> Picture | None:
            return read_only(to_gray(view)) if used >= needed else None

        return read

    return make


def _copied(view: Picture) -> Picture:
    return np.array(view[:, :, 0], order="C")


def _first_of_two(view: Picture) -> Picture:
    return np.asarray(cv2.extractChannel(view, 0), np.uint8)


def _second_of_two(view: Picture) -> Picture:
    return np.asarray(cv2.extractChannel(view, 1), np.uint8)


def _upper_of_ten_bits(view: Picture) -> Picture:
    words = view.view("<u2")[:, :, 0]
    return (words >> 2).astype(np.uint8)


def _jpeg(size: tuple[int, int], stride: int, memory: mmap.mmap) -> Reader:
    del stride
    data = np.frombuffer(memory, np.uint8)
    shape = size[::-1]

    def read(used: int) -> Picture | None:
        # A picture without an end was cut off on its way, which a decoder may pass over.
        if used < 4 or memory[:2] != b"\xff\xd8" or memory.rfind(b"\xff\xd9", 2, used) < 0:
            return None
        how = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
        picture = cv2.imdecode(data[:used], how)
        if picture is None or picture.shape != shape:
            return None
        return read_only(np.asarray(picture, np.uint8))

    return read


FORMATS: dict[int, Callable[[tuple[int, int], int, mmap.mmap], Reader]] = {
    fourcc("GREY"): _raw(1, _copied),
    fourcc("YUYV"): _raw(2, _first_of_two),
    fourcc("UYVY"): _raw(2, _second_of_two),
    fourcc("Y10 "): _raw(2, _upper_of_ten_bits),
    fourcc("MJPG"): _jpeg,
}
"""The pixel formats that are read here, the one with the least work first."""
