"""What a driver's buffer holds, and what it does not."""

from __future__ import annotations

import mmap

import cv2
import numpy as np
import pytest

from emopulse_ros.camera import CameraError
from emopulse_ros.camera.v4l2.calls import fourcc
from emopulse_ros.camera.v4l2.pixels import reader

SIZE = (64, 48)
JPEG = fourcc("MJPG")


def memory(data: bytes, length: int = 8192) -> mmap.mmap:
    buffer = mmap.mmap(-1, length)
    buffer[: len(data)] = data
    return buffer


def jpeg(width: int, height: int) -> bytes:
    rows, columns = np.mgrid[:height, :width]
    done, data = cv2.imencode(".jpg", (rows + columns).astype(np.uint8))
    assert done
    return bytes(data)


def without_tables(data: bytes) -> bytes:
    """Without its Huffman tables, as many cameras send them."""
    kept, at = data[:2], 2
    while data[at + 1] != 0xDA:
        length = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        kept += data[at : at + length] if data[at + 1] != 0xC4 else b""
        at += length
    return kept + data[at:]


def test_a_jpeg_of_another_size_is_no_picture() -> None:
    data = jpeg(32, 24)
    assert reader(JPEG, SIZE, 0, memory(data))(len(data)) is None
    assert reader(JPEG, (32, 24), 0, memory(data))(len(data)) is not None


@pytest.mark.parametrize("used", [0, 3, 100])
def test_a_jpeg_that_was_cut_off_is_no_picture(used: int) -> None:
    # Its end lies there all the same, of the picture before it.
    assert reader(JPEG, SIZE, 0, memory(jpeg(*SIZE)))(used) is None


def test_what_is_no_jpeg_is_no_picture() -> None:
    assert reader(JPEG, SIZE, 0, memory(b"\x00" * 1000))(1000) is None
    assert reader(JPEG, SIZE, 0, memory(b"\xff\xd8" + b"\x00" * 900 + b"\xff\xd9"))(904) is None


def test_a_jpeg_needs_no_tables_and_may_be_padded() -> None:
    data = jpeg(*SIZE)
    whole = reader(JPEG, SIZE, 0, memory(data))(len(data))
    bare = without_tables(data)
    assert len(bare) < len(data) - 100
    assert whole is not None
    picture = reader(JPEG, SIZE, 0, memory(bare))(len(bare) + 200)
    np.testing.assert_array_equal(picture, whole)


def test_a_buffer_that_is_too_small_is_refused() -> None:
    with pytest.raises(CameraError, match="4096 bytes do not hold 64x48 pixels of 2 bytes"):
        reader(fourcc("YUYV"), SIZE, 128, memory(b"", 4096))


def test_the_last_row_may_end_with_its_last_pixel() -> None:
    read = reader(fourcc("GREY"), SIZE, 80, memory(bytes(range(80)) * 48))
    needed = 80 * 47 + 64
    assert read(needed - 1) is None
    picture = read(needed)
    assert picture is not None
    assert picture[47].tolist() == list(range(64))
